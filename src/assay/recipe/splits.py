"""Which rows judge which: repeated cross-validation that respects groups, classes and time."""

from __future__ import annotations

import warnings
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import numpy as np
import polars as pl

from assay.errors import InputError
from assay.seeds import derive_seed
from assay.task import Task

FOLDS = 5
REPEATS = 3


@dataclass(frozen=True)
class Split:
    """One fold: train on ``train``, judge on ``test``; row positions."""

    repeat: int
    fold: int
    train: np.ndarray
    test: np.ndarray


def splits(
    rows: pl.DataFrame, task: Task, *, seed: int, folds: int = FOLDS, repeats: int = REPEATS
) -> list[Split]:
    """Return ``repeats`` x ``folds`` splits of ``rows``, stratified for a classification.

    Rows of one group stay together. With a time column, each block of rows is judged by a model
    of the rows before it, once; the first block judges nothing, and further repeats would be
    the same, so there is one.

    Raises
    ------
    InputError
        When there are fewer rows or groups than folds.
    """
    _check(rows, task, folds)
    found = []
    for repeat in range(1 if task.time else repeats):
        splitter = _splitter(task, folds, derive_seed(seed, "split", repeat))
        found += [
            Split(repeat, fold, train, test)
            for fold, (train, test) in enumerate(_indices(splitter, rows, task))
        ]
    return found


def _splitter(task: Task, folds: int, seed: int) -> Any:
    from sklearn.model_selection import (
        GroupKFold,
        KFold,
        StratifiedGroupKFold,
        StratifiedKFold,
        TimeSeriesSplit,
    )

    if task.time:
        return TimeSeriesSplit(n_splits=folds)
    if task.kind == "regression":
        kind = GroupKFold if task.group else KFold
    else:
        kind = StratifiedGroupKFold if task.group else StratifiedKFold
    return kind(n_splits=folds, shuffle=True, random_state=seed)


def _indices(
    splitter: Any, rows: pl.DataFrame, task: Task
) -> Iterator[tuple[np.ndarray, np.ndarray]]:
    target = None if task.kind == "regression" else rows[task.target].to_numpy()
    group = rows[task.group].cast(pl.String).to_numpy() if task.group else None
    order = rows[task.time].arg_sort(nulls_last=False).to_numpy() if task.time else None
    with warnings.catch_warnings():
        # A class with fewer rows than folds is absent from some folds; the guards see it.
        warnings.filterwarnings("ignore", message=".*least populated class")
        for train, test in splitter.split(np.empty((rows.height, 0)), target, group):
            if order is None:
                yield train, test
            else:
                train, test = order[train], order[test]
                yield _without_groups_of(test, train, group), test


def _without_groups_of(test: np.ndarray, train: np.ndarray, group: np.ndarray | None) -> np.ndarray:
    return train if group is None else train[~np.isin(group[train], group[test])]


def _check(rows: pl.DataFrame, task: Task, folds: int) -> None:
    unit = "groups" if task.group else "rows"
    count = rows[task.group].n_unique() if task.group else rows.height
    if count < max(folds, 2):
        raise InputError(
            f"Cross-validation with {folds} folds needs at least {max(folds, 2)} {unit}.",
            given=f"{count} {unit}",
            next_step="label more rows",
        )
