"""What the columns of the search rows are like, as far as a plan depends on it."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass

import polars as pl

from assay.tables import ColumnKind, column_kind

REPEATED = (1.5, 200.0)
"""A column that names units repeats each value so often, on average."""

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
    kind: ColumnKind
    empty: float
    distinct: int
    skewed: bool
    names_units: bool


def columns_seen(rows: pl.DataFrame, names: Sequence[str]) -> tuple[ColumnSeen, ...]:
    """Return what each column is like."""
    return tuple(_seen(rows[name]) for name in names)


def _seen(column: pl.Series) -> ColumnSeen:
    known = column.drop_nulls()
    distinct = known.n_unique()
    mean = len(known) / max(distinct, 1)
    return ColumnSeen(
        name=column.name,
        kind=column_kind(column),
        empty=round(column.null_count() / max(len(column), 1), 4),
        distinct=distinct,
        skewed=_skewed(known),
        names_units=bool(_NAMES_UNITS.search(column.name))
        and not column.dtype.is_float()
        and REPEATED[0] <= mean <= REPEATED[1]
        and distinct >= 10,
    )


def _skewed(known: pl.Series) -> bool:
    if not known.dtype.is_numeric() or known.is_empty():
        return False
    low, high = known.quantile(0.05), known.quantile(0.95)
    return low is not None and high is not None and low > 0 and high / low >= 1000
