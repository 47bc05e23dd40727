"""Two tables of what models say of the same rows, brought into one order."""

from __future__ import annotations

from typing import Any

import polars as pl

from assay.diagnose.given import PREDICTION, PROBABILITY
from assay.errors import InputError
from assay.tables import ROW_ID, to_polars, with_row_ids


def paired(
    old: Any, new: Any, *, truth: str | None, said: str | None = None
) -> tuple[pl.DataFrame, pl.DataFrame]:
    """Return both tables with the same row at each place.

    Rows are paired by ``row_id`` where both tables have it. Else they must be in one order, which
    what both tell of a row has to bear out.

    Parameters
    ----------
    said
        The column of what is predicted, where it has a name of its own.

    Raises
    ------
    InputError
        When the two hold other rows or other true values.
    """
    first, second = to_polars(old), to_polars(new)
    if first.height != second.height:
        raise InputError(
            "The two files hold other rows.", given=f"{first.height:,} and {second.height:,} rows"
        )
    named = ROW_ID in first.columns and ROW_ID in second.columns
    if named:
        first, second = with_row_ids(first), _by_id(with_row_ids(first), with_row_ids(second))
    shared = [name for name in first.columns if name in second.columns]
    read = [name for name in shared if not (name in (ROW_ID, PREDICTION, said) or _is_share(name))]
    told = [name for name in read if name == truth or not named]
    for name in sorted(told, key=lambda name: name != truth):  # the truth first
        if differing := _differing(first[name], second[name]):
            what = "true values" if name == truth else f"values of {name!r}"
            raise InputError(
                f"The two files hold other {what}, so rows cannot be paired.",
                given=f"{differing:,} rows differ",
                next_step="give both a row_id, or write both in the same order and leave out what "
                "a model wrote beside its predictions",
            )
    return first, second


def _by_id(first: pl.DataFrame, second: pl.DataFrame) -> pl.DataFrame:
    """Return the second table in the order of the first."""
    known = second[ROW_ID].is_in(first[ROW_ID].implode())
    if not known.all():
        raise InputError(
            "The two files hold other rows.", given=f"{(~known).sum():,} row_ids of one alone"
        )
    return first.select(ROW_ID).join(second, on=ROW_ID, how="left", maintain_order="left")


def _is_share(name: str) -> bool:
    return name.startswith(PROBABILITY)


def _differing(one: pl.Series, other: pl.Series) -> int:
    numbers = one.dtype.is_numeric() and other.dtype.is_numeric()
    kind = pl.Float64 if numbers else pl.String
    return int(one.cast(kind).ne_missing(other.cast(kind)).sum())
