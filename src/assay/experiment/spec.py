"""The short lists that the rules try, most promising first."""

from __future__ import annotations

from typing import Any, NamedTuple

from assay.recipe.trial import LABEL_METRICS
from assay.task import Task

INVERSE_STRENGTHS = (10.0, 100.0, 0.1)
"""Tried values of a linear model's inverse regularisation strength (``C``, ``1 / alpha``)."""


class Candidate(NamedTuple):
    """An estimator worth a trial, and why."""

    path: str
    parameters: dict[str, Any]
    rationale: str


_LINEAR_SVM = Candidate(
    "sklearn.svm.LinearSVC", {}, "a maximum-margin line often suits many sparse features"
)
_NEIGHBOURS = Candidate(
    "sklearn.neighbors.KNeighborsClassifier",
    {"n_neighbors": 5, "weights": "distance"},
    "like rows may simply have like labels",
)
_CLASSIFICATION = (
    Candidate(
        "sklearn.ensemble.HistGradientBoostingClassifier",
        {},
        "boosted trees find thresholds and interactions that a line cannot",
    ),
    Candidate(
        "sklearn.ensemble.ExtraTreesClassifier",
        {"n_estimators": 300},
        "averaged random trees are robust on few rows",
    ),
)
_REGRESSION = (
    Candidate(
        "sklearn.ensemble.HistGradientBoostingRegressor",
        {},
        "boosted trees find thresholds and interactions that a line cannot",
    ),
    Candidate(
        "sklearn.ensemble.ExtraTreesRegressor",
        {"n_estimators": 300},
        "averaged random trees are robust on few rows",
    ),
)


def candidates(task: Task) -> tuple[Candidate, ...]:
    """Return the estimators worth a trial for ``task``."""
    if task.kind == "regression":
        return _REGRESSION
    if task.modality == "tabular":
        return _CLASSIFICATION
    gives_labels_only = task.metric in LABEL_METRICS
    return (_LINEAR_SVM, _NEIGHBOURS) if gives_labels_only else (_NEIGHBOURS,)
