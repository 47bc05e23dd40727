"""From which score on can answers be accepted unseen? A threshold with a guaranteed precision."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any

import numpy as np

from assay.errors import InputError
from assay.evidence.labels import Labels
from assay.evidence.numbers import Floats, Rows, as_array, finite

TOLERATED = 2
STEP = 1.2


@dataclass(frozen=True)
class Acceptance:
    """Which answers may be accepted without a check.

    Attributes
    ----------
    threshold
        Answers with a score above it are accepted; None where no threshold is safe enough.
    precision, confidence
        With this confidence, at least this share of what is accepted is right.
    observed
        Share that was right among the checked rows above the threshold (of the most certain
        ones tested, where no threshold is safe).
    coverage
        Share of the (weighted) checked rows above the threshold: what need not be checked.
    n
        Checked rows.
    more_rows
        Further checked rows with which a threshold would be expected; None when reachable now,
        or when the scores do not reach this precision at all.
    """

    threshold: float | None
    precision: float
    confidence: float
    observed: float
    coverage: float
    n: int
    more_rows: int | None

    @property
    def reachable(self) -> bool:
        """Whether there is a threshold."""
        return self.threshold is not None

    def accepts(self, scores: Any) -> np.ndarray[Any, np.dtype[np.bool_]]:
        """Return which of (n,) scores are accepted."""
        values = finite(as_array(scores, "scores"), "scores")
        if self.threshold is None:
            return np.zeros(values.shape, dtype=np.bool_)
        return np.asarray(values > self.threshold, dtype=np.bool_)

    def __str__(self) -> str:
        goal = f"{self.precision:.1%} precision at {self.confidence:.0%} confidence"
        if self.threshold is not None:
            return (
                f"accept scores above {_told(self.threshold)}: {goal}, {self.coverage:.1%} of rows "
                f"({self.observed:.1%} right among {self.n} checked)"
            )
        if self.more_rows is not None:
            return f"{goal} is not reachable: with {self.more_rows} more checked rows it could be"
        return f"{goal} is not reachable: the most certain answers are {self.observed:.1%} right"


def _told(threshold: float) -> str:
    """Return a threshold in four digits, or in more where these would round it up to 1."""
    told = (f"{threshold:.{digits}g}" for digits in range(4, 18))
    return next((each for each in told if float(each) < 1 or threshold >= 1), repr(threshold))


def accept_threshold(
    scores: Any,
    correct: Any,
    *,
    precision: float = 0.95,
    confidence: float = 0.95,
    weights: Any = None,
    max_weight: float | None = None,
    seed: int = 0,
) -> Acceptance:
    """Find the lowest threshold above which answers are right often enough.

    Parameters
    ----------
    scores
        (n,) how certain each checked answer was.
    correct
        (n,) whether it was right.
    weights
        (n,) importance weights, for rows drawn with unequal chances (active sampling):
        1 / chance, up to a constant.
    max_weight
        Largest weight that any row could have had; by default the largest in ``weights``.
    seed
        Order in which weighted rows are bet on.

    Returns
    -------
    Acceptance
        With probability at least ``confidence`` over the draw of the checked rows, the
        precision above ``threshold`` is at least ``precision``.

    Notes
    -----
    Learn-then-Test (Angelopoulos et al. 2021) with fixed-sequence testing from the most
    certain rows down, in steps set by the number of rows alone. Unweighted: exact binomial
    tails. Weighted: a betting test (Waudby-Smith and Ramdas 2024), valid for any n.
    """
    values, right, weight = read(scores, correct, precision, confidence, weights)
    order = np.argsort(-values, kind="stable")
    values, right = values[order], right[order]
    n, doubt = len(values), 1 - confidence
    share = np.ones(n) if weight is None else weight[order]
    test: Binomial | Betting = Binomial(right, precision, doubt)
    if weight is not None:
        top = float(share.max()) if max_weight is None else max_weight
        test = Betting(right, share, precision, doubt, top, seed)
    accepted, seen = 0, max(1, n // 4)
    for m in steps(values, test.start(n)):
        if not test.passes(m):
            seen = accepted or m
            break
        accepted = seen = m
    observed = float(np.average(right[:seen], weights=share[:seen]))
    needed = None if accepted else test.needed(seen)
    return Acceptance(
        threshold=below(values, accepted) if accepted else None,
        precision=precision,
        confidence=confidence,
        observed=observed,
        coverage=float(share[:accepted].sum() / share.sum()),
        n=n,
        more_rows=None if needed is None else max(1, math.ceil(needed / seen * n) - n),
    )


def accept_by_class(
    scores: Any,
    correct: Any,
    predicted: Any,
    *,
    precision: float = 0.95,
    confidence: float = 0.95,
    weights: Any = None,
) -> dict[str, Acceptance]:
    """Find a threshold for each predicted class; all of them hold together.

    The doubt is shared out evenly over the classes (Bonferroni). A class without checked rows
    has no entry. Parameters are those of :func:`accept_threshold`, and (n,) predicted classes.
    """
    values, right, weight = read(scores, correct, precision, confidence, weights)
    answers = Labels(as_array(predicted, "predicted"), "predicted")
    if len(answers.positions) != len(values):
        raise InputError("scores and predicted must have the same number of rows.")
    doubt = (1 - confidence) / len(answers.names)
    return {
        name: accept_threshold(
            values[answers.positions == code],
            right[answers.positions == code],
            precision=precision,
            confidence=1 - doubt,
            weights=None if weight is None else weight[answers.positions == code],
            max_weight=None if weight is None else float(weight.max()),
        )
        for code, name in enumerate(answers.names)
    }


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


def read(
    scores: Any, correct: Any, precision: float, confidence: float, weights: Any
) -> tuple[Floats, Floats, Floats | None]:
    """Return scores, correctness and weights as arrays; refuse what cannot be used."""
    for name, share in (("precision", precision), ("confidence", confidence)):
        if not 0 < share < 1:
            raise InputError(f"{name} must be a share.", given=share, allowed="(0, 1)")
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
