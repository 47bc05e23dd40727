"""Rows as numbers, and numbers as rows again, each column in its own type."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal

import numpy as np
import polars as pl
from numpy.typing import NDArray

from assay.errors import InputError
from assay.tables.counts import value_counts

Matrix = NDArray[np.float64]
ColumnKind = Literal["number", "whole", "category"]

MOST_DECIMALS = 6
"""A column with more decimals than these is taken as continuous and never rounded."""


@dataclass(frozen=True)
class EncodedColumn:
    """How one column is turned into numbers.

    Attributes
    ----------
    kind
        ``number``; ``whole``: integers, dates and times; ``category``: words and truth values,
        as codes from the most frequent on.
    values
        The categories in code order; empty for numbers.
    low, high
        The smallest and largest number seen; NaN where there is none.
    decimals
        To which a number is rounded; None for not at all.
    """

    name: str
    kind: ColumnKind
    dtype: pl.DataType
    values: tuple[object, ...] = ()
    low: float = float("nan")
    high: float = float("nan")
    decimals: int | None = None

    @classmethod
    def of(cls, column: pl.Series) -> EncodedColumn:
        """Look at a column.

        Raises
        ------
        InputError
            When it holds lists, structures or bytes.
        """
        dtype = column.dtype
        if isinstance(dtype, pl.Enum | pl.Categorical) or dtype in (pl.String, pl.Boolean):
            counts = value_counts(column.drop_nulls())
            ordered = counts.sort("count", "value", descending=[True, False])
            return cls(column.name, "category", dtype, tuple(ordered["value"].to_list()))
        if not (dtype.is_numeric() or dtype.is_temporal()):
            raise InputError(
                f"No row can be made of the column {column.name!r}.",
                given=dtype,
                allowed="numbers, words, truth values, dates and times",
            )
        numbers = _numbers(column)
        seen = numbers[np.isfinite(numbers)]
        edges = (float(seen.min()), float(seen.max())) if len(seen) else (np.nan, np.nan)
        if dtype.is_integer() or dtype.is_temporal():
            return cls(column.name, "whole", dtype, (), *edges, decimals=0)
        return cls(column.name, "number", dtype, (), *edges, decimals=_decimals(seen))

    def encode(self, column: pl.Series) -> Matrix:
        """Return (n,) numbers; NaN for an empty cell or a category that was not seen."""
        if self.kind != "category":
            numbers = _numbers(column)
            return np.where(np.isfinite(numbers), numbers, np.nan)
        codes = {value: float(code) for code, value in enumerate(self.values)}
        return np.array([codes.get(each, np.nan) for each in column.to_list()], dtype=np.float64)

    def decode(self, numbers: Matrix) -> pl.Series:
        """Return (n,) numbers as a column of the first type, within what was seen."""
        empty = np.isnan(numbers)
        if self.kind == "category":
            codes = np.where(empty, -1, np.clip(np.round(numbers), 0, len(self.values) - 1))
            cells = [None if code < 0 else self.values[int(code)] for code in codes]
            return pl.Series(self.name, cells, dtype=self.dtype)
        held = np.clip(np.where(empty, self.low, numbers), self.low, self.high)
        if self.decimals is not None:
            held = np.round(held, self.decimals)
        held = np.where(empty, 0.0, held)
        filled = pl.Series(self.name, held)
        if self.kind == "whole":
            filled = filled.cast(pl.Int64)
        typed = filled.cast(self.dtype)
        return pl.select(pl.when(pl.lit(~empty)).then(pl.lit(typed)).alias(self.name)).to_series()


class Encoding:
    """Turns columns into an (n, d) matrix and back.

    Parameters
    ----------
    rows
        What the columns are learned from: their types, categories, edges and decimals.
    names
        The columns, in the matrix's order.
    """

    def __init__(self, rows: pl.DataFrame, names: Sequence[str]) -> None:
        self.columns = tuple(EncodedColumn.of(rows[name]) for name in names)

    @property
    def categorical(self) -> NDArray[np.bool_]:
        """(d,) whether a column holds categories."""
        return np.array([each.kind == "category" for each in self.columns], dtype=np.bool_)

    def encode(self, rows: pl.DataFrame) -> Matrix:
        """Return (n, d) numbers; NaN for an empty cell."""
        parts = [each.encode(rows[each.name]) for each in self.columns]
        return np.column_stack(parts) if parts else np.empty((rows.height, 0))

    def decode(self, matrix: Matrix) -> pl.DataFrame:
        """Return (n, d) numbers as rows."""
        return pl.DataFrame([each.decode(matrix[:, at]) for at, each in enumerate(self.columns)])


def _numbers(column: pl.Series) -> Matrix:
    physical = column.to_physical() if column.dtype.is_temporal() else column
    return physical.cast(pl.Float64).to_numpy()


def _decimals(seen: Matrix) -> int | None:
    for decimals in range(MOST_DECIMALS + 1):
        if np.allclose(seen, np.round(seen, decimals), rtol=0, atol=1e-9):
            return decimals
    return None
