"""Small models that put votes together: gold moves them, and without gold they still answer."""

from __future__ import annotations

from collections.abc import Hashable, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from assay.seeds import derive_seed

Floats = NDArray[np.float64]
EDGE = 1e-6
"""Probabilities stay this far from 0 and 1, so that their log-odds are finite."""
NEWTON_STEPS = 50
SMALL = 1e-9
LEAST_SLOPE = 0.05
RIDGE_GRID = tuple(float(10**each) for each in np.linspace(-1.5, 2.5, 9))


def log_odds(probability: Floats) -> Floats:
    """Return log p / (1 - p), with p kept off 0 and 1."""
    inside = np.clip(probability, EDGE, 1 - EDGE)
    return np.asarray(np.log(inside) - np.log1p(-inside))


def share(scores: Floats) -> Floats:
    """Return the probabilities of log-odds."""
    return np.asarray(1 / (1 + np.exp(-np.clip(scores, -50, 50))))


@dataclass(frozen=True, eq=False)
class Logistic:
    """A logistic model of d votes.

    Attributes
    ----------
    weights
        (d,) how much each vote counts.
    bias
        Log-odds where every vote is 0.
    """

    weights: Floats
    bias: float

    def scores(self, votes: Floats) -> Floats:
        """Return the log-odds of (..., d) votes."""
        return np.asarray(votes @ self.weights + self.bias)


def fit_logistic(
    votes: Floats,
    truth: NDArray[np.bool_],
    centre: Logistic,
    *,
    weights: Floats | None = None,
    strength: float = 1.0,
    bias_strength: float = 0.1,
) -> Logistic:
    """Return the likeliest model under a normal prior around ``centre``.

    Few rows leave it near the centre, many move it to the data: one rule from no gold on.

    Parameters
    ----------
    votes
        (m, d).
    truth
        (m,).
    weights
        (m,) importance weights of mean 1, or None.
    strength, bias_strength
        Precision of the prior, of the weights and of the bias.
    """
    design = np.column_stack([votes, np.ones(len(votes))])
    start = np.append(centre.weights, centre.bias)
    precision = np.append(np.full(len(centre.weights), strength), bias_strength)
    counts = np.ones(len(votes)) if weights is None else weights

    def loss(at: Floats) -> float:
        scores = design @ at
        wrong = np.logaddexp(0.0, np.where(truth, -scores, scores))
        return float(counts @ wrong + precision @ (at - start) ** 2 / 2)

    found = start.copy()
    for _ in range(NEWTON_STEPS):
        chance = share(design @ found)
        slope = design.T @ (counts * (truth - chance)) - precision * (found - start)
        bend = (design.T * (counts * chance * (1 - chance))) @ design + np.diag(precision)
        step, now = np.linalg.solve(bend, slope), loss(found)
        while loss(found + step) > now and np.abs(step).max() > SMALL:
            step = step / 2
        found = found + step
        if np.abs(step).max() <= SMALL:
            break
    return Logistic(found[:-1], float(found[-1]))


@dataclass(frozen=True)
class Calibration:
    """Log-odds stretched and moved, so that a stated probability is met (Platt 1999)."""

    slope: float = 1.0
    offset: float = 0.0

    def __call__(self, probability: Floats) -> Floats:
        """Return calibrated probabilities; NaN stays NaN, and order is kept."""
        return share(self.slope * log_odds(probability) + self.offset)


def fit_calibration(
    probability: Floats, correct: NDArray[np.bool_], weights: Floats | None = None
) -> Calibration:
    """Return the calibration of held-out probabilities, drawn towards leaving them alone.

    It rises with the probability, so that a threshold on the one is a threshold on the other.
    """
    if len(correct) == 0:
        return Calibration()
    raw, slope = log_odds(probability)[:, None], 1.0
    for _ in range(2):  # where more certain answers are not righter, the level alone is learned
        found = fit_logistic(raw, correct, Logistic(np.array([slope]), 0.0), weights=weights,
                             strength=10.0 if slope == 1.0 else 1e6, bias_strength=0.1)  # fmt: skip
        if found.weights[0] >= LEAST_SLOPE:
            break
        slope = LEAST_SLOPE
    return Calibration(max(LEAST_SLOPE, float(found.weights[0])), found.bias)


@dataclass(frozen=True, eq=False)
class Ridge:
    """Linear regression from vectors to k targets, kept small."""

    middle: Floats
    base: Floats
    map: Floats

    def __call__(self, vectors: Floats) -> Floats:
        """Return (n, k) log-odds from (n, dim) vectors."""
        return _as_log_odds((vectors - self.middle) @ self.map + self.base)


def fit_ridge(vectors: Floats, targets: Floats) -> tuple[Ridge, Floats]:
    """Return a ridge regression, and the log-odds (m, k) of each row without its own target.

    The penalty is the one with the least error of rows left out, which has a closed form.

    Parameters
    ----------
    vectors
        (m, dim).
    targets
        (m, k), 0 or 1.
    """
    middle, base = vectors.mean(axis=0), targets.mean(axis=0)
    left, sizes, right = np.linalg.svd(vectors - middle, full_matrices=False)
    centred = targets - base
    mixed, squares = left.T @ centred, sizes**2
    best: tuple[float, Floats, Floats] | None = None
    for penalty in RIDGE_GRID:
        kept = squares / (squares + penalty)
        lever = (left**2) @ kept + 1 / len(vectors)
        residual = (centred - left @ (kept[:, None] * mixed)) / (1 - lever)[:, None]
        error = float((residual**2).sum())
        if best is None or error < best[0]:
            shrunk = (sizes / (squares + penalty))[:, None] * mixed
            best = error, right.T @ shrunk, targets - residual
    assert best is not None  # noqa: S101 - the grid is not empty
    return Ridge(middle, base, best[1]), _as_log_odds(best[2])


def _as_log_odds(guesses: Floats) -> Floats:
    inside = np.clip(guesses, 0.02, 0.98)
    return np.asarray(np.log(inside / (1 - inside)))


def folds(keys: Sequence[Hashable], count: int, seed: int) -> NDArray[np.intp]:
    """Return each row's fold, (m,); rows of one key, such as one text, share it."""
    different = list(dict.fromkeys(keys))
    order = np.random.default_rng(derive_seed(seed, "folds")).permutation(len(different))
    fold_of = {different[position]: place % count for place, position in enumerate(order)}
    return np.array([fold_of[key] for key in keys], dtype=np.intp)
