"""What the rules and a model may know of the columns: never the target."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

import polars as pl
import polars.selectors as cs

from assay.task import Task

LONG_TEXT = 20
"""Mean characters from which a column holds texts rather than categories."""


@dataclass(frozen=True)
class Columns:
    """The task's feature columns by what they hold, in table order."""

    numbers: tuple[str, ...]
    categories: tuple[str, ...]
    texts: tuple[str, ...]
    dates: tuple[str, ...]
    gappy: tuple[str, ...]
    """Those with absent values."""

    @classmethod
    def of(cls, rows: pl.DataFrame, task: Task) -> Columns:
        """Return the columns of ``rows`` that a model of ``task`` may read."""
        inputs = rows.select(task.inputs).fill_nan(None)
        words = inputs.select(cs.string() | cs.categorical() | cs.enum()).columns
        texts = [name for name in words if _is_text(inputs[name])]
        return cls(
            numbers=_varied(inputs.select(cs.numeric())),
            categories=tuple(name for name in words if name not in texts),
            texts=tuple(texts),
            dates=tuple(inputs.select(cs.date() | cs.datetime()).columns),
            gappy=tuple(name for name in inputs.columns if inputs[name].null_count()),
        )


def most_distinct(rows: pl.DataFrame, names: Iterable[str], most: int) -> tuple[str, ...]:
    """Return the columns with the most distinct values, in table order."""
    ranked = sorted(names, key=lambda name: -rows[name].n_unique())[:most]
    return tuple(name for name in rows.columns if name in ranked)


def _is_text(column: pl.Series) -> bool:
    length = column.cast(pl.String).str.len_chars().mean()
    return isinstance(length, float) and length >= LONG_TEXT


def _varied(rows: pl.DataFrame) -> tuple[str, ...]:
    return tuple(column.name for column in rows.get_columns() if column.n_unique() > 2)
