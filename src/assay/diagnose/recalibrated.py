"""Whether a group's answers are right as often as the model's other answers that it is as sure of.

What the others came true at is a line that never falls as the model gets surer (isotonic
regression; Zadrozny and Elkan 2002), so a model that is off everywhere alike is not called off in a
group, whatever the shape of its error.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from assay.diagnose.case import Floats
from assay.tables.predicate import Mask


@dataclass(frozen=True, eq=False)
class Line:
    """How often answers are wrong, by how sure the model is, from rows outside of a group.

    Attributes
    ----------
    low, high
        (b,) the sureness that each level step reaches from and to, ascending.
    wrong, size
        (b,) how many of a step's rows are wrong, and how many there are.
    """

    low: Floats
    high: Floats
    wrong: Floats
    size: Floats

    @classmethod
    def of(cls, sure: Floats, wrong: Floats) -> Line:
        """Return the line through (n,) rows."""
        from sklearn.isotonic import IsotonicRegression

        order = np.argsort(sure, kind="stable")
        sure, wrong = sure[order], wrong[order]
        level = IsotonicRegression(increasing=False).fit_transform(sure, wrong)
        step = np.concatenate([[0], np.cumsum(np.abs(np.diff(level)) > 1e-12)])
        first = np.unique(step, return_index=True)[1]
        last = np.append(first[1:], len(sure)) - 1
        size = np.bincount(step).astype(np.float64)
        return cls(sure[first], sure[last], np.asarray(np.bincount(step, wrong), np.float64), size)

    def chances(self, sure: Floats, *, side: float = 0.0) -> Floats:
        """Return (m,) how likely each answer is wrong by the line."""
        left, right, part = self._between(sure)
        shares = self._shares(side)
        found: Floats = (1 - part) * shares[left] + part * shares[right]
        return found

    def expected(self, sure: Floats, *, side: float) -> tuple[float, float]:
        """Return the share of (m,) rows that is to be expected wrong, and its variance.

        Each step errs to the side of caution by one row: of those that are called too sure
        (``side`` above 0) one more is expected wrong, of those not sure enough none more.
        """
        left, right, part = self._between(sure)
        shares = self._shares(side)
        rows = np.bincount(left, 1 - part, len(shares)) + np.bincount(right, part, len(shares))
        held = rows / len(sure)
        return float(held @ shares), float(held**2 @ (shares * (1 - shares) / (self.size + 2)))

    def _shares(self, side: float) -> Floats:
        shares: Floats = (self.wrong + (side > 0)) / (self.size + 2)
        return shares

    def _between(self, sure: Floats) -> tuple[np.ndarray, np.ndarray, Floats]:
        """Return the steps that each row lies between, and how far it is on its way to the next."""
        edges = np.column_stack([self.low, self.high]).ravel()
        places = np.repeat(np.arange(len(self.low)), 2)
        at = np.clip(np.searchsorted(edges, sure, side="right"), 1, len(edges) - 1)
        gap = edges[at] - edges[at - 1]
        part = np.clip((sure - edges[at - 1]) / np.where(gap > 0, gap, 1.0), 0.0, 1.0)
        return places[at - 1], places[at], part


def wrong_beyond(sure: Floats, wrong: Floats, inside: Mask, *, side: float) -> float:
    """Return the one-sided p-value of a group's answers being wrong too often, or too seldom.

    Were its rows wrong as often as others at the same sureness, the count of wrong ones would be
    a sum of unlike chances; a binomial of their mean is never less cautious in the tail (Hoeffding
    1956). That the line is itself measured makes it a beta-binomial.

    Parameters
    ----------
    sure, wrong
        (n,) the top class's probability, and 1 where it is not the true one.
    inside
        (n,) which rows are of the group.
    side
        Above 0 where the group is said to be too sure, below where not sure enough.
    """
    from scipy import stats

    line = Line.of(sure[~inside], wrong[~inside])
    mean, variance = line.expected(sure[inside], side=side)
    mean = min(max(mean, 1e-9), 1 - 1e-9)
    count, size = round(float(wrong[inside].sum())), int(inside.sum())
    weight = max(2.0, mean * (1 - mean) / max(variance, 1e-12) - 1)
    found = stats.betabinom(size, mean * weight, (1 - mean) * weight)
    return float(found.sf(count - 1) if side > 0 else found.cdf(count))
