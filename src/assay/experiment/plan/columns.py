"""What the columns of the search rows are like, as far as a plan depends on it."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import Literal

import polars as pl

Role = Literal["number", "category", "many categories", "date", "text"]

MANY = 30
WORDY = 4
REPEATED = (1.5, 200.0)
"""A column that names units repeats each value so often, on average."""

_DATE = re.compile(r"^\d{1,4}[-/.]\d{1,2}[-/.]\d{1,4}([ T]\d{1,2}:.*)?$")
_NAMES_UNITS = re.compile(r"(^|_| )(id|key|no|number|code)$|^id", re.IGNORECASE)


@dataclass(frozen=True)
class ColumnSeen:
    """One input column of the search rows.

    Attributes
    ----------
    empty
        Share of empty cells.
    distinct
        Number of different values.
    skewed
        Whether a number spans three orders of magnitude or more.
    names_units
        Whether it looks like the name of something that several rows are about.
    """

    name: str
    role: Role
    empty: float
    distinct: int
    skewed: bool
    names_units: bool


def columns_seen(rows: pl.DataFrame, names: tuple[str, ...]) -> tuple[ColumnSeen, ...]:
    """Return what each column is like."""
    return tuple(_seen(rows[name]) for name in names)


def _seen(column: pl.Series) -> ColumnSeen:
    known = column.drop_nulls()
    distinct = known.n_unique()
    mean = len(known) / max(distinct, 1)
    return ColumnSeen(
        name=column.name,
        role=_role(known, distinct),
        empty=round(column.null_count() / max(len(column), 1), 4),
        distinct=distinct,
        skewed=_skewed(known),
        names_units=bool(_NAMES_UNITS.search(column.name))
        and not column.dtype.is_float()
        and REPEATED[0] <= mean <= REPEATED[1]
        and distinct >= 10,
    )


def _role(known: pl.Series, distinct: int) -> Role:
    if known.dtype.is_temporal():
        return "date"
    if known.dtype.is_numeric():
        return "number"
    texts = known.cast(pl.String)
    sample = texts.head(50).to_list()
    if sample and all(_DATE.match(each) for each in sample):
        return "date"
    words = texts.str.split(" ").list.len().median()
    if isinstance(words, float) and words >= WORDY and distinct > len(known) // 2:
        return "text"
    return "many categories" if distinct > MANY else "category"


def _skewed(known: pl.Series) -> bool:
    if not known.dtype.is_numeric() or known.is_empty():
        return False
    low, high = known.quantile(0.05), known.quantile(0.95)
    return low is not None and high is not None and low > 0 and high / low >= 1000
