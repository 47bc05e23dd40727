"""How much the fine-tuned student counts beside the others, and whether it is used."""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np

from assay.label.single.fitted import TUNED, FittedSingle, Votes
from assay.label.single.measure import Gain, folds_of, gained
from assay.label.single.scores import TINY, Codes, Scores, evened, softmax
from assay.label.single.truth import Truth
from assay.label.single.tuned import Known, taught_with_gold
from assay.label.single.weighing import Weights
from assay.label.spec import LabelSettings, Step
from assay.llm import Gateway

EXPECTED, FIRMNESS = 3.0, 1.0
"""A weight is drawn towards the first, by so much: a hundred checked rows tell it badly."""
LOOSENESS = 0.1
"""By so much the logarithm of the temperature is drawn towards 0."""


@dataclass(frozen=True, eq=False)
class Unlabelled:
    """Rows to learn from, with what annotators say that saw no label."""

    texts: list[str]
    votes: Votes


def with_tuned_student(
    fitted: FittedSingle,
    weights: Weights,
    held_out: Scores,
    known: Known,
    rows: Unlabelled,
    gateway: Gateway,
) -> tuple[FittedSingle, Weights, Scores, Step]:
    """Return annotators, weights and held-out scores with the fine-tuned student, if it is used.

    Like the other student it is left out only where gold proves that it makes things worse.

    Parameters
    ----------
    weights, held_out
        Of the other annotators; (m, k) scores of the gold rows.
    known
        The m gold rows.
    """
    settings = fitted.settings
    student = taught_with_gold(
        rows.texts, rows.votes, known, seed=settings.seed, told=gateway.telling(f"teach: {TUNED}")
    )
    if isinstance(student, str):
        return fitted, weights, held_out, Step(TUNED, False, student)
    scores = student.scores(known.texts)
    joint = _held_out(held_out, scores, known.truth, settings)
    found = gained(held_out, joint, scores, known.truth, fitted.task.class_names)
    if found.evidence.interval.high < 0:
        return fitted, weights, held_out, found.step(TUNED)
    told = replace(found.step(TUNED), used=True, why=_told(found), accuracy=found.after)
    weight = weight_beside(held_out, scores, known.truth.codes, known.truth.teaching)
    weights = replace(weights, annotators=np.append(weights.annotators, weight))
    return replace(fitted, tuned=student), weights, joint, told


def weight_beside(others: Scores, scores: Scores, codes: Codes, counts: Scores | None) -> float:
    """Return how much (m, k) scores count beside the others' that explains the classes best.

    One number, and a temperature for both, by maximum likelihood; the number is drawn towards
    3. Both scores must be held out.
    """
    from scipy.optimize import minimize

    rows = np.arange(len(codes))
    each = evened(counts, len(codes))

    def loss(given: Scores) -> float:
        shares = softmax(np.exp(given[0]) * (others + given[1] * scores))
        unlikely = -(each * np.log(shares[rows, codes] + TINY)).sum()
        drawn = FIRMNESS * (given[1] - EXPECTED) ** 2 + LOOSENESS * given[0] ** 2
        return float(unlikely + drawn)

    found = minimize(loss, np.array([0.0, EXPECTED]), method="Nelder-Mead")
    return float(max(found.x[1], 0.0))


def _held_out(others: Scores, scores: Scores, truth: Truth, settings: LabelSettings) -> Scores:
    """Return (m, k) joint scores, each under the weight that the other folds teach."""
    joint = np.empty_like(scores)
    for train, test, some in folds_of(truth, settings):
        weight = weight_beside(others[train], scores[train], some.codes, some.teaching)
        joint[test] = others[test] + weight * scores[test]
    return joint


def _told(found: Gain) -> str:
    gain, n = found.evidence.estimate, found.evidence.n
    return f"used, as gold does not show that it harms: gain in log-loss {gain:+.3f}, n = {n}"
