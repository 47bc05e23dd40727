"""How far gaps of stated probabilities and what came true vary by chance alone."""

from __future__ import annotations

from dataclasses import replace

import numpy as np

from assay.diagnose.case import Floats
from assay.evidence import Evidence
from assay.tables.predicate import Mask


def held_to_stated(
    fact: Evidence, shares: Floats, inside: Mask | None = None, weights: Floats | None = None
) -> Evidence:
    """Return a tested mean gap with the larger of its p-value and the one that shares imply.

    Where nearly all answers are right the gaps hardly vary, and a t-test sees too much. Were the
    (n,) stated ``shares`` right, a gap's variance would be p (1 - p) (Spiegelhalter 1986): by a
    normal score with that variance the same estimate has to be as surprising.

    Parameters
    ----------
    inside
        Rows whose mean gap was tested against that of the others; None where it was the mean of
        all rows.
    """
    from scipy import stats

    variances = shares * (1 - shares)
    weights = np.ones(len(shares)) if weights is None else weights
    sides = [weights] if inside is None else [weights * inside, weights * ~inside]
    spread = sum(float((each**2 * variances).sum() / each.sum() ** 2) for each in sides) ** 0.5
    score = float(stats.norm.sf(fact.estimate / spread)) if spread > 0 else 1.0
    method = f"{fact.method}; and by the variance that stated probabilities imply: the larger p"
    return replace(fact, method=method, p_value=max(fact.p_value or 0.0, score))
