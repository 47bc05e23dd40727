"""New training rows, made inside each fold from the rows at hand."""

from __future__ import annotations

import importlib
from collections.abc import Callable
from typing import Any

import polars as pl

from assay.errors import InputError
from assay.recipe.spec import Made
from assay.tables.predicate import Predicate
from assay.task import Task

FEWEST = 2
"""Of fewer rows nothing is made."""


def made_from(made: Made, rows: pl.DataFrame, task: Task, seed: int) -> pl.DataFrame:
    """Return the rows that ``made`` makes from ``rows``; none where the class is too small.

    Raises
    ------
    InputError
        When the path is no function, it refuses a parameter, or what it made lacks a column.
    """
    function = _function(made.path)
    rows = narrowed(rows, task, made.class_name or None, made.predicate)
    own = rows.filter(pl.col(task.target) == made.class_name) if made.class_name else rows
    count = round(made.dose * own.height)
    if own.height < FEWEST or count == 0:
        return rows.head(0)
    try:
        new = function(
            rows,
            task,
            class_name=made.class_name or None,
            count=count,
            seed=seed,
            **made.parameters,
        )
    except TypeError as error:
        raise InputError(
            f"{made.path} refuses its parameters: {error}.",
            given=made.parameters,
            next_step="mend [[rows.made]] in recipe.toml",
        ) from error
    missing = [name for name in (*task.inputs, task.target) if name not in new.columns]
    if missing:
        raise InputError(f"{made.path} made rows without the column {missing[0]!r}.")
    return new.filter(made.predicate.select(new))


def narrowed(
    rows: pl.DataFrame, task: Task, class_name: str | None, where: Predicate
) -> pl.DataFrame:
    """Return the rows without those of the class that ``where`` does not select.

    Rows of other classes stay: they show what a row of the class is not. Without a class, all that
    is not selected goes.
    """
    inside = pl.Series(where.select(rows))
    return rows.filter(inside if class_name is None else inside | (rows[task.target] != class_name))


def _function(path: str) -> Callable[..., pl.DataFrame]:
    module_name, _, name = path.rpartition(".")
    found: Any = None
    try:
        found = getattr(importlib.import_module(module_name), name)
    except (ImportError, AttributeError, ValueError) as error:
        raise _unusable(path) from error
    if not callable(found):
        raise _unusable(path)
    return found  # type: ignore[no-any-return]


def _unusable(path: str) -> InputError:
    return InputError(
        "What makes rows cannot be imported.",
        given=path,
        allowed="the import path of a function",
        next_step="mend rows.made.path in recipe.toml, or install its package",
    )
