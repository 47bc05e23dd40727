"""What synthetic rows are asked for, who makes them, and who sifts them."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Protocol

import polars as pl

from assay.task import Task

WHY = "why"


@dataclass(frozen=True)
class Order:
    """What is to be made.

    Attributes
    ----------
    rows
        Search rows: ``row_id``, inputs, target. A slice may narrow them.
    class_name
        The class of which rows are wanted; None for a whole table or a regression.
    count
        How many rows.
    """

    task: Task
    rows: pl.DataFrame
    class_name: str | None
    count: int
    seed: int


class Generator(Protocol):
    """Makes rows."""

    name: str

    def make(self, order: Order) -> pl.DataFrame:
        """Return at most ``order.count`` rows.

        Columns: inputs, target, ``made_from``, ``made_by``, ``synthetic_id``.
        """
        ...


@dataclass(frozen=True)
class Sifted:
    """What a filter left, and what it dropped; ``dropped`` has a column ``why``."""

    kept: pl.DataFrame
    dropped: pl.DataFrame
    filter: str


class Filter(Protocol):
    """Drops made rows, each with its reason."""

    name: str

    def sift(self, made: pl.DataFrame, order: Order) -> Sifted:
        """Return what is kept and what is dropped."""
        ...


@dataclass(frozen=True)
class Counted:
    """What one filter did, for the report: rows before, after, and how often for which reason."""

    filter: str
    before: int
    after: int
    why: dict[str, int]


def sifted(made: pl.DataFrame, reasons: Sequence[str | None], name: str) -> Sifted:
    """Split ``made`` by the reason to drop each row; None keeps it."""
    why = pl.Series(WHY, reasons, dtype=pl.String)
    keep = why.is_null()
    return Sifted(made.filter(keep), made.with_columns(why).filter(~keep), name)
