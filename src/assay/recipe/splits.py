"""Which rows judge which: repeated cross-validation that respects groups, classes and time."""

from __future__ import annotations

import warnings
from collections.abc import Iterator
from dataclasses import dataclass
from itertools import pairwise
from typing import Any

import numpy as np
import polars as pl

from assay.errors import InputError
from assay.seeds import derive_seed
from assay.tables import row_units
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

    Rows of one group stay together, and so do copies: rows that share every input
    (:func:`assay.tables.row_units`). With a time column, each block of rows is judged by a model
    of the rows before it, once; the first block judges nothing. The seed draws the borders between
    the blocks that judge, and there is one repeat.

    Raises
    ------
    InputError
        When there are fewer different rows, groups, or rows of the largest class than folds.
    """
    units = row_units(rows, task)
    _check(rows, units, task, folds)
    found = []
    for repeat in range(1 if task.time else repeats):
        drawn = derive_seed(seed, "split", repeat)
        if task.time:
            parts = _by_time(rows[task.time], units, folds, drawn)
        else:
            parts = _indices(_splitter(task, folds, drawn), rows, units, task)
        found += [Split(repeat, fold, train, test) for fold, (train, test) in enumerate(parts)]
    return found


def _splitter(task: Task, folds: int, seed: int) -> Any:
    from sklearn.model_selection import (
        GroupKFold,
        KFold,
        StratifiedGroupKFold,
        StratifiedKFold,
    )

    if task.kind == "regression":
        kind = GroupKFold if task.group else KFold
    else:
        kind = StratifiedGroupKFold if task.group else StratifiedKFold
    return kind(n_splits=folds, shuffle=True, random_state=seed)


def _indices(
    splitter: Any, rows: pl.DataFrame, units: np.ndarray, task: Task
) -> Iterator[tuple[np.ndarray, np.ndarray]]:
    target = None if task.kind == "regression" else rows[task.target].to_numpy()
    with warnings.catch_warnings():
        # A class with fewer rows than folds is absent from some folds; the guards see it.
        warnings.filterwarnings("ignore", message=".*least populated class")
        if task.group:
            yield from splitter.split(units, target, units)
        else:
            yield from _copies_together(splitter, target, units)


def _by_time(
    times: pl.Series, units: np.ndarray, folds: int, seed: int
) -> Iterator[tuple[np.ndarray, np.ndarray]]:
    order = times.arg_sort(nulls_last=False).to_numpy()
    borders = _borders(len(order), folds, seed)
    for begin, end in pairwise(borders):
        train, test = order[:begin], order[begin:end]
        yield train[~np.isin(units[train], units[test])], test


def _borders(rows: int, folds: int, seed: int) -> np.ndarray:
    """Return where each block that judges begins, then the end.

    Blocks of equal size are drawn longer or shorter by moving what lies between them by up to a
    third of one. The same rows are judged whatever the seed.
    """
    size = rows // (folds + 1)
    borders = rows - size * np.arange(folds, -1, -1)
    reach = size // 3
    borders[1:-1] += np.random.default_rng(seed).integers(-reach, reach + 1, folds - 1)
    return borders


def _copies_together(
    splitter: Any, target: np.ndarray | None, units: np.ndarray
) -> Iterator[tuple[np.ndarray, np.ndarray]]:
    """Split the first row of each unit; the others follow it."""
    first = np.sort(np.unique(units, return_index=True)[1])
    for _, test in splitter.split(first, None if target is None else target[first]):
        judged = np.isin(units, units[first[test]])
        yield np.flatnonzero(~judged), np.flatnonzero(judged)


def _check(rows: pl.DataFrame, units: np.ndarray, task: Task, folds: int) -> None:
    kind, count = "groups" if task.group else "different rows", len(np.unique(units))
    if count >= folds and not task.group and not task.time and task.kind != "regression":
        first = rows[np.unique(units, return_index=True)[1]]
        kind, count = (
            "rows of one class",
            int(np.unique(first[task.target], return_counts=True)[1].max()),
        )
    if count < max(folds, 2):
        raise InputError(
            f"Cross-validation with {folds} folds needs at least {max(folds, 2)} {kind}.",
            given=f"{count} {kind}",
            next_step="label more rows",
        )
