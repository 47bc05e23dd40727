"""Which class lacks rows, and whether there are enough to make others from."""

from __future__ import annotations

from collections.abc import Sequence
from math import floor

import polars as pl

from assay.errors import InputError
from assay.synth.spec import EVERY_ROW, own_rows, subject
from assay.tables.counts import value_counts
from assay.tables.predicate import Condition, Predicate
from assay.tables.predicate_text import predicate_from_words
from assay.tables.traits import trait
from assay.task import Task

FEWEST = 5
"""Rows of a class: one for each part of a cross-validation."""

MOST_DOSE = 100.0
MANY = 20_000
"""More rows than this are asked for twice."""

MOST_LEVELS = 20
"""Of a column; more are not listed where a condition names another."""

SHARE = 0.5
"""A class is rare that has less than this of an even share of the rows."""


def rarest(rows: pl.DataFrame, task: Task) -> str | None:
    """Return the class with the fewest rows, of those that have enough; None for a regression."""
    sizes = {name: size for name, size in class_sizes(rows, task).items() if size >= FEWEST}
    return min(sizes, key=sizes.__getitem__, default=None)


def scope(
    rows: pl.DataFrame, task: Task, for_class: str | None, where: str | None
) -> tuple[str | None, Predicate]:
    """Return of which class and in which slice rows are made.

    A named slice without a class is made as a whole, as is a regression; else it is the rarest
    class.

    Raises
    ------
    InputError
        When the class is not known, or the condition cannot be read, names no input, or has a part
        that holds in no row.
    """
    _require_known(for_class, task)
    if where is None:
        return for_class if for_class is not None else rarest(rows, task), EVERY_ROW
    found = predicate_from_words(where)
    for each in found.conditions:
        _require_met(each, rows, task)
    return for_class, found


def _require_known(class_name: str | None, task: Task) -> None:
    if class_name is None or class_name in task.class_names:
        return
    if task.kind == "regression":
        raise InputError(
            "A regression has no classes.", given=class_name, next_step="leave for_class out"
        )
    raise InputError(
        "for_class is none of the classes.",
        given=class_name or "nothing",
        allowed=", ".join(task.class_names[:20]),
    )


def _require_met(condition: Condition, rows: pl.DataFrame, task: Task) -> None:
    name = condition.column
    if name not in task.inputs:
        of_class = task.class_names and name == task.target
        raise InputError(
            "where names a column that is none of the inputs.",
            given=name,
            allowed=", ".join(task.inputs),
            next_step="name the class by for_class" if of_class else None,
        )
    of_number = condition.trait is None and condition.operator in ("<=", ">")
    if of_number and rows.schema[name].is_temporal():
        raise InputError(
            f"A condition with {condition.operator} compares numbers.",
            given=f"{name}, which holds dates or times",
            next_step="name another column",
        )
    if not condition.select(rows).any():
        raise InputError(
            "A condition of where holds in no search row.",
            given=condition.words,
            allowed=_held(condition, rows),
            next_step="loosen it",
        )


def _held(condition: Condition, rows: pl.DataFrame) -> str | None:
    """Return what the column holds that the condition asks about."""
    column, asked = rows[condition.column], condition.trait
    values = column if asked is None else trait(rows, condition.column, asked)
    if condition.operator in ("<=", ">"):
        numbers = values.cast(pl.Float64).drop_nulls().drop_nans()
        low, high = numbers.min(), numbers.max()
        return None if low is None else f"{low:g} to {high:g}"  # type: ignore[str-bytes-safe]
    levels = sorted(set(values.drop_nulls().cast(pl.String)))
    return ", ".join(levels) if len(levels) <= MOST_LEVELS else None


def rare_classes(rows: pl.DataFrame, task: Task) -> list[str]:
    """Return the classes with less than half an even share of rows, the rarest first."""
    sizes = class_sizes(rows, task)
    if len(sizes) < 2:
        return []
    bar = SHARE * rows.height / len(sizes)
    rare = [name for name, size in sizes.items() if FEWEST <= size < bar]
    return sorted(rare, key=sizes.__getitem__)


def class_sizes(rows: pl.DataFrame, task: Task) -> dict[str, int]:
    """Return how many rows each class has; empty for a regression."""
    counts = dict(value_counts(rows[task.target]).rows()) if task.class_names else {}
    return {name: counts.get(name, 0) for name in task.class_names}


def up_to_balance(
    doses: Sequence[float], rows: pl.DataFrame, task: Task, class_name: str | None
) -> tuple[float, ...]:
    """Return the doses, and the one that brings the class to the size of the largest.

    That one is left out where it is no larger than the others. So is each that makes more than
    20,000 rows; where all do, as many are made.
    """
    own = own_rows(rows, task, class_name).height
    if not own:
        return tuple(doses)
    most = floor(1e4 * MANY / own) / 1e4
    few = tuple(each for each in doses if each <= most) or (most,)
    if class_name is None:
        return few
    full = round(min(max(class_sizes(rows, task).values()) / own - 1, MOST_DOSE), 1)
    return (*few, full) if max(few) < full <= most else few


def require_enough(
    rows: pl.DataFrame, task: Task, class_name: str | None, where: Predicate = EVERY_ROW
) -> pl.DataFrame:
    """Return the rows that others are made from.

    Parameters
    ----------
    rows
        Search rows, narrowed to the slice.
    where
        The slice, to be named in an error.

    Raises
    ------
    InputError
        When the class is not known, has fewer than five rows, or they are all the same.
    """
    _require_known(class_name, task)
    own = own_rows(rows, task, class_name)
    if own.height < FEWEST:
        raise InputError(
            "There are too few real rows to make others from, and to judge them by.",
            given=f"{own.height} search {subject(class_name, where)}",
            allowed=f"at least {FEWEST}",
            next_step=f"{'loosen the condition, or ' if where.conditions else ''}"
            "label more of them and run assay init again",
        )
    if own.select(task.inputs).unique().height == 1:
        raise InputError(
            "The real rows are all the same, so nothing can be learned of how they vary.",
            given=f"{own.height} search {subject(class_name, where)}",
            next_step="label rows that differ",
        )
    return own
