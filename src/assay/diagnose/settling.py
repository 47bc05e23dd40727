"""The task of rows that are diagnosed: found by the rows, settled by what was said of them."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

import numpy as np
import polars as pl

from assay.diagnose.answers import as_names, spelt
from assay.diagnose.said import Said
from assay.errors import InputError
from assay.tables import infer_task
from assay.task import ClassDescription, Kind, Task


def task_of_rows(
    inputs: pl.DataFrame, truth: str, kind: Kind | None, *, annotator: str | None, **known: Any
) -> Task:
    """Return the task as the rows alone show it; ``known`` as in :func:`assay.tables.infer_task`.

    One class alone is no task, but may be diagnosed by what was said of its rows. Who labelled a
    row is no input.
    """
    labels = inputs[truth]
    if labels.n_unique() == 1:
        two = pl.Series(truth, [0, 1])
        two = two if labels.dtype.is_numeric() else two.cast(pl.String)
        inputs = inputs.with_columns(two.gather(np.arange(labels.len()) % 2))
    task = infer_task(inputs, truth, kind=kind, **known).task
    features = tuple(name for name in task.features if name != annotator)
    return task.model_copy(update={"features": features})


def settled(task: Task, truth: pl.Series, said: Said, kind: Kind | None) -> Task:
    """Return the task with the kind and the classes that truth and what was said show together.

    A class may be absent from these rows, and yet be one that the model gives.

    Parameters
    ----------
    kind
        Where the user named it.

    Raises
    ------
    InputError
        When what was said names other classes, or there is but one class.
    """
    found = kind or _kind(task, truth, said)
    if found == "regression":
        return task.model_copy(update={"kind": "regression", "classes": (), "metric": "mae"})
    names = _classes(truth, said)
    if len(names) == 1:
        raise InputError(
            f"The true values {truth.name!r} are all the same, and so is what is predicted.",
            given=names[0],
            next_step="give rows of two classes",
        )
    if kind == "binary" and len(names) > 2:
        raise InputError(
            "A binary task has two classes.",
            given=", ".join(names[:5]),
            next_step="leave the kind out, or correct the labels",
        )
    classes = tuple(ClassDescription(name=each) for each in names)
    found = kind or ("binary" if len(names) == 2 else "multiclass")
    return task.model_copy(update={"kind": found, "classes": classes, "metric": "accuracy"})


def _kind(task: Task, truth: pl.Series, said: Said) -> Kind:
    """Return what true values and answers show together: numbers alone may be either."""
    if said.names or said.shares is not None:
        return "multiclass"
    if not truth.dtype.is_numeric() or not _are_fractions(said.values, truth):
        return task.kind
    if truth.n_unique() == 2:
        raise InputError(
            "The predictions of two classes are fractions.",
            given=", ".join(map(str, said.given[:3])),
            allowed=", ".join(as_names(truth.unique().sort())),
            next_step="give probabilities in columns probability:CLASS, or name the kind "
            "regression (--kind) where both are values",
        )
    return "regression"


def _are_fractions(values: pl.Series | None, truth: pl.Series) -> bool:
    """Return whether predictions are numbers between whole ones, and none of the true values."""
    if values is None or not values.dtype.is_float() or (values == values.round()).all():
        return False
    return not values.is_in(truth.cast(pl.Float64).implode()).all()


def _classes(truth: pl.Series, said: Said) -> list[str]:
    """Return the classes of truth and of what was said, sorted."""
    true = as_names(truth.unique()).tolist()
    every = set(true)
    for names in (said.names, said.given):
        known = set(spelt(names, true))
        misspelt = _misspelt(known, set(true))
        if misspelt:
            raise InputError(
                "The model knows classes that the true values do not hold.",
                given=", ".join(sorted(misspelt)[:5]),
                allowed=", ".join(_ordered(true, truth)[:20]),
                next_step="check spelling and letter case",
            )
        every |= known
    return _ordered(every, truth)


def _misspelt(known: set[str], true: set[str]) -> set[str]:
    """Return names that stand for a class in another spelling: all of them where none is one."""
    if not known & true:
        return known
    left = {each.casefold().strip() for each in true - known}
    return {each for each in known - true if each.casefold().strip() in left}


def _ordered(names: Iterable[str], truth: pl.Series) -> list[str]:
    """Return class names sorted: by number where the true values are numbers, words after these."""
    if not truth.dtype.is_numeric():
        return sorted(names)
    column = pl.DataFrame({"name": sorted(names)})
    number = pl.col("name").cast(pl.Float64, strict=False)
    ordered: list[str] = column.sort(number, nulls_last=True, maintain_order=True)["name"].to_list()
    return ordered
