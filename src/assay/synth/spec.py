"""What synthetic rows are asked for, who makes them, and who sifts them."""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Protocol

import polars as pl

from assay.errors import InputError
from assay.project.prepare import PURPOSE
from assay.recipe import MADE_FROM
from assay.recipe.rows import SHOWN
from assay.synth.constraints.spec import Constraint
from assay.tables.predicate import Predicate
from assay.task import Task

EVERY_ROW = Predicate(())
WHY = "why"
MADE_BY = "made_by"
SYNTHETIC_ID = "synthetic_id"
PROMPT = "prompt_hash"
PLANNED = "planned_cell"
RUN = "assay_run"
SEED = "assay_seed"
PROVENANCE = (MADE_FROM, SHOWN, MADE_BY, SYNTHETIC_ID, PROMPT, PLANNED, RUN, SEED, PURPOSE)
"""Columns that made rows have beside the task's."""


@dataclass(frozen=True)
class Order:
    """What is to be made.

    Attributes
    ----------
    rows
        Search rows: ``row_id``, inputs, target; of the class those in the slice alone.
    class_name
        The class of which rows are wanted; None for a whole table or a regression.
    count
        How many rows.
    where
        The slice that they are to lie in; of no condition, anywhere.
    constraints
        What must hold in every row; None where it is mined from ``rows``.
    """

    task: Task
    rows: pl.DataFrame
    class_name: str | None
    count: int
    seed: int
    where: Predicate = EVERY_ROW
    constraints: Sequence[Constraint] | None = None

    def __post_init__(self) -> None:
        require_free_names(self.task, PROVENANCE)

    @property
    def own(self) -> pl.DataFrame:
        """The rows of the class; all where none is named."""
        return own_rows(self.rows, self.task, self.class_name)


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


def require_free_names(task: Task, added: Sequence[str]) -> None:
    """Refuse a task one of whose columns is called like a column that is ``added`` to made rows.

    Raises
    ------
    InputError
        And which column.
    """
    taken = [name for name in (*task.inputs, task.target) if name in added]
    if taken:
        raise InputError(
            "A column is called as one that tells where made rows come from.",
            given=taken[0],
            allowed=f"any name but {', '.join(added)}",
            next_step="rename it in the table, and begin a project anew",
        )


def own_rows(rows: pl.DataFrame, task: Task, class_name: str | None) -> pl.DataFrame:
    """Return the rows of a class; all rows where none is named."""
    return rows if class_name is None else rows.filter(pl.col(task.target) == class_name)


def rows_read(made: pl.DataFrame, order: Order) -> pl.DataFrame:
    """Return the real rows that the made ones can give away.

    Those that their writer was shown, of whichever class; of a method without a model the class's.
    """
    if SHOWN not in made.columns:
        return order.own
    return order.rows.filter(pl.col("row_id").is_in(made[SHOWN].explode().unique().to_list()))


def subject(class_name: str | None, where: Predicate = EVERY_ROW) -> str:
    """Return of what rows are made, in words."""
    of = "rows" if class_name is None else f"rows of {class_name!r}"
    return f"{of} where {where.words}" if where.conditions else of


def synthetic_ids(method: str, seed: int, count: int) -> pl.Series:
    """Return the ids of ``count`` rows, the same for the same method and seed."""
    stem = hashlib.sha256(f"{method}:{seed}".encode()).hexdigest()[:8]
    ids = [f"{method}-{stem}-{number}" for number in range(count)]
    return pl.Series(SYNTHETIC_ID, ids, dtype=pl.String)


def sifted(made: pl.DataFrame, reasons: Sequence[str | None], name: str) -> Sifted:
    """Split ``made`` by the reason to drop each row; None keeps it."""
    why = pl.Series(WHY, reasons, dtype=pl.String)
    keep = why.is_null()
    return Sifted(made.filter(keep), made.with_columns(why).filter(~keep), name)
