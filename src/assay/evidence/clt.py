"""Normal-theory tests on rows: means of paired row differences, and what linearises to them.

Every statistic here is a value and an influence for each row (its mean is zero). The row
influences of several fits are averaged before the test, so a row that was predicted once in
each repeat of a cross-validation counts once (CV-CLT: Bayle, Bayle, Janson and Mackey 2020).
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from assay.errors import InputError
from assay.evidence.numbers import Codes, Floats

MIN_ROWS = 10
MIN_STRATUM_GROUPS = 5


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
    """

    value: float
    influence: Floats
    bound: float | None = None
    strata: Codes | None = None

    def __sub__(self, other: Linear) -> Linear:
        influence = self.influence - other.influence
        return Linear(self.value - other.value, influence, self.bound, self.strata)

    def __neg__(self) -> Linear:
        return Linear(-self.value, -self.influence, self.bound, self.strata)


@dataclass(frozen=True)
class Pooled:
    """The statistic over all fits, with its standard error and degrees of freedom.

    ``centre`` is where the interval is centred; it differs from ``value`` only by the two
    pseudo-rows of a bounded loss. ``se_fits`` is the part of ``se`` due to refitting.
    """

    value: float
    centre: float
    se: float
    df: float
    se_fits: float
    units: int

    def interval(self, level: float) -> tuple[float, float]:
        """Two-sided t interval."""
        from scipy import stats

        reach = float(stats.t.ppf(0.5 + level / 2, self.df)) * self.se
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
        the models disagree on few rows.
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
    row_variance, df, units = _row_variance(mean, groups, fits[0].strata)
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
    return Pooled(value, centre, variance**0.5, df, fit_variance**0.5, units)


def _row_variance(
    influence: Floats, groups: Codes | None, strata: Codes | None
) -> tuple[float, float, int]:
    """Variance of the mean, degrees of freedom and independent units."""
    n = len(influence)
    if groups is not None:
        sums: Floats = np.bincount(groups, weights=influence).astype(np.float64)
        count = len(sums)
        if strata is not None:
            return *_stratified_groups(influence, sums, groups, strata), count
        variance = float(sums @ sums) / n**2 * count / (count - 1)
        return variance, float(count - 1), count
    if strata is None:
        return float(influence @ influence) / (n * (n - 1)), float(n - 1), n
    squares = np.bincount(strata, weights=influence**2)
    sizes = np.bincount(strata)
    parts = squares / n**2 * sizes / (sizes - 1)
    total = float(parts.sum())
    # Welch-Satterthwaite: a rare class carries most of the variance on few rows.
    df = total**2 / float((parts**2 / (sizes - 1)).sum()) if total > 0 else float(n - 1)
    return total, df, n


def _stratified_groups(
    influence: Floats, sums: Floats, groups: Codes, strata: Codes
) -> tuple[float, float]:
    """Variance and degrees of freedom when each sample lies in groups of its own number."""
    parts, counts = np.zeros(2), np.zeros(2)
    for code in range(2):
        rows = strata == code
        own = np.bincount(groups[rows], weights=influence[rows], minlength=len(sums))
        parts[code], counts[code] = own @ own, len(np.unique(groups[rows]))
    if counts.min() < MIN_STRATUM_GROUPS:
        raise InputError(
            "one of the two classes occurs in too few groups.",
            given=f"{counts.min():.0f} groups",
            allowed=f"at least {MIN_STRATUM_GROUPS}",
            next_step="gather rows from more groups, or choose accuracy or log_loss",
        )
    total = float(parts.sum())
    if total == 0:
        return 0.0, float(counts.min() - 1)
    inflation = float((parts * counts / (counts - 1)).sum()) / total
    df = total**2 / float((parts**2 / (counts - 1)).sum())
    return float(sums @ sums) / len(influence) ** 2 * inflation, df


def _fit_variance(values: Floats, residuals: Floats, groups: Codes | None) -> float:
    """Variance of a fit's value around the mean, beyond what its row noise explains."""
    n = residuals.shape[1]
    if groups is not None:
        residuals = np.stack([np.bincount(groups, weights=each) for each in residuals])
    noise = float((residuals**2).sum()) / (len(values) - 1) / n**2
    return float(max(0.0, values.var(ddof=1) - noise))
