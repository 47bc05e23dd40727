"""Probabilities that say more, or less, than they know."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

import numpy as np

from assay.diagnose.case import Case, Floats
from assay.diagnose.means import mean_above
from assay.diagnose.spec import Remedy, Search, Suspicion
from assay.diagnose.stated import held_to_stated
from assay.evidence import Evidence

OVERALL, BY_CLASS = "AS301", "AS302"
FEWEST = 50
LEAST = 0.02
"""A gap between what is said and what comes true that is worth telling."""

REMEDIES = (
    Remedy("calibrate", "scale the probabilities on held-out rows, by temperature or isotonically"),
    Remedy("threshold", "choose the threshold on held-out rows, not on the stated probability"),
)


@dataclass(frozen=True)
class CalibrationDetector:
    """Compares stated probabilities with how often they come true: calibration in the large."""

    name: str = "calibration"
    codes: Mapping[str, str] = field(
        default_factory=lambda: {
            OVERALL: "the model is surer, or less sure, than it is right",
            BY_CLASS: "a class is given more, or less, probability than it has",
        }
    )

    def detect(self, part: Case) -> Search:
        """Return the gaps of the discovery part."""
        what = "stated probabilities against what came true, overall and by class"
        if part.probabilities is None:
            return Search(0, what, skipped="the predictions hold no probabilities")
        if part.n < FEWEST:
            return Search(0, what, skipped=f"{part.n} rows to look at are too few")
        names = part.task.class_names
        # With two classes the one's gap is the other's, turned round.
        numbers = range(len(names)) if len(names) > 2 else (1,)
        gaps = [(None, confidence_gap(part))] + [(each, _class_gap(part, each)) for each in numbers]
        suspicions = tuple(
            suspected(number, names, float(np.sign(mean)))
            for number, gap in gaps
            if abs(mean := float(np.average(gap, weights=part.weights))) >= LEAST
        )
        return Search(len(gaps), what, suspicions)


def suspected(number: int | None, names: tuple[str, ...], side: float) -> Suspicion:
    """Return the suspicion that probabilities lean to one side, of one class or of the top one."""

    def confirm(part: Case) -> Evidence | None:
        gap = confidence_gap(part) if number is None else _class_gap(part, number)
        what = "stated less observed" if side > 0 else "observed less stated"
        fact = mean_above(part, side * gap, name=f"probability, {what}")
        shares = part.stated.max(axis=1) if number is None else part.stated[:, number]
        return None if fact is None else held_to_stated(fact, shares, part.weights)

    if number is None:
        more = "too sure" if side > 0 else "not sure enough"
        title, cause = f"the model is {more} of its answers", "its probabilities were never scaled"
    else:
        more = "too much" if side > 0 else "too little"
        title = f"{names[number]!r} is given {more} probability"
        cause = "training rows held the class in another share, or were weighted"
    return Suspicion(
        code=OVERALL if number is None else BY_CLASS,
        title=title,
        cause=cause,
        confirm=confirm,
        remedies=REMEDIES,
        judged=False,
    )


def confidence_gap(part: Case) -> Floats:
    """Return (n,) the top class's probability less whether it is right."""
    shares = part.stated
    top = shares.argmax(axis=1)
    right = np.asarray(part.task.class_names, dtype=object)[top] == part.truth
    gap: Floats = shares.max(axis=1) - right
    return gap


def _class_gap(part: Case, number: int) -> Floats:
    gap: Floats = part.stated[:, number] - (part.truth == part.task.class_names[number])
    return gap
