"""The families of metrics: how each is computed, and what a test on it needs.

``RowMean`` and ``Auc`` linearise (:mod:`assay.evidence.clt`); ``OfConfusion`` and ``Whole`` are
resampled (:mod:`assay.evidence.bootstrap`).
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np

from assay.errors import InputError
from assay.evidence.clt import FEWEST_OF_TWO, Linear
from assay.evidence.numbers import Codes, Floats, Rows


@dataclass(frozen=True)
class RowMean:
    """A mean of row values, or the square root of one.

    Attributes
    ----------
    rows
        (truth, predictions) to (n,) row values.
    root
        The metric is the root of the mean; its test uses the delta method.
    bound
        Row values lie in [0, bound].
    """

    rows: Callable[[Rows, Rows], Floats]
    root: bool = False
    bound: float | None = None

    def value(self, truth: Rows, predictions: Rows, k: int, weights: Floats | None) -> float:
        """Return the metric."""
        mean = float(np.average(self.rows(truth, predictions), weights=weights))
        return mean**0.5 if self.root else mean

    def linear(self, truth: Rows, predictions: Rows, k: int, weights: Floats | None) -> Linear:
        """Return the metric with the influence of every row."""
        rows = self.rows(truth, predictions)
        mean = float(np.average(rows, weights=weights))
        influence = rows - mean
        if weights is not None:
            influence *= weights
        if not self.root:
            classes = np.asarray(truth, dtype=np.int64) if k > 0 and self.bound is None else None
            return Linear(mean, influence, self.bound, classes=classes)
        value = mean**0.5
        return Linear(value, influence / (2 * value) if value > 0 else influence)


@dataclass(frozen=True)
class Auc:
    """Area under the ROC curve with DeLong placements (DeLong et al. 1988; Sun and Xu 2014)."""

    minimum: int = FEWEST_OF_TWO

    def value(self, truth: Rows, predictions: Rows, k: int, weights: Floats | None) -> float:
        """Return the metric."""
        return self.linear(truth, predictions, k, weights).value

    def linear(self, truth: Rows, predictions: Rows, k: int, weights: Floats | None) -> Linear:
        """Return the metric with the influence of every row, in O(n log n)."""
        positive = truth.astype(bool)
        counts = int((~positive).sum()), int(positive.sum())
        if min(counts) < self.minimum:
            raise InputError(
                "AUC needs rows of both classes.",
                given=f"{counts[1]} positive and {counts[0]} negative rows",
                allowed=f"at least {self.minimum} of each",
                next_step="give more rows, or choose accuracy or log_loss",
            )
        weight = np.ones(len(truth)) if weights is None else weights
        below, above = _placements(positive, predictions, weight)
        totals = float(weight[~positive].sum()), float(weight[positive].sum())
        placement = np.where(positive, below / totals[0], above / totals[1])
        value = float(np.average(placement[positive], weights=weight[positive]))
        share = np.where(positive, totals[1], totals[0]) / len(truth)
        influence = weight * (placement - value) / share
        return Linear(value, influence, strata=truth.astype(np.int64), area=value)


def _placements(positive: Rows, scores: Floats, weight: Floats) -> tuple[Floats, Floats]:
    """For each row: weight of negatives below it, and of positives above it; ties count half."""
    order = np.argsort(scores, kind="stable")
    ordered = scores[order]
    tie = np.empty(len(order), dtype=np.int64)
    tie[order] = np.concatenate([[0], np.cumsum(ordered[1:] != ordered[:-1])])
    here_negative = np.bincount(tie, weights=weight * ~positive)
    here_positive = np.bincount(tie, weights=weight * positive)
    below = np.cumsum(here_negative) - here_negative / 2
    above = here_positive.sum() - np.cumsum(here_positive) + here_positive / 2
    return below[tie], above[tie]


@dataclass(frozen=True)
class OfConfusion:
    """A function of the confusion matrix: counts (..., k, k), [true, predicted], to (...)."""

    of: Callable[[Floats], Floats]

    def value(self, truth: Rows, predictions: Rows, k: int, weights: Floats | None) -> float:
        """Return the metric."""
        return float(self.of(confusion(truth, predictions, k, weights)))


@dataclass(frozen=True)
class Whole:
    """Any function of all rows: ``of(truth, predictions, weights)``."""

    of: Callable[[Rows, Rows, Floats | None], float]

    def value(self, truth: Rows, predictions: Rows, k: int, weights: Floats | None) -> float:
        """Return the metric."""
        value = float(self.of(truth, predictions, weights))
        if not np.isfinite(value):
            raise InputError(
                "the metric is undefined on these rows.",
                given=value,
                next_step="choose another, such as mae where R2 meets a constant truth",
            )
        return value


Kernel = RowMean | Auc | OfConfusion | Whole


def confusion(truth: Rows, predicted: Rows, k: int, weights: Floats | None = None) -> Floats:
    """Return (k, k) counts or summed weights, [true, predicted]."""
    cells = np.bincount(truth * k + predicted, weights=weights, minlength=k * k)
    return cells.reshape(k, k).astype(np.float64)


def correct(truth: Codes, predicted: Codes) -> Floats:
    """1 where the label is right."""
    return np.asarray(truth == predicted, dtype=np.float64)


def surprise(truth: Codes, probability: Floats) -> Floats:
    """-log of the probability given to the true class, as scikit-learn clips it."""
    tiny = float(np.finfo(np.float64).eps)
    at_truth = probability[np.arange(len(truth)), truth] / probability.sum(axis=1)
    return np.asarray(-np.log(np.clip(at_truth, tiny, 1 - tiny)))


def brier(truth: Codes, probability: Floats) -> Floats:
    """Squared distance to the true class; halved for two classes, as scikit-learn does."""
    squared = (probability**2).sum(axis=1) - 2 * probability[np.arange(len(truth)), truth] + 1
    return np.asarray(squared / 2 if probability.shape[1] == 2 else squared, dtype=np.float64)


def absolute_error(truth: Floats, predicted: Floats) -> Floats:
    """Return the absolute error of every row."""
    return np.abs(truth - predicted)


def squared_error(truth: Floats, predicted: Floats) -> Floats:
    """Return the squared error of every row."""
    return (truth - predicted) ** 2


def per_class(counts: Floats) -> tuple[Floats, Floats, Floats, Floats]:
    """Precision, recall, F1 and support of each class, (..., k); 0 where undefined.

    A class that is neither true nor predicted is given support -1, so that a macro average
    can leave it out, as scikit-learn does.
    """
    hit = np.diagonal(counts, axis1=-2, axis2=-1)
    support, predicted = counts.sum(axis=-1), counts.sum(axis=-2)
    return (
        _ratio(hit, predicted),
        _ratio(hit, support),
        _ratio(2 * hit, support + predicted),
        np.where(support + predicted > 0, support, -1.0),
    )


def averaged(which: int, average: str) -> Callable[[Floats], Floats]:
    """Return precision (0), recall (1) or F1 (2), averaged ``macro``, ``weighted`` or ``binary``.

    ``binary`` is the second class's.
    """

    def of(counts: Floats) -> Floats:
        parts = per_class(counts)
        values, support = parts[which], parts[3]
        if average == "binary":
            return values[..., 1]
        share = (support >= 0).astype(np.float64) if average == "macro" else np.maximum(support, 0)
        return _ratio((values * share).sum(axis=-1), share.sum(axis=-1))

    return of


def balanced_accuracy(counts: Floats) -> Floats:
    """Mean recall over the classes that occur."""
    support = counts.sum(axis=-1)
    recall = _ratio(np.diagonal(counts, axis1=-2, axis2=-1), support)
    return _ratio(recall.sum(axis=-1), (support > 0).sum(axis=-1).astype(np.float64))


def matthews(counts: Floats) -> Floats:
    """Matthews correlation for k classes (Gorodkin 2004); 0 where undefined."""
    hit = np.diagonal(counts, axis1=-2, axis2=-1).sum(axis=-1)
    truth, predicted, total = counts.sum(axis=-1), counts.sum(axis=-2), counts.sum(axis=(-2, -1))
    joint = hit * total - (truth * predicted).sum(axis=-1)
    spread = (total**2 - (truth**2).sum(axis=-1)) * (total**2 - (predicted**2).sum(axis=-1))
    return _ratio(joint, np.sqrt(np.maximum(spread, 0)))


def kappa(counts: Floats) -> Floats:
    """Cohen's kappa; 0 where undefined."""
    total = counts.sum(axis=(-2, -1))
    agreed = np.diagonal(counts, axis1=-2, axis2=-1).sum(axis=-1)
    chance = _ratio((counts.sum(axis=-1) * counts.sum(axis=-2)).sum(axis=-1), total)
    return _ratio(agreed - chance, total - chance)


def r2(truth: Rows, predicted: Rows, weights: Floats | None) -> float:
    """Share of variance explained; NaN where truth is constant."""
    centre = np.average(truth, weights=weights)
    spread = float(np.average((truth - centre) ** 2, weights=weights))
    if spread == 0:
        return float("nan")
    return 1 - float(np.average((truth - predicted) ** 2, weights=weights)) / spread


def median_error(truth: Rows, predicted: Rows, weights: Floats | None) -> float:
    """Median absolute error (weighted: the smallest error that half the weight reaches)."""
    errors = np.abs(truth - predicted)
    if weights is None:
        return float(np.median(errors))
    order = np.argsort(errors)
    reached = np.cumsum(weights[order])
    return float(errors[order][np.searchsorted(reached, reached[-1] / 2)])


def average_precision(truth: Rows, scores: Rows, weights: Floats | None) -> float:
    """Average precision of the second class, ties taken together (as scikit-learn does)."""
    order = np.argsort(-scores)
    hits = truth[order].astype(np.float64)
    weight = np.ones(len(order)) if weights is None else weights[order]
    ordered = scores[order]
    last = np.append(ordered[1:] != ordered[:-1], True)
    found = np.cumsum(hits * weight)[last]
    if found[-1] == 0:
        return 0.0
    precision = found / np.cumsum(weight)[last]
    return float((np.diff(found, prepend=0.0) * precision).sum() / found[-1])


def _ratio(top: Any, bottom: Any) -> Floats:
    result: Floats = np.divide(
        top, bottom, out=np.zeros(np.broadcast(top, bottom).shape), where=np.asarray(bottom) != 0
    )
    return result
