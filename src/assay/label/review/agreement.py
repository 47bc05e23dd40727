"""How far reviewers agree beyond chance: Krippendorff's alpha."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from typing import Any, Literal

import numpy as np
from numpy.typing import NDArray

from assay.errors import InputError
from assay.evidence import Interval
from assay.label.review.record import Decision, latest
from assay.label.tabled import as_texts
from assay.label.task import LabelTask

Floats = NDArray[np.float64]
Level = Literal["nominal", "ordinal", "interval"]
REPLICATES = 1000
FEW = 5
"""With fewer rows in common an interval means nothing."""


@dataclass(frozen=True)
class Agreement:
    """Krippendorff's alpha: 1 is perfect, 0 is what chance gives.

    Attributes
    ----------
    alpha
        None where it is not defined: no row with two answers, or one value throughout.
    interval
        95 %, by resampling rows; None with fewer than 5.
    rows, reviewers
        Rows with two answers or more, and who gave them.
    by_class
        Alpha of "this class or not"; empty unless there are classes.
    """

    alpha: float | None
    interval: Interval | None
    rows: int
    reviewers: int
    by_class: dict[str, float | None]

    def as_dict(self) -> dict[str, Any]:
        """Return plain JSON values."""
        both = None if self.interval is None else [self.interval.low, self.interval.high]
        return {"alpha": self.alpha, "interval": both, "rows": self.rows,
                "reviewers": self.reviewers, "by_class": self.by_class}  # fmt: skip


def krippendorff_alpha(ratings: Any, *, level: Level = "nominal") -> float | None:
    """Return Krippendorff's alpha.

    Parameters
    ----------
    ratings
        (reviewers, rows) numbers; NaN where a reviewer gave none. Codes of classes where the
        level is nominal, ranks where it is ordinal.

    Returns
    -------
    None where no row has two ratings, or all ratings are the same.

    Notes
    -----
    Krippendorff (2011), Computing Krippendorff's Alpha-Reliability.
    """
    counts, values = _counts(np.asarray(ratings, dtype=np.float64))
    return _alpha(counts, values, level)


def alpha_interval(
    ratings: Any, *, level: Level = "nominal", confidence: float = 0.95, seed: int = 0
) -> Interval | None:
    """Return a percentile bootstrap interval over rows; None with fewer than 5 rows in common."""
    counts, values = _counts(np.asarray(ratings, dtype=np.float64))
    if len(counts) < FEW:
        return None
    random = np.random.default_rng(seed)
    drawn = (
        _alpha(counts[random.integers(len(counts), size=len(counts))], values, level)
        for _ in range(REPLICATES)
    )
    found = [each for each in drawn if each is not None]
    if not found:
        return None
    low, high = np.quantile(found, [(1 - confidence) / 2, (1 + confidence) / 2])
    return Interval(float(low), float(high), confidence)


def agreement(decisions: Iterable[Decision], task: LabelTask) -> Agreement | None:
    """Return how far reviewers agree; None where no row has two answers.

    Ordered classes count by their ranks; sets of classes and objects count as the same or not.
    """
    said = [each for each in latest(decisions).values() if each.action == "label"]
    reviewers = sorted({each.reviewer for each in said})
    rows = sorted({each.row_id for each in said})
    if len(reviewers) < 2:
        return None
    labels: list[list[Any]] = [[None] * len(rows) for _ in reviewers]
    for each in said:
        labels[reviewers.index(each.reviewer)][rows.index(each.row_id)] = each.label
    level: Level = "ordinal" if task.kind == "ordinal" else "nominal"
    ratings = _codes(labels, task)
    common = int((np.isfinite(ratings).sum(axis=0) >= 2).sum())
    if not common:
        return None
    return Agreement(
        alpha=krippendorff_alpha(ratings, level=level),
        interval=alpha_interval(ratings, level=level),
        rows=common,
        reviewers=len(reviewers),
        by_class={name: krippendorff_alpha(_holds(labels, name)) for name in task.class_names},
    )


def _codes(labels: Sequence[Sequence[Any]], task: LabelTask) -> Floats:
    """Return numbers for labels: ranks of the task's classes, others as they come."""
    code = {as_texts([name])[0]: at for at, name in enumerate(task.class_names)}

    def number(label: Any) -> float:
        if label is None:
            return float("nan")
        written = sorted(label) if isinstance(label, list) else label
        return float(code.setdefault(as_texts([written])[0], len(code)))

    return np.array([[number(each) for each in some] for some in labels])


def _holds(labels: Sequence[Sequence[Any]], name: str) -> Floats:
    def number(label: Any) -> float:
        if label is None:
            return float("nan")
        return float(name in label if isinstance(label, list) else label == name)

    return np.array([[number(each) for each in some] for some in labels])


def _counts(ratings: Floats) -> tuple[Floats, Floats]:
    """Return (rows, values) how often each value was given, and the values; pairable rows only."""
    if ratings.ndim != 2 or np.isinf(ratings).any():
        raise InputError("ratings must be finite numbers or NaN, reviewers by rows.",
                         given=f"shape {ratings.shape}")  # fmt: skip
    values = np.unique(ratings[np.isfinite(ratings)])
    counts = (ratings[:, :, None] == values).sum(axis=0).astype(np.float64)
    return counts[counts.sum(axis=1) >= 2], values


def _alpha(counts: Floats, values: Floats, level: Level) -> float | None:
    """Return 1 - observed / expected disagreement, from coincidences within rows."""
    if level not in _DISTANCES:
        raise InputError("This is no level of measurement.", given=level,
                         allowed=", ".join(_DISTANCES))  # fmt: skip
    raters = counts.sum(axis=1)
    paired = (counts / (raters - 1)[:, None]).T @ counts if len(counts) else np.zeros((0, 0))
    if len(counts):
        paired -= np.diag((counts / (raters - 1)[:, None]).sum(axis=0))
    totals = paired.sum(axis=0)
    distance = _DISTANCES[level](values, totals) if len(counts) else paired
    expected = float((np.outer(totals, totals) * distance).sum())
    if expected == 0:
        return None
    observed = float((paired * distance).sum())
    return 1 - (float(totals.sum()) - 1) * observed / expected


def _nominal(values: Floats, _: Floats) -> Floats:
    return np.asarray(values[:, None] != values, dtype=np.float64)


def _ordinal(_: Floats, totals: Floats) -> Floats:
    """Return squared numbers of ratings between two ranks, half of both ends included."""
    middle = np.cumsum(totals) - totals / 2
    return np.asarray((middle[:, None] - middle) ** 2)


def _interval(values: Floats, _: Floats) -> Floats:
    return np.asarray((values[:, None] - values) ** 2)


_DISTANCES: dict[str, Callable[[Floats, Floats], Floats]] = {
    "nominal": _nominal,
    "ordinal": _ordinal,
    "interval": _interval,
}
