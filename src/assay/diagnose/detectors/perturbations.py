"""Answers that change when a table's cells change by less than anyone meant by them."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field

import numpy as np
import polars as pl

from assay.diagnose.case import Case, Floats
from assay.diagnose.means import mean_above
from assay.diagnose.spec import Remedy, Search, Suspicion
from assay.evidence import Evidence
from assay.seeds import derive_seed

CODE = "AS603"
TOLERATED = 0.05
"""Share of answers that may change before it is told."""

FEWEST = 30
MOST_ROWS = 2_000
MOST_DECIMALS = 6
FEW_NUMBERS = 12
"""A column with no more different numbers holds codes or steps, not measurements."""

Change = Callable[[pl.Series, np.random.Generator], pl.Series]


@dataclass(frozen=True)
class PerturbationDetector:
    """Invariance tests of tables, for classifiers. It needs the model at hand."""

    name: str = "perturbations"
    codes: Mapping[str, str] = field(
        default_factory=lambda: {CODE: "answers that change with rounding, letter case or spaces"}
    )

    def detect(self, part: Case) -> Search:
        """Return the changes to which answers of the discovery part are not invariant."""
        what = "answers before and after rounding noise, other case, spaces around words"
        if part.predict is None:
            return Search(0, what, skipped="the model is not at hand, only its predictions")
        if part.task.kind == "regression":
            return Search(0, what, skipped="a regression's answers change with any cell")
        if part.n < FEWEST:
            return Search(0, what, skipped=f"{part.n} rows to look at are too few")
        tried = [(name, found) for name in CHANGES if (found := _columns(part, name))]
        if not tried:
            return Search(0, what, skipped="no column holds measurements or words")
        suspicions = tuple(
            _suspicion(name, columns)
            for name, columns in tried
            if float(_changed(part.head(MOST_ROWS), name, columns).mean()) > TOLERATED
        )
        return Search(len(tried), what, suspicions)


def _suspicion(name: str, columns: list[str]) -> Suspicion:
    def confirm(unseen: Case) -> Evidence | None:
        some = unseen.head(MOST_ROWS)
        return mean_above(
            some, _changed(some, name, columns),
            name=f"share of answers that change with {name}", bar=TOLERATED,
        )  # fmt: skip

    return Suspicion(
        code=CODE,
        title=f"answers change with {name}",
        cause="the model reads more into a cell than was measured or meant",
        confirm=confirm,
        remedies=(
            Remedy("feature", "round numbers, and fold case and spaces, before the model"),
            Remedy("regularise", "let the model bend less between near values"),
        ),
        judged=False,
    )


def _columns(part: Case, name: str) -> list[str]:
    """Return the features that the change applies to."""
    measured = name == ROUNDING
    fits = _is_measured if measured else _is_words
    present = [each for each in part.task.features if each in part.rows.columns]
    return [each for each in present if fits(part.rows[each])]


def _changed(some: Case, name: str, columns: list[str]) -> Floats:
    """Return (n,) 1 where the answer differs once the cells are changed."""
    random = np.random.default_rng(derive_seed(some.seed, "perturbations", name))
    rows = some.rows.with_columns(
        CHANGES[name](some.rows[each], random).alias(each) for each in columns
    )
    return np.asarray(some.asked(rows) != some.asked(some.rows), dtype=np.float64)


def _is_words(values: pl.Series) -> bool:
    return values.dtype == pl.String


def _is_measured(values: pl.Series) -> bool:
    return (
        values.dtype.is_float()
        and values.n_unique() > FEW_NUMBERS
        and decimals(values) in range(1, MOST_DECIMALS + 1)
    )


def decimals(values: pl.Series) -> int:
    """Return to how many decimals the numbers are given; 7 where to more than six."""
    known = values.drop_nulls().drop_nans()
    for places in range(MOST_DECIMALS + 1):
        if bool((known.round(places) == known).all()):
            return places
    return MOST_DECIMALS + 1


def within_rounding(values: pl.Series, random: np.random.Generator) -> pl.Series:
    """Return the numbers moved by up to half a unit of their last decimal."""
    half = 0.5 * 10.0 ** -decimals(values)
    return values + pl.Series(random.uniform(-half, half, values.len()), dtype=values.dtype)


def _upper(values: pl.Series, _: np.random.Generator) -> pl.Series:
    return values.str.to_uppercase()


def _spaced(values: pl.Series, _: np.random.Generator) -> pl.Series:
    return values + " "


ROUNDING = "noise below the last decimal"
CHANGES: dict[str, Change] = {
    ROUNDING: within_rounding,
    "upper case in words of columns": _upper,
    "a space after words of columns": _spaced,
}
"""What should not matter to most tables, by what it is called."""
