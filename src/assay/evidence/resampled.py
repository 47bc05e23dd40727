"""A statistic with its bootstrap distribution: BCa intervals and p-values."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from assay.evidence.numbers import Floats

HALF_UNITS = 2 * 0.5**2
"""Variance of two pseudo-units of one half, one in favour of each model."""


@dataclass(frozen=True)
class Resampled:
    """A statistic with its bootstrap distribution.

    Attributes
    ----------
    replicates
        (b,) values on resampled rows.
    acceleration
        Skewness of the row influences over six.
    df
        Degrees of freedom: the interval is as much wider as a t interval would be ("expanded
        percentiles", Hesterberg 2015), which matters when a class is rare.
    swapped
        (b,) gains when models are swapped at random within units; None for a single model.
    one_unit
        The most that the rows of one unit can change. Half of it, won once and lost once, is
        added to the spread of the swaps: models that agree on every row of a rare class may
        differ on the next.
    """

    value: float
    replicates: Floats
    acceleration: float
    units: int
    df: float = np.inf
    swapped: Floats | None = None
    one_unit: float = 0.0

    @property
    def se(self) -> float:
        """Bootstrap standard error."""
        return float(self.replicates.std(ddof=1))

    def interval(self, level: float) -> tuple[float, float]:
        """BCa interval, no narrower than the spread under random swaps allows."""
        from scipy import special, stats

        z = stats.t.ppf(np.array([0.5 - level / 2, 0.5 + level / 2]), self.df)
        low = high = self.value
        if np.ptp(self.replicates) > 0:
            bias = _z(_share_below(self.replicates, self.value))
            shares = special.ndtr(bias + (bias + z) / (1 - self.acceleration * (bias + z)))
            low, high = np.quantile(self.replicates, np.clip(shares, 0, 1))
        if self.swapped is not None:
            spread = float(np.sqrt((self.swapped**2).mean() + HALF_UNITS * self.one_unit**2))
            low, high = min(low, self.value + z[0] * spread), max(high, self.value + z[1] * spread)
        return float(low), float(high)

    def p_above(self, null: float = 0.0) -> float:
        """One-sided p-value of "the true value is at most ``null``"."""
        return max(self._p_bootstrap(null), self._p_swapped(null))

    def _p_bootstrap(self, null: float) -> float:
        """Invert BCa."""
        from scipy import special

        floor = 1 / (len(self.replicates) + 1)
        if np.ptp(self.replicates) == 0:
            return 1.0 if self.value <= null else floor
        bias = _z(_share_below(self.replicates, self.value))
        shift = _z(_share_below(self.replicates, null)) - bias
        return max(float(special.ndtr(shift / (1 + self.acceleration * shift) - bias)), floor)

    def _p_swapped(self, null: float) -> float:
        if self.swapped is None:
            return 0.0
        above = _share_below(-self.swapped, null - self.value, ties=1.0)
        return (above * len(self.swapped) + 1) / (len(self.swapped) + 1)


def acceleration(influence: Floats, multiplicity: Floats) -> float:
    """Return the skewness of the influences over six."""
    squares = float(multiplicity @ influence**2)
    cubes = float(multiplicity @ influence**3)
    return cubes / (6 * squares**1.5) if squares > 0 else 0.0


def _share_below(replicates: Floats, value: float, ties: float = 0.5) -> float:
    """Share of replicates below ``value``; ties count half unless told otherwise."""
    near = 1e-12 * max(1.0, abs(value))
    below = float((replicates < value - near).mean())
    return below + float((np.abs(replicates - value) <= near).mean()) * ties


def _z(share: float) -> float:
    from scipy import special

    return float(special.ndtri(min(max(share, 1e-6), 1 - 1e-6)))
