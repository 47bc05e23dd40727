"""What the rules and a model may know of the columns: never the target."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

import polars as pl
import polars.selectors as cs

from assay.tables import CATEGORIES, column_kind
from assay.task import Task


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
        kinds = {name: column_kind(inputs[name]) for name in words}
        return cls(
            numbers=_varied(inputs.select(cs.numeric())),
            categories=tuple(name for name in words if kinds[name] in CATEGORIES),
            texts=tuple(name for name in words if kinds[name] == "text"),
            dates=tuple(inputs.select(cs.date() | cs.datetime()).columns),
            gappy=tuple(name for name in inputs.columns if inputs[name].null_count()),
        )


def most_distinct(rows: pl.DataFrame, names: Iterable[str], most: int) -> tuple[str, ...]:
    """Return the columns with the most distinct values, in table order."""
    ranked = sorted(names, key=lambda name: -rows[name].n_unique())[:most]
    return tuple(name for name in rows.columns if name in ranked)


def _varied(rows: pl.DataFrame) -> tuple[str, ...]:
    return tuple(column.name for column in rows.get_columns() if column.n_unique() > 2)
