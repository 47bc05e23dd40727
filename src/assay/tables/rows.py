"""Row identity, and a target in which "no label" is always null."""

from __future__ import annotations

import polars as pl
import polars.selectors as cs

from assay.errors import InputError

ROW_ID = "row_id"
WORDS = (pl.String, pl.Categorical, pl.Enum)
"""Types of columns that hold words."""


def with_row_ids(table: pl.DataFrame) -> pl.DataFrame:
    """Return ``table`` with a string column ``row_id`` in front.

    A column of that name is kept; where there is none, the row's position is its id.

    Raises
    ------
    InputError
        When the table's own ``row_id`` repeats, has gaps, or holds neither text nor whole numbers.
    """
    if ROW_ID not in table.columns:
        return table.with_row_index(ROW_ID).with_columns(pl.col(ROW_ID).cast(pl.String))
    if not (table[ROW_ID].dtype == pl.String or table[ROW_ID].dtype.is_integer()):
        raise InputError(
            "The column row_id cannot name the rows.",
            given=table[ROW_ID].dtype,
            allowed="text or whole numbers, each once",
            next_step="rename it so that rows are numbered",
        )
    ids = table[ROW_ID].cast(pl.String)
    if ids.null_count() or ids.n_unique() < table.height:
        repeated = ids.filter(ids.is_duplicated()).head(1).to_list()
        raise InputError(
            "The column row_id does not tell the rows apart.",
            given=f"{repeated[0]!r} more than once" if repeated else "an empty id",
            next_step="make it unique, or rename it so that rows are numbered",
        )
    return table.select(ids.alias(ROW_ID), cs.exclude(ROW_ID))


def with_plain_columns(table: pl.DataFrame) -> pl.DataFrame:
    """Return ``table`` with categories as the strings they stand for."""
    return table.with_columns(cs.by_dtype(pl.Categorical, pl.Enum).cast(pl.String))


def with_clean_target(table: pl.DataFrame, target: str) -> pl.DataFrame:
    """Return ``table`` with a target that is null where it is blank or not a number.

    Raises
    ------
    InputError
        When it holds lists, records or bytes, or an infinite number.
    """
    column = table[target]
    if column.dtype.is_nested() or column.dtype == pl.Binary:
        raise InputError(
            f"The target {target!r} holds neither classes nor numbers.",
            given=column.dtype,
            allowed="text, numbers, booleans",
            next_step="name another --target",
        )
    if column.dtype.is_decimal():
        column = column.cast(pl.Float64)
    if column.dtype == pl.String:
        column = column.str.strip_chars()
        column = column.set(column == "", None)
    elif column.dtype.is_float():
        column = column.fill_nan(None)
        infinite = column.is_infinite().arg_true()
        if infinite.len():
            raise InputError(
                f"The target {target!r} is infinite in {infinite.len():,} rows.",
                given=f"row {infinite[0] + 1}",
                next_step="correct or empty them; an empty target means no label",
            )
    elif column.dtype == pl.Null:
        column = column.cast(pl.String)
    return table.with_columns(column.alias(target))


def with_times(table: pl.DataFrame, time: str | None) -> pl.DataFrame:
    """Return ``table`` with a time column that can be ordered: dates, times or numbers.

    Raises
    ------
    InputError
        When it holds words that are no dates of the form 2024-05-31 or 2024-05-31T12:30.
    """
    if time is None or table[time].dtype.is_temporal() or table[time].dtype.is_numeric():
        return table
    told = table[time]
    read = _as_times(told)
    if read.null_count() > told.null_count():
        raise InputError(
            f"The time column {time!r} cannot be ordered.",
            given=told.filter(read.is_null() & told.is_not_null())[0],
            allowed="dates (2024-05-31), times, or numbers",
            next_step="convert it, or name another --time",
        )
    return table.with_columns(read)


def _as_times(told: pl.Series) -> pl.Series:
    nothing = pl.Series(told.name, [None] * told.len(), dtype=pl.Datetime)
    if told.dtype != pl.String:
        return nothing
    try:
        return told.str.to_datetime(strict=False)
    except pl.exceptions.ComputeError:  # no value looks like a time
        return nothing


def set_apart(table: pl.DataFrame) -> pl.DataFrame:
    """Return a few rows of a table in memory of their own.

    What Polars gathers from a table keeps all the text of that table alive.
    """
    return pl.DataFrame(table.to_dict(as_series=False), schema=table.schema)
