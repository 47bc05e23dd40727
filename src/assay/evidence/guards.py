"""Guards: what must not get worse for a change to be kept."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np

from assay.evidence.clt import MIN_ROWS, Linear, pool
from assay.evidence.inputs import Sample, read_sample
from assay.evidence.numbers import Floats
from assay.evidence.spec import Evidence, Interval
from assay.task import Costs, costs_of

TRADES = "balanced_accuracy"
"""The metric whose users trade the classes' recalls one for one."""


def class_guards(
    truth: Any,
    before: Any,
    after: Any,
    *,
    classes: Sequence[str] | None = None,
    allowed: float = 0.05,
    metric: str | None = None,
    threshold: float | None = None,
    groups: Any = None,
    weights: Any = None,
    level: float = 0.95,
) -> tuple[Evidence, ...]:
    """Measure the change in recall of every class that has at least ten rows.

    Parameters
    ----------
    truth, before, after, classes, groups, weights
        As in :func:`assay.evidence.compare`; probabilities are read as their largest class.
    allowed
        Largest loss of recall that is accepted, for example 0.05 for 5 points.
    metric
        What the change is judged by. Balanced accuracy is the mean of the recalls, so who asks for
        it trades them one for one: there a class may give what it has beyond the lowest class, and
        ``allowed`` counts from where that one stood before. Costs state a rate of exchange: of the
        class whose mistakes cost less in all, ``allowed`` is as much as costs the same.
    threshold
        Probabilities (n, 2) are read as the second class from here on; None for the largest.

    Returns
    -------
    tuple of Evidence
        ``estimate`` is the change in recall, positive is better. ``p_value`` is one-sided for
        "there is no loss". ``details["allowed"]`` is read by :func:`assay.evidence.decide`.
    """
    sample = read_sample(
        truth,
        {"before": _told(before, threshold), "after": _told(after, threshold)},
        reads="labels",
        classes=classes,
        weights=weights,
        groups=groups,
    )
    members_of = [np.flatnonzero(sample.truth == code) for code in range(len(sample.classes))]
    most = _allowed(allowed, metric, sample, members_of)
    results = []
    for code, name in enumerate(sample.classes):
        rows = members_of[code]
        members = None if sample.groups is None else _renumber(sample.groups[rows])
        if len(rows) < MIN_ROWS or (members is not None and members.max() < 1):
            continue
        weight = None if sample.weights is None else sample.weights[rows]
        gains = [
            _change(b[rows] == code, a[rows] == code, weight)
            for b, a in zip(*sample.models, strict=True)
        ]
        pooled = pool(gains, members, paired=True, between=True)
        low, high = pooled.interval(level)
        losses = pool([-each for each in gains], members, paired=True, between=True)
        results.append(
            Evidence(
                name=f"change in recall of {name!r}",
                estimate=pooled.value,
                interval=Interval(low, high, level),
                n=len(rows),
                method="t-test on paired row differences of one class",
                p_value=losses.p_above(0.0),
                details={
                    "class": name,
                    "allowed": most[code],
                    "se": pooled.se,
                    "df": pooled.df,
                },
            )
        )
    return tuple(results)


def _allowed(
    allowed: float, metric: str | None, sample: Sample, members_of: Sequence[Any]
) -> list[float]:
    """Return the loss of recall that is accepted of each class."""
    costs = None if metric is None else costs_of(metric)
    if costs is not None and len(members_of) == 2:
        return _exchanged(allowed, costs, sample, members_of)
    if metric == TRADES:
        return [allowed + each for each in _spare(sample, members_of)]
    return [allowed] * len(members_of)


def _exchanged(
    allowed: float, costs: Costs, sample: Sample, members_of: Sequence[Any]
) -> list[float]:
    """Return the losses of recall that cost as much as ``allowed`` of the dearer class does."""
    prices = [
        price * (len(rows) if sample.weights is None else float(sample.weights[rows].sum()))
        for price, rows in zip((costs.false_alarm, costs.miss), members_of, strict=True)
    ]
    return [min(1.0, allowed * max(prices) / each) if each else allowed for each in prices]


def _spare(sample: Sample, members_of: Sequence[Any]) -> list[float]:
    """Return each class's recall before, less that of the lowest class."""
    befores, _ = sample.models
    recalls = [
        float(np.mean([_share(each[rows] == code, rows, sample) for each in befores]))
        if len(rows)
        else np.nan
        for code, rows in enumerate(members_of)
    ]
    lowest = np.nanmin(recalls)
    return [0.0 if np.isnan(each) else float(each - lowest) for each in recalls]


def _share(hits: Any, rows: Any, sample: Sample) -> float:
    return float(np.average(hits, weights=None if sample.weights is None else sample.weights[rows]))


def _told(predictions: Any, threshold: float | None) -> Any:
    """Return predictions whose largest class is the one told at ``threshold``, fit by fit."""
    if threshold is None:
        return predictions
    if isinstance(predictions, list | tuple):
        return [_told(each, threshold) for each in predictions]
    alarm = predictions[:, 1] >= threshold
    return np.column_stack([~alarm, alarm]).astype(np.float64)


def _change(before: Any, after: Any, weights: Floats | None) -> Linear:
    difference = after.astype(np.float64) - before
    mean = float(np.average(difference, weights=weights))
    scale = 1.0 if weights is None else weights / weights.mean()
    return Linear(mean, (difference - mean) * scale, bound=1.0)


def _renumber(groups: Any) -> Any:
    return np.unique(groups, return_inverse=True)[1]
