"""From which score on can answers be accepted unseen? A threshold with a guaranteed precision."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Any

import numpy as np

from assay.errors import InputError
from assay.evidence.labels import Labels
from assay.evidence.numbers import as_array, finite
from assay.evidence.precision_tests import Betting, Binomial, below, read, steps


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
