"""Atoms: the single conditions that conjunctions are made of, read off the rows themselves."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
import polars as pl

from assay.diagnose.case import Case
from assay.tables.counts import value_counts
from assay.tables.predicate import Condition, Mask, Value
from assay.tables.traits import TRAITS, trait

CUTS = (0.1, 0.25, 0.5, 0.75, 0.9)
LEVELS = 12
"""Values of a column of words that become conditions: the most frequent."""
FEW_NUMBERS = 12
"""A column with no more different numbers is cut between each of them."""


@dataclass(frozen=True, eq=False)
class Atom:
    """A condition and which rows fulfil it."""

    condition: Condition
    mask: Mask


def atoms(part: Case, *, fewest: int) -> Iterator[Atom]:
    """Yield the conditions on each column, and on each trait of the texts.

    One that fewer than ``fewest`` rows fulfil, or fail, is left out.
    """
    for column, name, values in _described(part):
        for condition, mask in _conditions(column, name, values):
            count = int(mask.sum())
            if fewest <= count <= part.n - fewest:
                yield Atom(condition, mask)


def _described(part: Case) -> Iterator[tuple[str, str | None, pl.Series]]:
    for column in part.columns:
        if column == part.task.text:
            for name in TRAITS:
                yield column, name, trait(part.rows, column, name)
        else:
            yield column, None, part.rows[column]


def _conditions(
    column: str, name: str | None, values: pl.Series
) -> Iterator[tuple[Condition, Mask]]:
    empty = values.is_null()
    if name is None and empty.any():
        yield Condition(column, "is empty"), empty.to_numpy()
    if values.dtype == pl.Boolean:
        for value in (True, False):
            yield _equal(column, name, values, value)
    elif values.dtype.is_numeric():
        numbers = values.cast(pl.Float64).to_numpy()
        for cut in _cuts(numbers):
            yield Condition(column, "<=", cut, name), numbers <= cut
            yield Condition(column, ">", cut, name), numbers > cut
    elif values.dtype in (pl.String, pl.Categorical, pl.Enum):
        counts = value_counts(values.cast(pl.String).drop_nulls())
        if counts.height <= max(LEVELS, values.len() // 20):  # names and ids describe no slice
            for value in counts[:, 0].head(LEVELS).to_list():
                yield _equal(column, name, values.cast(pl.String), value)


def _equal(
    column: str, name: str | None, values: pl.Series, value: Value
) -> tuple[Condition, Mask]:
    mask = (values == value).fill_null(False).to_numpy()
    return Condition(column, "=", value, name), mask


def _cuts(numbers: np.ndarray) -> list[float]:
    known = numbers[np.isfinite(numbers)]
    if not len(known):
        return []
    distinct = np.unique(known)
    if len(distinct) <= FEW_NUMBERS:
        return [float(each) for each in distinct[:-1]]
    cuts = np.unique(np.quantile(known, CUTS))
    return [float(f"{each:.6g}") for each in cuts]
