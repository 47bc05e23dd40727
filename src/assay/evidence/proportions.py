"""Wilson's interval (1927) for a share, once for all that count or estimate one."""

from __future__ import annotations

from statistics import NormalDist

from assay.evidence.spec import Interval


def wilson(share: float, n: float, reach: float) -> tuple[float, float]:
    """Return the middle and the half-width of the interval.

    Parameters
    ----------
    share
        In [0, 1].
    n
        Rows, or the number of independent rows that would tell as much; above 0.
    reach
        Standard errors to either side: a quantile of the normal or of Student's t.
    """
    scale = 1 + reach**2 / n
    middle = (share + reach**2 / (2 * n)) / scale
    return middle, reach * (share * (1 - share) / n + reach**2 / (4 * n**2)) ** 0.5 / scale


def within(middle: float, half: float) -> tuple[float, float]:
    """Return the bounds of a share's interval, kept within [0, 1]."""
    return max(0.0, middle - half), min(1.0, middle + half)


def normal_reach(level: float) -> float:
    """Return how many standard errors a two-sided interval of that level reaches."""
    return NormalDist().inv_cdf((1 + level) / 2)


def share_interval(hits: int, n: int, level: float = 0.95) -> Interval:
    """Return the interval of the share that ``hits`` of ``n`` estimate; [0, 1] of none."""
    middle, half = wilson(hits / n, n, normal_reach(level)) if n else (0.5, 0.5)
    return Interval(*within(middle, half), level)
