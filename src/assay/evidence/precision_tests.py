"""Whether the most certain answers are right often enough: exact tests, plain and weighted."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator
from typing import Any

import numpy as np

from assay.errors import InputError
from assay.evidence.numbers import Floats, Rows, as_array, finite

TOLERATED = 2
STEP = 1.2


class Binomial:
    """Exact tail of "no more than ``precision`` of the first m rows are right"."""

    def __init__(self, right: Floats, precision: float, doubt: float) -> None:
        self.hits = np.cumsum(right)
        self.precision = precision
        self.doubt = doubt

    def passes(self, m: int) -> bool:
        """Whether the first m rows are right often enough to be sure."""
        return self._tail(m - int(self.hits[m - 1]), m) <= self.doubt

    def start(self, n: int) -> int:
        """Rows in the first test: enough to survive two errors, where there are as many."""
        for errors in range(TOLERATED, 0, -1):
            rows = self._rows_for(errors)
            if rows is not None and rows <= n // 2:
                return rows
        return self._rows_for(0) or n + 1

    def needed(self, m: int) -> int | None:
        """Rows that would pass, were they right as often as the first m."""
        wrong = 1 - float(self.hits[m - 1]) / m
        if m < self.start(m):  # too few to tell: hope for half the errors that are allowed
            wrong = min(wrong, (1 - self.precision) / 2)
        if wrong >= 1 - self.precision:
            return None
        return _first(lambda rows: self._tail(math.ceil(wrong * rows), rows) <= self.doubt)

    def _rows_for(self, errors: int) -> int | None:
        return _first(lambda m: self._tail(errors, m) <= self.doubt)

    def _tail(self, errors: int, m: int) -> float:
        from scipy import special

        return 1.0 if errors >= m else float(special.bdtr(errors, m, 1 - self.precision))


class Betting:
    """Capital won by betting that the first m rows, in random order, are right often enough.

    Fixed bets of several sizes share the capital, so no size has to be guessed.
    """

    def __init__(
        self, right: Floats, weight: Floats, precision: float, doubt: float, top: float, seed: int
    ) -> None:
        if top < float(weight.max()):
            raise InputError("max_weight is less than a weight.", given=top)
        self.gain = weight * (right - precision)
        self.won = float(weight.mean()) * (1 - precision)
        self.bets = np.geomspace(1 / 64, 0.9, 12)[:, None] / (top * precision)
        self.doubt = doubt
        self.seed = seed

    def passes(self, m: int) -> bool:
        """Whether the capital grew enough at any time."""
        return float(self._capital(m).max()) >= -math.log(self.doubt)

    def start(self, n: int) -> int:
        """Rows in the first test: twice those that would do if all were right."""
        growth = np.log1p(self.bets.ravel() * self.won)
        rows = _first(lambda m: float(np.exp(np.minimum(growth * m, 700)).mean()) >= 1 / self.doubt)
        return n + 1 if rows is None else (2 * rows if rows <= n // 2 else rows)

    def needed(self, m: int) -> int | None:
        """Rows that would pass, did the capital go on growing as over the first m."""
        rate = float(np.log1p(self.bets * self.gain[:m]).mean(axis=1).max())
        cost = math.log(len(self.bets)) - math.log(self.doubt)
        return max(m + 1, math.ceil(cost / rate)) if rate > 0 else None

    def _capital(self, m: int) -> Floats:
        gain = np.random.default_rng(self.seed).permutation(self.gain[:m])
        paths = np.cumsum(np.log1p(self.bets * gain), axis=1)
        return np.asarray(np.logaddexp.reduce(paths, axis=0) - math.log(len(self.bets)))


def steps(values: Floats, start: int) -> Iterator[int]:
    """Yield growing numbers of most certain rows, never cutting through equal scores."""
    n, last = len(values), 0
    while start <= n:
        m = int(np.searchsorted(-values, -values[start - 1], side="right"))
        if m > last:
            yield m
        last = m
        start = n + 1 if m == n else min(n, math.ceil(max(start, m) * STEP))


def _first(passes: Callable[[int], bool]) -> int | None:
    """Return the smallest count that passes, up to a hundred million."""
    low, high = 0, 1
    while not passes(high):
        low, high = high, 2 * high
        if high > 10**8:
            return None
    while high - low > 1:
        middle = (low + high) // 2
        low, high = (low, middle) if passes(middle) else (middle, high)
    return high


def below(values: Floats, m: int) -> float:
    """Return the score that the first m rows are above."""
    if m == len(values):
        return float(np.nextafter(values[-1], -np.inf))
    return float(values[m])


def require_shares(**shares: float | None) -> None:
    """Raise an InputError that names the first one given which does not lie between 0 and 1."""
    for name, share in shares.items():
        if share is not None and not 0 < share < 1:
            raise InputError(f"{name} must be a share.", given=share, allowed="(0, 1)",
                             next_step="write 95 % as 0.95")  # fmt: skip


def read(
    scores: Any, correct: Any, precision: float, confidence: float, weights: Any
) -> tuple[Floats, Floats, Floats | None]:
    """Return scores, correctness and weights as arrays; refuse what cannot be used."""
    require_shares(precision=precision, confidence=confidence)
    values = finite(as_array(scores, "scores"), "scores")
    right = _truths(as_array(correct, "correct"))
    if values.ndim != 1 or values.shape != right.shape:
        raise InputError(
            "scores and correct must have one value a row.", given=f"{values.shape}, {right.shape}"
        )
    if len(values) == 0:
        raise InputError("scores are empty.", next_step="check some answers first")
    if weights is None:
        return values, right, None
    weight = finite(as_array(weights, "weights"), "weights")
    if weight.shape != values.shape or weight.min() <= 0:
        raise InputError("weights must be one positive number a row.", allowed="1 / chance")
    return values, right, weight


def _truths(correct: Rows) -> Floats:
    right = finite(correct, "correct")
    if not np.isin(right, (0, 1)).all():
        raise InputError("correct must be true or false.", allowed="booleans, or 0 and 1")
    return right
