"""The door: any kind of table becomes a Polars one."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from importlib.util import find_spec
from pathlib import Path
from typing import Any

import polars as pl

from assay.errors import InputError, MissingExtraError
from assay.tables.read import from_records, read_table

KINDS = (
    "a Polars or pandas DataFrame, an Arrow table, a Hugging Face Dataset, a path, "
    "a dict of columns, or a list of dicts"
)


def to_polars(table: Any) -> pl.DataFrame:
    """Return ``table`` as a Polars DataFrame; an index of pandas is left behind.

    Raises
    ------
    InputError
        When it is none of the kinds that are understood, or its columns do not fit together.
    """
    try:
        found = _converted(table)
    except (pl.exceptions.PolarsError, TypeError, ValueError) as error:
        raise InputError(f"The table cannot be used: {error}.", allowed=KINDS) from error
    if found is None:
        raise InputError("This is no table.", given=type(table).__name__, allowed=KINDS)
    opaque = [name for name, kind in found.schema.items() if kind == pl.Object]
    if opaque:
        raise InputError(
            f"The column {opaque[0]!r} holds Python objects.",
            given=type(found[opaque[0]][0]).__name__,
            allowed="numbers, text, booleans, dates, times",
            next_step="convert or drop the column",
        )
    return found


def _converted(table: Any) -> pl.DataFrame | None:
    if isinstance(table, pl.DataFrame):
        return table
    if isinstance(table, pl.LazyFrame):
        collected: pl.DataFrame = table.collect()
        return collected
    if isinstance(table, str | Path):
        return read_table(table)
    if isinstance(table, Mapping):
        return pl.DataFrame(dict(table), strict=True)
    if hasattr(table, "to_polars"):  # Hugging Face Dataset
        converted = table.to_polars()
        return converted if isinstance(converted, pl.DataFrame) else None
    if type(table).__module__.partition(".")[0] == "pandas":
        return _from_pandas(table)
    if hasattr(table, "__arrow_c_stream__"):  # Arrow, and whatever speaks its interface
        return pl.DataFrame(table)
    if isinstance(table, Sequence) and all(isinstance(row, Mapping) for row in table):
        return from_records([dict(row) for row in table])
    return None


def _from_pandas(table: Any) -> pl.DataFrame:
    if find_spec("pyarrow") is None:
        raise MissingExtraError("pyarrow, which reads pandas tables,", "tabular")
    try:
        converted = pl.from_pandas(table)
    except (TypeError, ValueError):
        _require_plain_columns(table)
        raise
    if not isinstance(converted, pl.DataFrame):
        raise TypeError("a pandas Series is one column, not a table")
    return converted


def _require_plain_columns(table: Any) -> None:
    """Raise an InputError that names the first pandas column whose values are of several types."""
    for number, name in enumerate(getattr(table, "columns", ())):
        try:
            pl.from_pandas(table.iloc[:, [number]])
        except (TypeError, ValueError) as error:
            kinds = {type(each).__name__ for each in table.iloc[:, number].dropna()}
            raise InputError(
                f"The column {str(name)!r} cannot be read: {str(error).splitlines()[0]}.",
                given=", ".join(sorted(kinds)),
                allowed="values of one type: numbers, text, booleans, dates or times",
                next_step="convert or drop the column",
            ) from error
