"""What each row costs, by the metric of its task."""

from __future__ import annotations

import numpy as np

from assay.diagnose.answers import Answers
from assay.diagnose.case import Floats
from assay.task import Task

LEAST_PROBABILITY = 1e-6


def losses_of(task: Task, truth: np.ndarray, answers: Answers) -> Floats:
    """Return (n,) the loss that suits the task's metric; :func:`loss_words` says which."""
    if task.kind == "regression":
        gap = np.abs(truth.astype(np.float64) - answers.predictions.astype(np.float64))
        return np.asarray(gap**2 if task.metric == "rmse" else gap)
    if task.metric == "log_loss" and answers.probabilities is not None:
        order = {name: place for place, name in enumerate(task.class_names)}
        codes = np.array([order[each] for each in truth])
        own = answers.probabilities[np.arange(len(codes)), codes]
        return np.asarray(-np.log(np.clip(own, LEAST_PROBABILITY, 1.0)))
    return np.asarray(truth != answers.predictions, dtype=np.float64)


def loss_words(task: Task, *, probabilities: bool) -> str:
    """Return what a row's loss is."""
    if task.kind == "regression":
        return "squared error" if task.metric == "rmse" else "absolute error"
    return "log-loss" if task.metric == "log_loss" and probabilities else "error (1 where wrong)"
