"""How large the classes are, for a student that learned from as many rows of each."""

from __future__ import annotations

import numpy as np

from assay.label.single.scores import TINY, Scores, evened, logs, softmax
from assay.label.single.truth import Truth

STEPS = 100
"""After which a level gives the classes the shares that are wanted."""
SIMULATED, LEVEL = 999, 0.01
"""Of the test that classes differ in size."""


def level_of(read: Scores, shares: Scores | None) -> Scores:
    """Return (k,) what to take off log-probabilities.

    Encoders learn from as many rows of each class, where there are. Where gold does not prove that
    classes differ in size, the mean is taken off; else what gives the classes these shares.

    Parameters
    ----------
    read
        (n, k) log-probabilities of rows that the encoder did not learn from.
    shares
        (k,) of the classes, or None.
    """
    if shares is None:
        return np.asarray(read.mean(axis=0))
    level = np.zeros(read.shape[1])
    for _ in range(STEPS):
        level += logs(softmax(read - level).mean(axis=0)) - logs(shares)
    return level


def shares_proven(truth: Truth, classes: int, random: np.random.Generator) -> Scores | None:
    """Return (k,) class shares, or None where classes of one size explain the drawn gold rows.

    A likelihood-ratio test of equal shares, its distribution simulated since classes are many and
    rows are few, at 1 %. Shares are smoothed by half a row of each class (Jeffreys).
    """
    drawn = truth.only(truth.drawn)
    each = evened(drawn.measuring, len(drawn))
    counts = np.bincount(drawn.codes, each, minlength=classes).astype(np.float64)
    even = np.full(classes, 1.0 / classes)
    simulated = random.multinomial(len(drawn), even, size=SIMULATED).astype(np.float64)
    beyond = (_surprise(simulated) >= _surprise(counts[None])).sum()
    if (1 + beyond) / (1 + SIMULATED) >= LEVEL:
        return None
    return np.asarray((counts + 0.5) / (counts.sum() + 0.5 * classes))


def _surprise(counts: Scores) -> Scores:
    """Return how much likelier (n, k) counts are under their own shares than under equal ones."""
    shares = counts / counts.sum(axis=1, keepdims=True)
    return np.asarray((counts * np.log(np.maximum(shares, TINY) * counts.shape[1])).sum(axis=1))
