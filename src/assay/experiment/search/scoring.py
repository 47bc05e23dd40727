"""Scores of out-of-fold predictions, greater is better."""

from __future__ import annotations

from functools import cached_property

import numpy as np
import polars as pl

from assay.evidence import Evidence, compare, estimate, metric
from assay.recipe.trial import ORDER_METRICS
from assay.task import Task


class Scorer:
    """Scores predictions of some rows by the task's metric.

    Parameters
    ----------
    rows
        The rows that folds are made of.
    """

    def __init__(self, rows: pl.DataFrame, task: Task, *, seed: int = 0) -> None:
        self._metric = metric(task.metric)
        self._rows, self._task, self._seed = rows, task, seed
        self._codes = self._truth
        if task.kind != "regression":
            index = {name: code for code, name in enumerate(task.class_names)}
            self._codes = np.array([index[each] for each in self._truth], dtype=np.int64)

    @property
    def rows(self) -> int:
        """How many rows there are."""
        return self._rows.height

    @cached_property
    def _truth(self) -> np.ndarray:
        return self._rows[self._task.target].to_numpy()

    def score(self, positions: np.ndarray, predictions: np.ndarray) -> float:
        """Return the metric of (m,) positions' predictions, its sign turned for a loss.

        A sample of one class, whose order no metric can judge, scores minus infinity.
        """
        read = predictions
        if self._metric.reads == "labels":
            read = predictions.argmax(axis=1)
        elif self._metric.reads == "scores":
            read = predictions[:, 1]
        if self._metric.reads == "probabilities":
            read = read / read.sum(axis=1, keepdims=True)
        classes = len(self._task.class_names)
        codes = self._codes[positions]
        if self._metric.name in ORDER_METRICS and len(np.unique(codes)) < 2:
            return float("-inf")
        value = float(self._metric.kernel.value(codes, read, classes, None))
        return self._metric.sign * value

    def estimate(self, positions: np.ndarray, *fits: np.ndarray) -> Evidence:
        """Return the metric with its interval, in its own unit."""
        return estimate(
            self._truth[positions],
            [self._readable(each) for each in fits],
            metric=self._metric,
            seed=self._seed,
            classes=self._task.class_names or None,
            groups=self._groups(positions),
        )

    def gain(self, positions: np.ndarray, before: np.ndarray, after: np.ndarray) -> Evidence:
        """Return how much better the second predictions are, positive is better."""
        return compare(
            self._truth[positions],
            self._readable(before),
            self._readable(after),
            metric=self._metric,
            seed=self._seed,
            classes=self._task.class_names or None,
            groups=self._groups(positions),
        )

    def _groups(self, positions: np.ndarray) -> np.ndarray | None:
        group = self._task.group
        return None if group is None else self._rows[positions][group].cast(pl.String).to_numpy()

    def _readable(self, predictions: np.ndarray) -> np.ndarray:
        if predictions.ndim == 1:
            return predictions
        return np.asarray(predictions / predictions.sum(axis=1, keepdims=True))
