"""Normal-theory tests on rows: means of paired row differences, and what linearises to them.

Every statistic here is a value and an influence for each row (its mean is zero). The row
influences of several fits are averaged before the test, so a row that was predicted once in
each repeat of a cross-validation counts once (CV-CLT: Bayle, Bayle, Janson and Mackey 2020).
"""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np

from assay.errors import InputError
from assay.evidence.numbers import Codes, Floats

MIN_ROWS = 10
FEWEST_OF_TWO = 5
"""Rows, or groups, of each of two classes, below which it cannot be told how much one varies."""
PSEUDO_PLACEMENT = 0.4
"""Half-width of the two pseudo-placements behind the interval of a difference of areas, as a
share of the largest standard deviation that a placement can have."""


@dataclass(frozen=True)
class Linear:
    """One fit's statistic: its value and every row's influence on it.

    Attributes
    ----------
    influence
        (n,), mean zero; the standard error is ``sqrt(sum(influence**2)) / n``.
    bound
        Largest possible difference of two models on one row, where there is one.
    strata
        Two-sample statistics (AUC): which sample each row belongs to.
    classes
        (n,) true class of each row, where the statistic is a mean over all of them: a rare
        class may carry most of the variance on few rows.
    area
        Of an AUC its value; of a difference the mean of both.
    """

    value: float
    influence: Floats
    bound: float | None = None
    strata: Codes | None = None
    classes: Codes | None = None
    area: float | None = None

    def __sub__(self, other: Linear) -> Linear:
        area = None
        if self.area is not None and other.area is not None:
            area = (self.area + other.area) / 2
        return replace(
            self,
            value=self.value - other.value,
            influence=self.influence - other.influence,
            area=area,
        )

    def __neg__(self) -> Linear:
        return replace(self, value=-self.value, influence=-self.influence)


@dataclass(frozen=True)
class Pooled:
    """The statistic over all fits, with its standard error and degrees of freedom.

    ``centre`` is where the interval is centred; it differs from ``value`` only by the two
    pseudo-rows of a bounded loss. ``se_fits`` is the part of ``se`` due to refitting, and
    ``slack`` a variance that widens the interval alone.
    """

    value: float
    centre: float
    se: float
    df: float
    se_fits: float
    units: int
    slack: float = 0.0

    def interval(self, level: float) -> tuple[float, float]:
        """Two-sided t interval."""
        from scipy import stats

        reach = float(stats.t.ppf(0.5 + level / 2, self.df)) * (self.se**2 + self.slack) ** 0.5
        return self.centre - reach, self.centre + reach

    def p_above(self, null: float = 0.0) -> float:
        """One-sided p-value of "the true value is at most ``null``"."""
        from scipy import stats

        if self.se == 0:
            return 1.0 if self.centre <= null else 0.0
        return float(stats.t.sf((self.centre - null) / self.se, self.df))


def pool(fits: list[Linear], groups: Codes | None, *, paired: bool, between: bool) -> Pooled:
    """Average fits row by row and return the pooled statistic.

    Parameters
    ----------
    groups
        Group codes; sums over a group are the independent units (cluster-robust).
    paired
        The influences are differences of two models. A bounded loss then gets one pseudo-row
        in favour of each model (Bonett and Price 2012), which keeps size and coverage when
        the models disagree on few rows. A difference of areas gets two pseudo-placements in
        its interval alone: with ten rows of a class DeLong's covers 92 %.
    between
        Add the variance between fits, the part that row noise does not explain (two-way
        analysis of variance; Bouthillier et al. 2021).
    """
    values = np.array([each.value for each in fits])
    value = float(values.mean())
    stacked = np.stack([each.influence for each in fits]) if len(fits) > 1 else None
    mean = fits[0].influence if stacked is None else stacked.mean(axis=0)
    n = len(mean)
    if n < MIN_ROWS:
        raise InputError(
            "too few rows for a test on row means.",
            given=f"{n} rows",
            allowed=f"at least {MIN_ROWS}",
            next_step="label more rows",
        )
    row_variance, df, held = _row_variance(mean, groups, fits[0])
    slack = _slack(fits, held) if paired else 0.0
    centre = value
    bound = fits[0].bound
    if paired and bound is not None:
        centre = value * n / (n + 2)
        row_variance = (row_variance * n**2 + 2 * bound**2) / (n + 2) ** 2
    fit_variance = 0.0
    if between and stacked is not None:
        fit_variance = _fit_variance(values, stacked - mean, groups) / len(fits)
    variance = float(row_variance + fit_variance)
    if fit_variance > 0:
        df = variance**2 / (row_variance**2 / df + fit_variance**2 / (len(fits) - 1))
    units = n if groups is None else int(groups.max()) + 1
    return Pooled(value, centre, variance**0.5, df, fit_variance**0.5, units, slack)


def _row_variance(
    influence: Floats, groups: Codes | None, like: Linear
) -> tuple[float, float, Floats]:
    """Variance of the mean, degrees of freedom, and the units that hold each sample."""
    n = len(influence)
    sums = influence if groups is None else np.bincount(groups, weights=influence)
    count = len(sums)
    kinds = like.strata if like.strata is not None else like.classes
    if kinds is None:
        return float(sums @ sums) / n**2 * count / (count - 1), count - 1.0, np.array([count])
    parts, held = _by_kind(influence, groups, kinds)
    if like.strata is None:
        df = _satterthwaite(parts, np.maximum(held - 1, 1), count - 1.0)
        return float(sums @ sums) / n**2 * count / (count - 1), df, held
    if parts.sum() == 0:
        return 0.0, held.min() - 1.0, held
    inflated = parts * held / (held - 1)
    # Groups may hold both classes: their covariance is in the sums over whole groups.
    variance = float(sums @ sums) / n**2 * float(inflated.sum() / parts.sum())
    return variance, _satterthwaite(inflated, held - 1, count - 1.0), held


def _by_kind(influence: Floats, groups: Codes | None, kinds: Codes) -> tuple[Floats, Floats]:
    """Sum of squares of each kind of row, and the number of rows or groups that hold it."""
    held, squares = np.bincount(kinds), np.bincount(kinds, weights=influence**2)
    if groups is not None:
        span = len(held)
        pairs, place = np.unique(groups * span + kinds, return_inverse=True)
        held = np.bincount(pairs % span)
        squares = np.bincount(pairs % span, weights=np.bincount(place, weights=influence) ** 2)
    return squares[held > 0].astype(np.float64), held[held > 0].astype(np.float64)


def _satterthwaite(parts: Floats, freedom: Floats, otherwise: float) -> float:
    """Degrees of freedom of a sum of variances: a rare class carries much of it on few rows."""
    squares = float((parts**2 / freedom).sum())
    return float(parts.sum()) ** 2 / squares if squares > 0 else otherwise


def _slack(fits: list[Linear], held: Floats) -> float:
    """Variance that two pseudo-placements in each class add, one in favour of each model."""
    areas = [each.area for each in fits if each.area is not None]
    if not areas:
        return 0.0
    rarest = float(held.min())
    # Shrunk as by Agresti and Coull: ten rows ranked without an error prove no perfect ranking.
    area = (float(np.mean(areas)) * rarest + 1) / (rarest + 2)
    size = PSEUDO_PLACEMENT**2 * area * (1 - area)
    return float((2 * size / (held * (held - 1))).sum())


def _fit_variance(values: Floats, residuals: Floats, groups: Codes | None) -> float:
    """Variance of a fit's value around the mean, beyond what its row noise explains."""
    n = residuals.shape[1]
    if groups is not None:
        residuals = np.stack([np.bincount(groups, weights=each) for each in residuals])
    noise = float((residuals**2).sum()) / (len(values) - 1) / n**2
    return float(max(0.0, values.var(ddof=1) - noise))
