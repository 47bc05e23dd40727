"""Whether some rows cost more than the others: the one test that slices are confirmed by."""

from __future__ import annotations

from typing import Any, Protocol

import numpy as np

from assay.diagnose.case import Case, Floats
from assay.evidence import Evidence, Interval
from assay.evidence.clt import FEWEST_OF_TWO, Linear, Pooled, pool
from assay.evidence.proportions import share_interval
from assay.tables.predicate import Mask

LEVEL = 0.95


class SliceTest(Protocol):
    """Says by how much the rows of a mask cost more; None where they cannot say."""

    def __call__(self, part: Case, mask: Mask, *, name: str) -> Evidence | None:
        """Return the effect, positive where they do, with its one-sided p-value."""
        ...


def excess_loss(part: Case, mask: Mask, *, name: str) -> Evidence | None:
    """Return the mean loss of the rows in ``mask`` less that of the others.

    Right and wrong answers of rows that stand alone are compared by Fisher's exact test, with
    Newcombe's (1998) interval from Wilson scores; everything else by Welch's t-test, robust to
    groups; losses without a bound are cut at their 99th percentile, so that one heavy tail is no
    slice.

    Returns
    -------
    Evidence or None
        None where either side has fewer than five rows or groups that count. With weights its
        details hold the ``weight`` of the rows in ``mask``.
    """
    inside, outside = _held(part, mask), _held(part, ~mask)
    if min(inside, outside) < FEWEST_OF_TWO:
        return None
    plain = part.groups is None and part.weights is None
    if plain and np.isin(part.losses, (0.0, 1.0)).all():
        return _exact(part.losses, mask, name)
    return _welch(part, mask, name)


def _held(part: Case, mask: Mask) -> int:
    """Return how many rows, or groups, of a mask count."""
    counted = mask if part.weights is None else mask & (part.weights > 0)
    return int(counted.sum()) if part.groups is None else len(np.unique(part.groups[counted]))


def _exact(losses: Floats, mask: Mask, name: str) -> Evidence:
    from scipy import stats

    n, size = len(losses), int(mask.sum())
    wrong, inside = int(losses.sum()), int(losses[mask].sum())
    p = float(stats.hypergeom.sf(inside - 1, n, wrong, size))
    first, second = (inside, size), (wrong - inside, n - size)
    estimate = first[0] / first[1] - second[0] / second[1]
    one, two = share_interval(*first, LEVEL), share_interval(*second, LEVEL)
    a, b = first[0] / first[1], second[0] / second[1]
    interval = Interval(
        estimate - float(np.hypot(a - one.low, two.high - b)),
        estimate + float(np.hypot(one.high - a, b - two.low)),
        LEVEL,
    )
    details = {"loss_inside": a, "loss_outside": b, "rows_of_the_part": n}
    return Evidence(
        name=name,
        estimate=estimate,
        interval=interval,
        n=size,
        method="Fisher's exact test on the confirmation part; interval of Newcombe (1998)",
        p_value=p,
        details=details,
    )


def _welch(part: Case, mask: Mask, name: str) -> Evidence:
    losses, cut = _without_tail(part)
    weights = np.ones(part.n) if part.weights is None else part.weights / part.weights.mean()
    inside, outside = weights * mask, weights * ~mask
    a, b = (float(np.average(losses, weights=each)) for each in (inside, outside))
    influence = inside * (losses - a) / inside.mean() - outside * (losses - b) / outside.mean()
    members: Any = None
    if part.groups is not None:
        members = np.unique(part.groups, return_inverse=True)[1]
    strata = None if members is not None else mask.astype(np.int64)
    weight = {} if part.weights is None else {"weight": float(part.weights[mask].sum())}
    pooled = pool([Linear(a - b, influence, strata=strata)], members, paired=False, between=False)
    low, high = pooled.interval(LEVEL)
    return Evidence(
        name=name,
        estimate=pooled.value,
        interval=Interval(low, high, LEVEL),
        n=int(mask.sum()),
        method=f"Welch's t-test on the confirmation part{cut}",
        p_value=pooled.p_above(0.0) if pooled.se > 0 else 1.0,
        details={"loss_inside": a, "loss_outside": b, "rows_of_the_part": part.n} | weight,
    )


def _without_tail(part: Case) -> tuple[Floats, str]:
    """Return the losses and how they were cut: a rare error is no tail, a huge one is."""
    if part.task.kind != "regression" and np.abs(part.losses).max() <= 1.0:
        return part.losses, ""
    cut = np.minimum(part.losses, np.quantile(part.losses, 0.99))
    return cut, ", losses cut at their 99th percentile"


def excess_beyond(part: Case, mask: Mask, own: Mask) -> Pooled | None:
    """Return by how much more the rows in ``mask`` cost among ``own`` rows than among the others.

    A difference of differences of four means, robust to groups.

    Returns
    -------
    Pooled or None
        None where one of the four has fewer than five rows or groups that count.
    """
    cells = [own & mask, own & ~mask, ~own & mask, ~own & ~mask]
    if min(_held(part, each) for each in cells) < FEWEST_OF_TWO:
        return None
    weights = np.ones(part.n) if part.weights is None else part.weights / part.weights.mean()
    value, influence = 0.0, np.zeros(part.n)
    for sign, cell in zip((1.0, -1.0, -1.0, 1.0), cells, strict=True):
        held = weights * cell
        mean = float(np.average(part.losses, weights=held))
        value += sign * mean
        influence += sign * held * (part.losses - mean) / held.mean()
    members: Any = None
    if part.groups is not None:
        members = np.unique(part.groups, return_inverse=True)[1]
    strata = None if members is not None else np.argmax(cells, axis=0).astype(np.int64)
    return pool([Linear(value, influence, strata=strata)], members, paired=False, between=False)
