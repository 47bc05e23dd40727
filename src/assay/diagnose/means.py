"""Whether the mean of a value over the rows is above a bar: robust to groups and weights."""

from __future__ import annotations

from typing import Any

import numpy as np

from assay.diagnose.case import Case, Floats
from assay.evidence import Evidence, Interval
from assay.evidence.clt import FEWEST_OF_TWO, Linear, pool

LEVEL = 0.95


def mean_above(part: Case, values: Floats, *, name: str, bar: float = 0.0) -> Evidence | None:
    """Return the mean of (n,) values less ``bar``, with the one-sided p-value of its being above.

    A t-test over rows, or over groups where the task has them.

    Returns
    -------
    Evidence or None
        None with fewer than five rows or groups.
    """
    held = part.n if part.groups is None else len(np.unique(part.groups))
    if held < FEWEST_OF_TWO:
        return None
    weights = np.ones(part.n) if part.weights is None else part.weights / part.weights.mean()
    mean = float(np.average(values, weights=weights))
    members: Any = None
    if part.groups is not None:
        members = np.unique(part.groups, return_inverse=True)[1]
    linear = Linear(mean - bar, weights * (values - mean))
    pooled = pool([linear], members, paired=False, between=False)
    low, high = pooled.interval(LEVEL)
    return Evidence(
        name=name,
        estimate=pooled.value,
        interval=Interval(low, high, LEVEL),
        n=part.n,
        method="t-test on the confirmation part",
        p_value=pooled.p_above(0.0) if pooled.se > 0 else float(mean <= bar),
        details={"bar": bar},
    )
