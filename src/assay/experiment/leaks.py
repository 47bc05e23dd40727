"""Columns that give the target away, found before the search on the search rows."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
import polars as pl

from assay.seeds import derive_seed
from assay.task import Task

NEARLY_ALL = 0.99
"""A column that alone explains so much of the target is hardly a cause of it."""

NAMED_ALIKE = 0.9
"""So much is enough where its name holds the target's."""

MOST_ROWS = 5_000
LEAST_ROWS = 50
LEAVES = 32


@dataclass(frozen=True)
class Leak:
    """A column that gives the target away.

    Attributes
    ----------
    explained
        Share of the errors of a constant guess that the column alone avoids, on rows that were
        not learned from; of a regression the share of the variance.
    """

    column: str
    explained: float

    @property
    def why(self) -> str:
        """What it means, in one sentence."""
        return (
            f"column {self.column!r} alone explains {self.explained:.1%} of the target: it was "
            "probably written down after the outcome"
        )


def leaks(
    rows: pl.DataFrame, task: Task, *, seed: int = 0, least: float = NEARLY_ALL
) -> tuple[Leak, ...]:
    """Return the feature columns of a table that alone determine the target, the worst first.

    Each column is given to a small tree, judged on held-out rows. A value that the tree cannot
    have seen, as in an identifier, explains nothing. In a regression, where both the column
    and the target hold many values, their rank correlation judges instead.

    Parameters
    ----------
    least
        What a column has to explain alone; .9 is enough where its name holds the target's.
    """
    if rows.height < LEAST_ROWS:
        return ()
    some, truth = _some(rows, task, seed)
    found = [Leak(name, _explained(some[name], truth, task)) for name in task.features]
    found = [each for each in found if each.explained >= least or named_alike(each, task)]
    return tuple(sorted(found, key=lambda each: -each.explained))


def explained_alone(rows: pl.DataFrame, task: Task, column: str, *, seed: int = 0) -> float:
    """Return what one column alone explains of the target, as :class:`Leak` counts it."""
    some, truth = _some(rows, task, seed)
    return _explained(some[column], truth, task)


def _some(rows: pl.DataFrame, task: Task, seed: int) -> tuple[pl.DataFrame, np.ndarray]:
    some = rows.sample(min(rows.height, MOST_ROWS), seed=derive_seed(seed, "leaks"))
    target = some[task.target]
    if task.kind == "regression":
        return some, target.cast(pl.Float64).to_numpy()
    return some, target.rank("dense").to_numpy().astype(int)


def named_alike(leak: Leak, task: Task) -> bool:
    """Whether a column explains most of the target, and its name holds the target's."""
    alike = len(task.target) > 2 and task.target.lower() in leak.column.lower()
    return alike and leak.explained >= NAMED_ALIKE


def _explained(column: pl.Series, truth: np.ndarray, task: Task) -> float:
    values = _numbers(column)
    known = values[values[:, 1] == 0, 0]
    fewest = min(len(np.unique(known)), len(np.unique(truth)))
    if task.kind == "regression" and fewest >= LEAVES:
        return _explained_by_rank(values, truth)
    return _explained_by_tree(values, truth, task)


def _explained_by_tree(values: np.ndarray, truth: np.ndarray, task: Task) -> float:
    """Return the share of a constant guess's errors that a tree avoids on rows it has not seen."""
    from sklearn.dummy import DummyClassifier, DummyRegressor
    from sklearn.model_selection import KFold
    from sklearn.tree import DecisionTreeClassifier, DecisionTreeRegressor

    constant: Any = DummyRegressor()
    tree: Any = DecisionTreeRegressor(max_leaf_nodes=LEAVES, random_state=0)
    if task.kind != "regression":
        leaves = max(LEAVES, 2 * len(task.classes))
        constant = DummyClassifier()
        tree = DecisionTreeClassifier(max_leaf_nodes=leaves, random_state=0)
    lost = {constant: 0.0, tree: 0.0}
    for train, test in KFold(2, shuffle=True, random_state=0).split(values):
        for model in lost:
            guess = model.fit(values[train], truth[train]).predict(values[test])
            lost[model] += _lost(guess, truth[test], task)
    return 0.0 if lost[constant] == 0 else round(1 - lost[tree] / lost[constant], 4)


def _lost(guess: np.ndarray, truth: np.ndarray, task: Task) -> float:
    apart = (guess - truth) ** 2 if task.kind == "regression" else guess != truth
    return float(apart.sum())


def _explained_by_rank(values: np.ndarray, truth: np.ndarray) -> float:
    """Return the squared rank correlation: a copy in another unit or scale is a copy."""
    known = values[:, 1] == 0
    given = values[known, 0]
    if known.sum() < LEAST_ROWS:
        return 0.0
    from scipy import stats

    found = float(stats.spearmanr(given, truth[known]).statistic)
    share = float(known.mean())
    return 0.0 if np.isnan(found) else round(share * found**2, 4)


def _numbers(column: pl.Series) -> np.ndarray:
    """Return (n, 2): the value as a number, words by rank, and whether the cell is empty."""
    if column.dtype.is_numeric() or column.dtype == pl.Boolean:
        numbers = column.cast(pl.Float64).to_numpy()
    else:
        numbers = column.rank("dense").cast(pl.Float64).to_numpy()
    finite = np.isfinite(numbers)
    filled = np.where(finite, numbers, 0.0)
    return np.column_stack([filled, ~finite])
