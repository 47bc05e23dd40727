"""Thresholds that cost more than they should."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

import numpy as np

from assay.diagnose.case import Case, Floats
from assay.diagnose.spec import Remedy, Search, Suspicion
from assay.evidence import Evidence, compare
from assay.recipe.trial import LABEL_METRICS

CODE = "AS303"
FEWEST = 100
TRIED = 99


@dataclass(frozen=True)
class ThresholdDetector:
    """Chooses the threshold of two classes on the discovery part, for the task's own metric."""

    name: str = "threshold"
    codes: Mapping[str, str] = field(
        default_factory=lambda: {CODE: "another threshold does better"}
    )

    def detect(self, part: Case) -> Search:
        """Return the better threshold, where the discovery part has one."""
        what = "thresholds on the probability of the second class"
        if part.task.kind == "regression" or len(part.task.class_names) != 2:
            return Search(0, what, skipped="thresholds are for two classes")
        if part.probabilities is None:
            return Search(0, what, skipped="the predictions hold no probabilities")
        if part.n < FEWEST or len(set(part.truth.tolist())) < 2:
            return Search(0, what, skipped=f"{part.n} rows to look at are too few")
        metric = part.task.metric if part.task.metric in LABEL_METRICS else "balanced_accuracy"
        chosen, gain = _best(part, metric)
        if gain <= 0:
            return Search(TRIED, what)
        return Search(TRIED, what, (_suspicion(part, chosen, metric),))


def _suspicion(part: Case, chosen: float, metric: str) -> Suspicion:
    second = part.task.class_names[1]

    def confirm(unseen: Case) -> Evidence | None:
        if len(set(unseen.truth.tolist())) < 2:
            return None
        return compare(
            unseen.truth, unseen.predictions, _labels(unseen, chosen), metric=metric,
            classes=unseen.task.class_names, groups=unseen.groups, weights=unseen.weights,
            between_fits=False,
        )  # fmt: skip

    return Suspicion(
        code=CODE,
        title=f"saying {second!r} from {chosen:.2f} on does better in {metric}",
        about=("threshold",),
        cause="the threshold was left where the model had it",
        confirm=confirm,
        remedies=(
            Remedy("threshold", f"say {second!r} where its probability is {chosen:.2f} or more"),
        ),
        judged=False,
    )


def _labels(part: Case, threshold: float) -> np.ndarray:
    names = np.asarray(part.task.class_names, dtype=object)
    said: np.ndarray = names[(part.stated[:, 1] >= threshold).astype(int)]
    return said


def _best(part: Case, metric: str) -> tuple[float, float]:
    """Return the threshold with the highest metric, and what it gains over the predictions."""
    weights = np.ones(part.n) if part.weights is None else part.weights
    tried = [round(each / (TRIED + 1), 2) for each in range(1, TRIED + 1)]
    now = _value(part, part.predictions, weights, metric)
    values = [_value(part, _labels(part, each), weights, metric) for each in tried]
    best = max(values)
    held = [each for each, value in zip(tried, values, strict=True) if value == best]
    return held[len(held) // 2], best - now


def _value(part: Case, said: np.ndarray, weights: Floats, metric: str) -> float:
    names = part.task.class_names
    counts = np.array(
        [[weights[(part.truth == one) & (said == other)].sum() for other in names] for one in names]
    )
    right, true, told = np.diag(counts), counts.sum(axis=1), counts.sum(axis=0)
    if metric == "accuracy":
        return float(right.sum() / counts.sum())
    if metric == "balanced_accuracy":
        return float((right / true).mean())
    return float((2 * right / (true + told)).mean())
