"""How far gaps of stated probabilities and what came true vary by chance alone."""

from __future__ import annotations

from dataclasses import replace

import numpy as np

from assay.diagnose.case import Floats
from assay.evidence import Evidence


def held_to_stated(fact: Evidence, shares: Floats, weights: Floats | None = None) -> Evidence:
    """Return a tested mean gap with the larger of its p-value and the one that shares imply.

    Where nearly all answers are right the gaps hardly vary, and a t-test sees too much. Were the
    (n,) stated ``shares`` right, a gap's variance would be p (1 - p) (Spiegelhalter 1986): by a
    normal score with that variance the same estimate has to be as surprising.
    """
    from scipy import stats

    weights = np.ones(len(shares)) if weights is None else weights
    spread = float((weights**2 * shares * (1 - shares)).sum()) ** 0.5 / float(weights.sum())
    score = float(stats.norm.sf(fact.estimate / spread)) if spread > 0 else 1.0
    method = f"{fact.method}; and by the variance that stated probabilities imply: the larger p"
    return replace(fact, method=method, p_value=max(fact.p_value or 0.0, score))
