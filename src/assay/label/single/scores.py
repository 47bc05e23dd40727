"""Arithmetic on scores: (n, k) numbers whose softmax is a vote."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

Scores = NDArray[np.float64]
Codes = NDArray[np.intp]

TINY = 1e-12
FEW = 10
"""Rows that are worth as much as the belief that a model says nothing too often."""
WEIGHT = 2.0
"""How much a vote counts that agrees with another all the time; all are on one scale."""


def evened(counts: Scores | None, rows: int) -> Scores:
    """Return (rows,) how much each row counts, 1 on average; None counts all alike."""
    return np.ones(rows) if counts is None else np.asarray(counts / counts.mean())


def softmax(scores: Scores) -> Scores:
    """Return probabilities, row by row; a row with NaN stays NaN."""
    powers = np.exp(scores - scores.max(axis=1, keepdims=True))
    return np.asarray(powers / powers.sum(axis=1, keepdims=True))


def logs(probabilities: Scores) -> Scores:
    """Return logarithms of probabilities; 0 counts as the smallest."""
    return np.asarray(np.log(np.clip(probabilities, TINY, None)))


def even(scores: Scores, size: float = 1.0) -> Scores:
    """Return each row's scores around 0, divided by ``size``."""
    return np.asarray((scores - scores.mean(axis=1, keepdims=True)) / size)


def by_class(scores: Scores, owner: Codes, classes: int) -> Scores:
    """Return for each class the log of the mean power of its columns, (n, classes)."""
    out = np.empty((len(scores), classes))
    for code in range(classes):
        some = scores[:, owner == code]
        with np.errstate(invalid="ignore"):  # rows without an answer stay NaN
            out[:, code] = np.logaddexp.reduce(some, axis=1) - np.log(some.shape[1])
    return out


def best_by_class(scores: Scores, owner: Codes, classes: int) -> Scores:
    """Return for each class the largest of its columns, (n, classes)."""
    return np.stack([scores[:, owner == code].max(axis=1) for code in range(classes)], axis=1)


def listed_or_least(scores: Scores) -> Scores:
    """Return scores with what a row did not list, minus infinity, as its least that it did."""
    out = np.isneginf(scores)
    least = np.where(out, np.inf, scores).min(axis=1, keepdims=True)
    return np.where(out, least, scores)


def mean_said(raw: Scores) -> Scores:
    """Return what is said on average; few rows, which may well be all of one class, count less.

    What a row did not list, minus infinity, is left out.
    """
    found = raw[~np.isnan(raw).any(axis=1)]
    listed = np.isfinite(found)
    return np.asarray(np.where(listed, found, 0.0).sum(axis=0) / (listed.sum(axis=0) + FEW))


def spread(scores: Scores) -> float:
    """Return the standard deviation of all scores that are there, or 1 where there is none."""
    found = float(np.nanstd(scores)) if np.isfinite(scores).any() else 0.0
    return found if found > TINY else 1.0


def agreement(one: Codes, other: Codes, classes: int) -> float:
    """Return how far two say the same beyond chance, 0 to 1 (Cohen 1960)."""
    chance = float(np.bincount(one, minlength=classes) @ np.bincount(other, minlength=classes))
    chance /= len(one) ** 2
    return max(0.0, (float((one == other).mean()) - chance) / max(1 - chance, 1e-9))


def weight_of(agreed: float) -> float:
    """Return how much a vote counts where no gold says so, from its agreement beyond chance."""
    return WEIGHT * agreed**2
