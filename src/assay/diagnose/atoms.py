"""Atoms: the single conditions that conjunctions are made of, read off the rows themselves."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
import polars as pl

from assay.diagnose.case import Case
from assay.diagnose.commonest import commonest
from assay.tables import WORDS
from assay.tables.predicate import Condition, Mask
from assay.tables.traits import TRAITS, trait

CUTS = (0.1, 0.25, 0.5, 0.75, 0.9)
USUAL, LEVELS = 12, 100
"""Values of a column of words that are no rare ones, and that become conditions: the commonest."""
FEW_NUMBERS = 12
"""A column with no more different numbers is cut between each of them."""


@dataclass(frozen=True, eq=False)
class Atom:
    """A condition and which rows fulfil it.

    ``rare`` are those of a column's rarer values, which few rows share with other conditions.
    """

    condition: Condition
    mask: Mask
    rare: bool = False


def atoms(part: Case, *, fewest: int) -> Iterator[Atom]:
    """Yield the conditions on each column, and on each trait of the texts.

    One that fewer than ``fewest`` rows fulfil, or fail, is left out.
    """
    for column, name, values in _described(part):
        for atom in _conditions(column, name, values, fewest):
            count = int(atom.mask.sum())
            if fewest <= count <= part.n - fewest:
                yield atom


def no_atoms(part: Case, *, fewest: int) -> list[str]:
    """Return, in words, what becomes no condition though it might pick enough rows."""
    found, described = [], set(part.columns) - {part.task.text}
    for name, kind in part.rows.schema.items():
        if kind in WORDS and name in described:
            found += commonest(part.rows[name], LEVELS, fewest=fewest)[1]
        elif not (kind.is_numeric() or kind in (*WORDS, pl.Boolean)):
            found.append(f"{name!r}, which holds {kind}")
    return found


def _described(part: Case) -> Iterator[tuple[str, str | None, pl.Series]]:
    for column in part.columns:
        if column == part.task.text:
            for name in TRAITS:
                yield column, name, trait(part.rows, column, name)
        else:
            yield column, None, part.rows[column]


def _conditions(column: str, name: str | None, values: pl.Series, fewest: int) -> Iterator[Atom]:
    empty = values.is_null()
    if name is None and empty.any():
        yield Atom(Condition(column, "is empty"), empty.to_numpy())
    if values.dtype == pl.Boolean:
        for value in (True, False):
            mask = (values == value).fill_null(False).to_numpy()
            yield Atom(Condition(column, "=", value, name), mask)
    elif values.dtype.is_numeric():
        numbers = values.cast(pl.Float64).to_numpy()
        for cut in _cuts(numbers):
            yield Atom(Condition(column, "<=", cut, name), numbers <= cut)
            yield Atom(Condition(column, ">", cut, name), numbers > cut)
    elif values.dtype in WORDS:
        words = values.cast(pl.String)
        often, _ = commonest(words, LEVELS, fewest=fewest)
        places = words.cast(pl.Enum(often), strict=False).to_physical().fill_null(len(often))
        for place, word in enumerate(often):
            mask = (places == place).to_numpy()
            yield Atom(Condition(column, "=", word, name), mask, rare=place >= USUAL)


def _cuts(numbers: np.ndarray) -> list[float]:
    known = numbers[np.isfinite(numbers)]
    if not len(known):
        return []
    distinct = np.unique(known)
    if len(distinct) <= FEW_NUMBERS:
        return [float(each) for each in distinct[:-1]]
    cuts = np.unique(np.quantile(known, CUTS))
    return [float(f"{each:.6g}") for each in cuts]
