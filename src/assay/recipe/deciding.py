"""From probabilities to one of two classes: a threshold chosen on rows the model did not see."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
import polars as pl

from assay.errors import InputError
from assay.recipe.model import Model
from assay.recipe.spec import Decision
from assay.recipe.splits import splits
from assay.task import Task

Fit = Callable[[pl.DataFrame, pl.DataFrame], Model]
"""Builds the model on the first rows, to be judged on the second."""


@dataclass(frozen=True)
class DecidingModel:
    """A built recipe that tells the positive class from ``threshold`` on.

    Attributes
    ----------
    threshold
        The least probability of the positive class (the task's second) that is called it.
    """

    task: Task
    model: Model
    threshold: float

    @property
    def gives_probabilities(self) -> bool:
        """Whether :meth:`predict_proba` can be called: always, a decision needs them."""
        return True

    def predict(self, rows: pl.DataFrame) -> np.ndarray:
        """Return (n,) class names."""
        names = np.asarray(self.task.class_names, dtype=object)
        return np.asarray(names[(self.predict_proba(rows)[:, 1] >= self.threshold).astype(int)])

    def predict_proba(self, rows: pl.DataFrame) -> np.ndarray:
        """Return the model's own (n, 2) probabilities."""
        return self.model.predict_proba(rows)

    def predictions(self, rows: pl.DataFrame, *, probabilities: bool = True) -> np.ndarray:
        """Return probabilities, or the class names decided on."""
        return self.predict_proba(rows) if probabilities else self.predict(rows)


def deciding(
    decision: Decision, model: Model, labelled: pl.DataFrame, task: Task, *, fit: Fit, seed: int
) -> DecidingModel:
    """Return ``model`` with the threshold that would have served the training rows best.

    Where the rows are too few to be parted, the threshold is the one of the stated costs.

    Raises
    ------
    InputError
        When the task has not two classes, or the estimator gives no probabilities.
    """
    if task.kind != "binary":
        raise InputError(
            "A decision threshold needs a task of two classes.",
            given=task.kind,
            next_step="remove [decision] from recipe.toml",
        )
    if not model.gives_probabilities:
        raise InputError(
            "A decision threshold needs an estimator that gives probabilities.",
            next_step="remove [decision] from recipe.toml, or use another estimator",
        )
    unseen = _unseen(labelled, task, decision.folds, fit, seed)
    if unseen is None:
        return DecidingModel(task, model, decision.stated)
    return DecidingModel(task, model, best_threshold(decision, *unseen))


def best_threshold(decision: Decision, positive: np.ndarray, found: np.ndarray) -> float:
    """Return the threshold that serves ``decision`` best on these rows.

    Of thresholds that serve equally well, the one nearest the stated costs' is taken; it lies
    half way between the probabilities that it parts.

    Parameters
    ----------
    positive
        (n,) whether each row is of the positive class.
    found
        (n,) probability of it that each row was given.
    """
    order = np.argsort(-found, kind="stable")
    values, hits = found[order], np.cumsum(positive[order])
    alarms = np.arange(1, len(found) + 1) - hits
    last = np.append(values[1:] != values[:-1], True)
    # The first entry stands for a threshold above every row: no alarm at all.
    hits, alarms = np.append(0, hits[last]), np.append(0, alarms[last])
    highest = 1.0 if values[0] < 1 else 2.0
    ends = np.concatenate([[highest], values[last], [0.0]])
    thresholds = (ends[:-1] + ends[1:]) / 2
    loss = _loss(decision, hits, alarms, int(positive.sum()), len(found))
    best = np.flatnonzero(loss <= loss.min() + 1e-12)
    return float(thresholds[best[np.abs(thresholds[best] - decision.stated).argmin()]])


def _loss(
    decision: Decision, hits: np.ndarray, alarms: np.ndarray, positives: int, rows: int
) -> np.ndarray:
    misses = positives - hits
    if decision.aim == "cost":
        return np.asarray(decision.false_alarm * alarms + decision.miss * misses)
    rejected = rows - positives - alarms
    wrong = alarms + misses
    both = _share(2 * hits, 2 * hits + wrong) + _share(2 * rejected, 2 * rejected + wrong)
    return np.asarray(-both)


def _share(part: np.ndarray, whole: np.ndarray) -> np.ndarray:
    return np.asarray(part / np.maximum(whole, 1))


def _unseen(
    labelled: pl.DataFrame, task: Task, folds: int, fit: Fit, seed: int
) -> tuple[np.ndarray, np.ndarray] | None:
    """Return which rows are positive and the probability each was given while unseen."""
    name = task.class_names[1]
    positive, found = [], []
    try:
        for split in splits(labelled, task, seed=seed, folds=folds, repeats=1):
            train, test = labelled[split.train], labelled[split.test]
            found.append(fit(train, test).predict_proba(test)[:, 1])
            positive.append((test[task.target] == name).to_numpy())
    except InputError:
        return None
    return np.concatenate(positive), np.concatenate(found)
