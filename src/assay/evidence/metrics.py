"""Metrics by name: how predictions are judged, and which test suits each."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from functools import cache, partial
from typing import Any

import numpy as np

from assay.errors import InputError
from assay.evidence import kernels
from assay.evidence.inputs import Reads, read_sample
from assay.evidence.kernels import Auc, Kernel, OfConfusion, RowMean, Whole
from assay.evidence.numbers import Floats, Rows
from assay.task import METRICS, Costs, costs_of


@dataclass(frozen=True)
class Metric:
    """How predictions are judged.

    Attributes
    ----------
    name
        As in ``Task.metric``, or scikit-learn's scorer name.
    greater_is_better
        False for losses; ``score`` is always in the metric's own unit and sign.
    reads
        What it reads from a prediction: ``labels``, ``probabilities``, ``scores`` (of the
        second class), ``values``, or ``raw`` (whatever was given).
    kernel
        The family it belongs to, which decides its test.
    """

    name: str
    greater_is_better: bool
    reads: Reads
    kernel: Kernel = field(repr=False)

    @property
    def sign(self) -> int:
        """1 where greater is better, else -1."""
        return 1 if self.greater_is_better else -1

    def score(
        self,
        truth: Any,
        predictions: Any,
        classes: Sequence[str] | None = None,
        weights: Any = None,
    ) -> float:
        """Return the metric, averaged over fits when several are given.

        Parameters
        ----------
        truth
            (n,) labels or values.
        predictions
            (n,) labels or values, or (n, k) probabilities in the order of ``classes``.
        """
        sample = read_sample(
            truth, {"predictions": predictions}, reads=self.reads, classes=classes, weights=weights
        )
        k = len(sample.classes)
        fits = sample.models[0]
        values = [self.kernel.value(sample.truth, fit, k, sample.weights) for fit in fits]
        return sum(values) / len(values)

    def row_losses(
        self, truth: Any, predictions: Any, classes: Sequence[str] | None = None
    ) -> Floats | None:
        """Return (n,) losses, smaller is better, averaged over fits.

        None for a metric that is not a function of a mean over rows. For RMSE they are
        squared errors.
        """
        if not isinstance(self.kernel, RowMean):
            return None
        sample = read_sample(truth, {"predictions": predictions}, reads=self.reads, classes=classes)
        fits = sample.models[0]
        mean = np.mean([self.kernel.rows(sample.truth, fit) for fit in fits], axis=0)
        return np.asarray(1 - mean if self.greater_is_better else mean)


ALIASES = {
    "f1_macro": "macro_f1",
    "f1_micro": "micro_f1",
    "f1_weighted": "weighted_f1",
    "roc_auc": "auc",
    "neg_log_loss": "log_loss",
    "neg_mean_absolute_error": "mae",
    "neg_mean_squared_error": "mse",
    "neg_root_mean_squared_error": "rmse",
    "neg_median_absolute_error": "median_absolute_error",
    "neg_brier_score": "brier",
    "matthews_corrcoef": "mcc",
}


@cache
def metric(name: str) -> Metric:
    """Return the metric called ``name``.

    Parameters
    ----------
    name
        One of ``assay.task.METRICS``, another of Assay's, or any scikit-learn scorer name.

    Raises
    ------
    InputError
        For an unknown name; the nearest names are shown.
    """
    known = _own()
    name = ALIASES.get(name, name)
    if name in known:
        return known[name]
    if name.startswith("pinball_"):
        return _pinball(name)
    if costs := costs_of(name):
        return _cost(costs)
    return _from_sklearn(name, sorted({*known, *ALIASES}))


def custom_metric(
    function: Callable[..., float], *, name: str | None = None, greater_is_better: bool = True
) -> Metric:
    """Return a metric from any function of (truth, predictions), tested by bootstrap.

    The function is given NumPy arrays as they came, and ``weights`` as third argument only
    when weights are in use.
    """

    def of(truth: Rows, predictions: Rows, weights: Floats | None) -> float:
        if weights is None:
            return float(function(truth, predictions))
        return float(function(truth, predictions, weights))

    label = name or str(getattr(function, "__name__", "metric"))
    return Metric(label, greater_is_better, "raw", Whole(of))


def as_metric(given: str | Metric | Callable[..., float]) -> Metric:
    """Return a metric from its name, itself, or a function."""
    if isinstance(given, Metric):
        return given
    return metric(given) if isinstance(given, str) else custom_metric(given)


@cache
def _own() -> dict[str, Metric]:
    averaged = kernels.averaged
    accuracy = RowMean(kernels.correct, bound=1.0)
    labels: dict[str, Kernel] = {
        "accuracy": accuracy,
        "micro_f1": accuracy,
        "macro_f1": OfConfusion(averaged(2, "macro")),
        "weighted_f1": OfConfusion(averaged(2, "weighted")),
        "f1": OfConfusion(averaged(2, "binary")),
        "precision": OfConfusion(averaged(0, "binary")),
        "precision_macro": OfConfusion(averaged(0, "macro")),
        "precision_weighted": OfConfusion(averaged(0, "weighted")),
        "recall": OfConfusion(averaged(1, "binary")),
        "recall_macro": OfConfusion(averaged(1, "macro")),
        "recall_weighted": OfConfusion(averaged(1, "weighted")),
        "balanced_accuracy": OfConfusion(kernels.balanced_accuracy),
        "mcc": OfConfusion(kernels.matthews),
        "cohen_kappa": OfConfusion(kernels.kappa),
    }
    losses: dict[str, Kernel] = {
        "mae": RowMean(kernels.absolute_error),
        "mse": RowMean(kernels.squared_error),
        "rmse": RowMean(kernels.squared_error, root=True),
        "median_absolute_error": Whole(kernels.median_error),
    }
    own = [Metric(name, True, "labels", kernel) for name, kernel in labels.items()]
    own += [Metric(name, False, "values", kernel) for name, kernel in losses.items()]
    own += [
        Metric("log_loss", False, "probabilities", RowMean(kernels.surprise)),
        Metric("brier", False, "probabilities", RowMean(kernels.brier)),
        Metric("auc", True, "scores", Auc()),
        Metric("average_precision", True, "scores", Whole(kernels.average_precision)),
        Metric("r2", True, "values", Whole(kernels.r2)),
    ]
    return {each.name: each for each in own}


def _pinball(name: str) -> Metric:
    try:
        alpha = float(name.removeprefix("pinball_"))
    except ValueError:
        alpha = -1.0
    if not 0 < alpha < 1:
        raise InputError(
            "metric names no quantile.", given=name, allowed="pinball_0.9 and the like"
        )
    return Metric(name, False, "values", RowMean(partial(_pinball_rows, alpha)))


def _pinball_rows(alpha: float, truth: Rows, predicted: Rows) -> Floats:
    gap = truth - predicted
    return np.maximum(alpha * gap, (alpha - 1) * gap)


def _cost(costs: Costs) -> Metric:
    """Return the mean cost of a row whose class is told at the costs' own threshold."""
    most = max(costs.false_alarm, costs.miss)
    kernel = RowMean(partial(_cost_rows, costs), bound=most)
    return Metric(costs.metric, False, "scores", kernel)


def _cost_rows(costs: Costs, truth: Rows, score: Rows) -> Floats:
    alarm = score >= costs.threshold
    cost = np.where(alarm, costs.false_alarm * (truth == 0), costs.miss * (truth == 1))
    return np.asarray(cost, dtype=np.float64)


def _from_sklearn(name: str, known: list[str]) -> Metric:
    from sklearn import metrics

    try:
        scorer = metrics.get_scorer(name)
    except ValueError:
        import difflib

        near = difflib.get_close_matches(name, known, n=3)
        raise InputError(
            "metric is not known.",
            given=name,
            allowed=f"{', '.join(METRICS)}, or a scikit-learn scorer name",
            next_step=f"did you mean {near[0]}?" if near else "see docs/evidence.md for all names",
        ) from None
    function, options = scorer._score_func, scorer._kwargs

    def of(truth: Rows, predictions: Rows, weights: Floats | None) -> float:
        extra = {} if weights is None else {"sample_weight": weights}
        return float(function(truth, predictions, **options, **extra))

    return Metric(name.removeprefix("neg_"), scorer._sign > 0, "raw", Whole(of))
