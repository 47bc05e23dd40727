"""Columns as cells of a histogram, cut by what is public or by a look that is paid for."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import polars as pl
from numpy.typing import NDArray

from assay.errors import InputError
from assay.synth.private.noise import Noise

BINS = 16
OTHER = "other"


@dataclass(frozen=True)
class Cells:
    """One column cut into cells; the last one is of empty cells and what fits no other.

    Attributes
    ----------
    levels
        Values of a column of words; empty for numbers.
    edges
        (bins + 1,) of a column of numbers; empty for words.
    """

    name: str
    dtype: pl.DataType
    levels: tuple[str, ...] = ()
    edges: tuple[float, ...] = ()

    @property
    def count(self) -> int:
        """How many cells."""
        return (len(self.levels) or len(self.edges) - 1) + 1

    def codes(self, values: pl.Series) -> NDArray[np.intp]:
        """Return (n,) the cell of each value."""
        last = self.count - 1
        if self.levels:
            places = {level: at for at, level in enumerate(self.levels)}
            texts = values.cast(pl.String).to_list()
            return np.array([places.get(each, last) for each in texts], dtype=np.intp)
        numbers = as_numbers(values)
        known = np.isfinite(numbers)
        clipped = np.clip(np.where(known, numbers, self.edges[0]), self.edges[0], self.edges[-1])
        found = np.searchsorted(self.edges[1:-1], clipped, side="right")
        return np.where(known, found, last)

    def values(self, codes: NDArray[np.intp], random: np.random.Generator) -> pl.Series:
        """Return a value for each cell: the level, or a number anywhere in the bin."""
        empty = codes == self.count - 1
        if self.levels:
            told = [
                None if gone else self.levels[at] for at, gone in zip(codes, empty, strict=True)
            ]
            return _typed(pl.Series(self.name, told, dtype=pl.String), self.dtype)
        edges = np.array(self.edges)
        place = np.where(empty, 0, codes)
        numbers = edges[place] + random.random(len(codes)) * np.diff(edges)[place]
        if self.dtype.is_integer() or self.dtype.is_temporal():
            numbers = np.round(numbers)
        held = [None if gone else float(each) for each, gone in zip(numbers, empty, strict=True)]
        series = pl.Series(self.name, held, dtype=pl.Float64)
        if self.dtype.is_temporal():
            return (
                series.cast(pl.Int64)
                .cast(pl.Int32 if self.dtype == pl.Date else pl.Int64)
                .cast(self.dtype)
            )
        return series.cast(self.dtype)


def cut(
    values: pl.Series,
    noise: Noise,
    *,
    epsilon: float,
    delta: float,
    public: Sequence[Any] | None = None,
) -> Cells:
    """Return the column's cells; what is public of it spends nothing.

    Parameters
    ----------
    public
        The least and the greatest number or date, which must be given; or all levels. Levels that
        are not given are those that enough rows hold (with probability ``delta`` also one that a
        single row holds).
    """
    dtype = values.dtype
    if needs_range(dtype):
        ends = _ends(values, public)
        return Cells(values.name, dtype, edges=tuple(np.linspace(*ends, BINS + 1).tolist()))
    if dtype == pl.Boolean:
        public = ("true", "false")
    if public is not None:
        return Cells(values.name, dtype, levels=tuple(str(each) for each in public))
    held = Counter(each for each in values.cast(pl.String).to_list() if each is not None)
    levels = sorted(noise.common(held, epsilon, delta))
    return Cells(values.name, dtype, levels=tuple(levels) or (OTHER,))


def needs_range(dtype: pl.DataType) -> bool:
    """Whether a column of this type is cut between two public ends."""
    return dtype.is_numeric() or dtype.is_temporal()


def _ends(values: pl.Series, public: Sequence[Any] | None) -> tuple[float, float]:
    dtype = values.dtype
    try:
        low, high = public or ()
        if dtype.is_temporal():
            told = pl.Series([str(low), str(high)]).str.to_datetime()
            low, high = as_numbers(told.cast(dtype)).tolist()
        ends = float(low), float(high)
        if not ends[0] < ends[1]:
            raise ValueError
    except (TypeError, ValueError, pl.exceptions.PolarsError) as error:
        raise InputError(
            f"The range of {values.name!r} must be public: the rows may not tell it.",
            given=public,
            allowed="two numbers or dates, the least first",
            next_step="say ranges = { COLUMN = [LEAST, GREATEST] } under settings.synth in "
            "assay.toml",
        ) from error
    return ends


def as_numbers(values: pl.Series) -> NDArray[np.float64]:
    """Return (n,) numbers, NaN where empty; a date as the days since 1970."""
    physical = values.to_physical() if values.dtype.is_temporal() else values
    return physical.cast(pl.Float64).fill_null(float("nan")).to_numpy()


def _typed(told: pl.Series, dtype: pl.DataType) -> pl.Series:
    if dtype == pl.Boolean:
        return told == "true"
    return told.cast(dtype, strict=False)
