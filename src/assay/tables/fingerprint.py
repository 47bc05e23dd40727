"""A short name for a table's content."""

from __future__ import annotations

import hashlib
import io

import polars as pl

PLAIN = (pl.String, pl.Boolean, pl.Date, pl.Datetime)


def fingerprint(table: pl.DataFrame) -> str:
    """Return 16 hexadecimal digits of the content.

    The order of rows matters; the order of columns and how the table lies in memory do not.
    """
    ordered = table.select(_plain(table[name]) for name in sorted(table.columns))
    buffer = io.BytesIO()
    ordered.write_ndjson(buffer)
    schema = ",".join(f"{name}:{table.schema[name]}" for name in ordered.columns)
    return hashlib.sha256(schema.encode() + b"\n" + buffer.getvalue()).hexdigest()[:16]


def _plain(column: pl.Series) -> pl.Series:
    """Return a column that JSON can hold without losing a difference."""
    if column.dtype.is_integer() or column.dtype in PLAIN:
        return column
    if column.dtype.is_float():
        return column.cast(pl.String)  # JSON has no NaN
    words = [None if value is None else repr(value) for value in column.to_list()]
    return pl.Series(column.name, words, dtype=pl.String)
