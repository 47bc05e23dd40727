"""What the stages of a cascade accept together: one threshold, one test on gold."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

import numpy as np
from numpy.typing import NDArray

from assay.evidence import accept_cascade
from assay.evidence.accepting import Acceptance
from assay.evidence.cascading import stage_of
from assay.label.spec import Checked, Stage

Shares = NDArray[np.float64]


def acceptance_of(
    stages: Sequence[Stage], precision: float | None, confidence: float
) -> Acceptance | None:
    """Return the threshold of the stages that are judged; None without gold or a precision."""
    held = measuring(each for each in stages if each.judged)
    if precision is None or not held:
        return None
    scores, correct = _side_by_side(held)
    return accept_cascade(
        scores, correct, precision=precision, confidence=confidence, weights=held[0].weights
    )


def measuring(stages: Iterable[Stage]) -> list[Checked]:
    """Return how the gold rows that measure fared in each stage."""
    found = [None if each.checked is None else each.checked.measured for each in stages]
    return [each for each in found if each is not None]


def _side_by_side(held: Sequence[Checked]) -> tuple[Shares, Shares]:
    """Return (s, m) scores and correctness; a row without an answer is never certain."""
    first = {row_id: place for place, row_id in enumerate(held[0].row_ids)}
    scores = np.full((len(held), len(first)), -1.0)
    correct = np.zeros((len(held), len(first)))
    for stage, checked in enumerate(held):
        for place, row_id in enumerate(checked.row_ids):
            if row_id in first and np.isfinite(checked.probability[place]):
                scores[stage, first[row_id]] = checked.probability[place]
                correct[stage, first[row_id]] = checked.correct[place]
    return scores, correct


def expected_coverage(
    held: Sequence[Checked], weights: Shares | None, precision: float
) -> tuple[float, float]:
    """Return the coverage that the scores alone promise at ``precision``, and its threshold."""
    scores, _ = _side_by_side(held)
    weight = np.ones(scores.shape[1]) if weights is None else weights
    for level in np.unique(np.concatenate([[-2.0], scores.max(axis=0)])):
        stage = stage_of(scores, level)
        sure = np.flatnonzero(stage >= 0)
        if not len(sure):
            break
        claimed = np.average(scores[stage[sure], sure], weights=weight[sure])
        if claimed >= precision:
            return float(weight[sure].sum() / weight.sum()), float(level)
    return 0.0, float(scores.max())


def reaching(held: Sequence[Checked], weights: Shares | None, level: float) -> Shares:
    """Return the share of the rows that each stage is asked about, (s,), under a threshold."""
    scores, _ = _side_by_side(held)
    before = np.maximum.accumulate(scores, axis=0)[:-1]
    going = np.concatenate([np.ones((1, scores.shape[1])), before <= level])
    return np.asarray(np.average(going, axis=1, weights=weights))


def under_policy(held: Sequence[Checked], threshold: float) -> Checked:
    """Return how the gold rows fare when each is answered as a row to label would be."""
    scores, correct = _side_by_side(held)
    stage = stage_of(scores, threshold)
    stage = np.where(stage < 0, scores.argmax(axis=0), stage)
    known = [dict(zip(each.row_ids, each.labels, strict=True)) for each in held]
    rows = np.arange(scores.shape[1])
    first = held[0]
    return Checked(
        row_ids=first.row_ids,
        truth=first.truth,
        labels=[known[at].get(row) for at, row in zip(stage, first.row_ids, strict=True)],
        probability=scores[stage, rows],
        correct=correct[stage, rows].astype(np.bool_),
        weights=first.weights,
        votes=_votes_under(held, stage),
    )


def _votes_under(held: Sequence[Checked], stage: NDArray[np.int64]) -> dict[str, Shares]:
    """Return what the stage that answers each row says beside, where every stage says it."""
    first = held[0]
    places = [{row: place for place, row in enumerate(each.row_ids)} for each in held]
    names = [name for name in first.votes if all(name in each.votes for each in held)]
    found = {name: np.full((len(stage), first.votes[name].shape[1]), np.nan) for name in names}
    for row, (at, row_id) in enumerate(zip(stage.tolist(), first.row_ids, strict=True)):
        for name in names:
            if row_id in places[at]:
                found[name][row] = held[at].votes[name][places[at][row_id]]
    return found


def finite(probability: Shares) -> Shares:
    """Return probabilities with -1 where there is none."""
    return np.where(np.isfinite(probability), probability, -1.0)
