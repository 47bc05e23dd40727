"""How the level is shared out among all that is tested on one half of the rows."""

from __future__ import annotations

from collections import Counter
from collections.abc import Hashable, Sequence

import numpy as np

from assay.evidence import benjamini_hochberg


def adjusted_by_family(p_values: Sequence[float], families: Sequence[Hashable]) -> list[float]:
    """Return p-values adjusted by Benjamini and Hochberg, where every family weighs the same.

    However many hypotheses a family holds, it takes nothing from the others: each p-value is
    divided by a weight, m / (families * size of its own), whose mean over all m is 1. The families
    are known from the other half of the rows, so the expected share of false findings is what it is
    without weights (Genovese, Roeder and Wasserman 2006).
    """
    if not len(p_values):
        return []
    sizes = Counter(families)
    weights = np.array([len(families) / (len(sizes) * sizes[each]) for each in families])
    lighter = np.minimum(1.0, np.asarray(p_values) / weights)
    found: list[float] = benjamini_hochberg(lighter).tolist()
    return found
