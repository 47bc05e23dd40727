"""How many labels contradict their rows beyond what the overlap of the classes explains.

Where classes merely overlap, labels disagree with the likeliest class ever more rarely the surer
one can be of it; wrong labels leave a floor that no sureness goes below. Logistic regression with
mislabelled responses (Copas 1988, "Binary regression models for contaminated data") has both, and
a likelihood-ratio test of the floor tells them apart as far as the shape of overlap is logistic.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray
from scipy import optimize
from scipy.special import expit
from scipy.stats import chi2

from assay.evidence import Interval

Shares = NDArray[np.float64]
Codes = NDArray[np.intp]

LEVEL = 0.95
PRECISION = 1e-4
SUREST = 0.01
"""What is stated below this is read as this: few models know it better."""
HIGHEST = 0.5
"""No floor above this: a column of labels that is wrong oftener cannot be told from chance."""
BOUNDS = ((-4.0, 4.0), (-8.0, 8.0))
"""Of the log of the slope and of the intercept by which stated odds are calibrated."""


@dataclass(frozen=True)
class Noise:
    """A share of labels that overlap does not explain.

    Attributes
    ----------
    rate
        The likeliest share of labels that were changed to another class.
    interval
        Of the rate, by the profile of the likelihood, at 95 %.
    p_value
        Of there being none, one-sided.
    """

    rate: float
    interval: Interval
    p_value: float


def label_noise(shares: Shares, given: Codes) -> Noise:
    """Return how many labels are wrong beyond overlap, by probabilities that did not see them.

    The probabilities need not be calibrated: slope and intercept of their log odds are fitted
    together with the floor. An overlap that itself levels off, as of a model that is blind to
    what sets the classes apart, looks like wrong labels to this test.

    Parameters
    ----------
    shares
        (n, k) probabilities of each row's class by models that did not see its label.
    given
        (n,) codes of the labels as they are.
    """
    likelihood = _Likelihood(*_odds(shares, given), classes=shares.shape[1])
    least, rate = likelihood.best()
    ratio = max(0.0, 2 * (likelihood.at(0.0) - least))
    # The floor is at its bound under the null: half of the mass is at a ratio of zero.
    p = 0.5 * float(chi2.sf(ratio, 1)) if ratio > 0 else 1.0
    return Noise(rate, likelihood.interval(least, rate), p)


def _odds(shares: Shares, given: Codes) -> tuple[Shares, NDArray[np.bool_]]:
    """Return (n,) log odds of the likeliest class above chance, and whether the label is another's.

    What each class was stated with is brought into the bounds first, so that a single vote short
    of certainty and certainty are nearly the same.
    """
    k = shares.shape[1]
    top = np.clip(shares.max(axis=1), 1 / k, 1 - SUREST)
    odds = np.log(top / (1 - top)) + np.log(k - 1)
    return np.maximum(odds, 1e-3), shares.argmax(axis=1) != given


@dataclass(frozen=True, eq=False)
class _Likelihood:
    """Of the log of the slope, the intercept, and the floor on the scale of log odds."""

    odds: Shares
    other: NDArray[np.bool_]
    classes: int

    def at(self, rate: float) -> float:
        """Return the negative log-likelihood at this floor, the calibration fitted to it."""
        return self._fitted((0.0, 0.0), BOUNDS, rate)[0]

    def best(self) -> tuple[float, float]:
        """Return the lowest negative log-likelihood, and the floor where it is."""
        bounds = (*BOUNDS, (-12.0, float(np.log(HIGHEST / (1 - HIGHEST)))))
        starts = ((0.0, 0.0, -3.0), (0.3, 0.0, -4.5))
        found = [self._fitted(start, bounds) for start in starts]
        least, rate = min((value, float(expit(at[2]))) for value, at in found)
        # No floor at all is among what is compared, however near to it the search has come.
        return min((least, rate), (self.at(0.0), 0.0))

    def interval(self, least: float, rate: float) -> Interval:
        """Return the floors that the likelihood does not rule out at 95 %."""
        reach = float(chi2.ppf(LEVEL, 1)) / 2

        def above(floor: float) -> float:
            return self.at(floor) - least - reach

        low, high = 0.0, HIGHEST
        if rate > 0 and above(0.0) > 0 > above(rate):
            low = float(optimize.brentq(above, 0.0, rate, xtol=PRECISION))
        if above(HIGHEST) > 0 > above(rate):
            high = float(optimize.brentq(above, rate, HIGHEST, xtol=PRECISION))
        return Interval(low, high, LEVEL)

    def _fitted(
        self, start: Sequence[float], bounds: Any, rate: float | None = None
    ) -> tuple[float, Shares]:
        found = optimize.minimize(
            self._cost, start, args=(rate,), jac=True, method="L-BFGS-B", bounds=bounds
        )
        return float(found.fun), found.x

    def _cost(self, at: Shares, rate: float | None) -> tuple[float, Shares]:
        chance = self.classes / (self.classes - 1)
        floor = float(expit(at[2])) if rate is None else rate
        scaled = np.exp(at[0]) * self.odds
        overlap = expit(-at[1] - scaled)
        wrong = np.clip(overlap + floor * (1 - chance * overlap), 1e-12, 1 - 1e-12)
        cost = -np.log(np.where(self.other, wrong, 1 - wrong)).sum()
        by_wrong = np.where(self.other, -1 / wrong, 1 / (1 - wrong))
        by_shift = -by_wrong * (1 - chance * floor) * overlap * (1 - overlap)
        slope = [float((by_shift * scaled).sum()), float(by_shift.sum())]
        if rate is None:
            slope.append(float((by_wrong * (1 - chance * overlap)).sum()) * floor * (1 - floor))
        return float(cost), np.array(slope)
