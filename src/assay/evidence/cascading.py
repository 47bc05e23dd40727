"""One threshold for a cascade of models: all that is accepted holds a precision."""

from __future__ import annotations

import math
from typing import Any

import numpy as np
from numpy.typing import NDArray

from assay.errors import InputError
from assay.evidence.accepting import Acceptance
from assay.evidence.numbers import Floats
from assay.evidence.precision_tests import Betting, Binomial, below, read, steps


def accept_cascade(
    scores: Any,
    correct: Any,
    *,
    precision: float = 0.95,
    confidence: float = 0.95,
    weights: Any = None,
    seed: int = 0,
) -> Acceptance:
    """Find the lowest threshold at which a cascade's accepted answers are right often enough.

    A row is answered by the first stage whose score is above the threshold, and by nobody where
    none is. The lower the threshold, the more rows are accepted and the fewer go up: of all
    thresholds that hold the precision, the lowest accepts most and costs least.

    Parameters
    ----------
    scores
        (s, n) how certain each of s stages was of each checked row, first stage first.
    correct
        (s, n) whether each was right.
    weights
        (n,) importance weights; see :func:`accept_threshold`.
    seed
        Order in which weighted rows are bet on.

    Returns
    -------
    Acceptance
        With probability at least ``confidence`` over the draw of the checked rows, the answers
        that the whole cascade accepts are right at least ``precision`` of the time.

    Notes
    -----
    One fixed-sequence test of the whole policy (Learn then Test, Angelopoulos et al. 2021), from
    the highest threshold down, with all of the doubt: nothing is split over the stages.
    """
    certain = np.asarray(scores, dtype=np.float64)
    truth = np.asarray(correct, dtype=np.float64)
    if certain.ndim != 2 or certain.shape != truth.shape or not len(certain):
        raise InputError(
            "scores and correct must have one row a stage and one column a checked row.",
            given=f"{certain.shape}, {truth.shape}",
        )
    reach, _, weight = read(certain.max(axis=0), truth[0], precision, confidence, weights)
    order = np.argsort(-reach, kind="stable")
    reach, certain, truth = reach[order], certain[:, order], truth[:, order]
    n, doubt = len(reach), 1 - confidence
    share = np.ones(n) if weight is None else weight[order]

    def test(right: Floats) -> Binomial | Betting:
        if weight is None:
            return Binomial(right, precision, doubt)
        return Betting(right, share[: len(right)], precision, doubt, float(share.max()), seed)

    accepted = 0
    seen = max(1, n // 4)
    for m in steps(reach, test(truth[0]).start(n)):
        if not test(_right(certain, truth, reach, m)).passes(m):
            seen = accepted or m
            break
        accepted = seen = m
    right = _right(certain, truth, reach, seen)
    needed = None if accepted else test(right).needed(seen)
    return Acceptance(
        threshold=below(reach, accepted) if accepted else None,
        precision=precision,
        confidence=confidence,
        observed=float(np.average(right, weights=share[:seen])),
        coverage=float(share[:accepted].sum() / share.sum()),
        n=n,
        more_rows=None if needed is None else max(1, math.ceil(needed / seen * n) - n),
    )


def stage_of(scores: NDArray[np.float64], threshold: float) -> NDArray[np.intp]:
    """Return the (n,) stage that answers each row; -1 where none is certain enough."""
    sure = scores > threshold
    return np.where(sure.any(axis=0), sure.argmax(axis=0), -1)


def _right(certain: Floats, truth: Floats, reach: Floats, m: int) -> Floats:
    """Return which of the m most certain rows are right, each at the stage that answers it."""
    stage = stage_of(certain[:, :m], below(reach, m))
    return np.asarray(truth[stage, np.arange(m)])
