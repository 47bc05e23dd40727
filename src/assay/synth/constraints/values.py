"""Stated values as a column holds them."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date, datetime
from typing import Any, Literal

import polars as pl

from assay.errors import InputError
from assay.tables import WORDS

Value = bool | int | float | str
Held = Literal["numbers", "dates", "truth values", "words", "other values"]


def held(dtype: pl.DataType) -> Held:
    """Return what a column of this type holds."""
    if dtype.is_numeric():
        return "numbers"
    if dtype in (pl.Date, pl.Datetime):
        return "dates"
    if dtype == pl.Boolean:
        return "truth values"
    return "words" if dtype in WORDS else "other values"


def compared(
    column: str, values: Sequence[Value], schema: pl.Schema
) -> tuple[pl.Expr, list[Any], pl.DataType]:
    """Return a column's cells, the stated values as they hold them, and the type of both.

    Raises
    ------
    InputError
        When the column cannot hold one of the values.
    """
    dtype = schema[column]
    if held(dtype) == "words":
        return pl.col(column).cast(pl.String), [text_of(each) for each in values], pl.String()
    return pl.col(column), [_as_held(each, column, dtype) for each in values], dtype


def text_of(value: object) -> str:
    """Return a value as a word; a whole number has one, whatever its type."""
    if isinstance(value, bool):
        return str(value).lower()
    return str(int(value)) if isinstance(value, float) and value.is_integer() else str(value)


def _as_held(value: Value, column: str, dtype: pl.DataType) -> Any:
    is_number = isinstance(value, int | float) and not isinstance(value, bool)
    match held(dtype):
        case "numbers" if is_number and not dtype.is_integer():
            return float(value)
        case "numbers" if is_number and float(value).is_integer():
            return int(value)
        case "truth values" if isinstance(value, bool):
            return value
        case "dates" if isinstance(value, str) and (read := _date(value, dtype)):
            return read
    raise InputError(
        f"{column} cannot hold a value that a constraint states.",
        given=repr(value),
        allowed="whole numbers" if dtype.is_integer() else held(dtype),
        next_step="mend it in constraints.toml",
    )


def _date(text: str, dtype: pl.DataType) -> date | None:
    try:
        return date.fromisoformat(text) if dtype == pl.Date else datetime.fromisoformat(text)
    except ValueError:
        return None
