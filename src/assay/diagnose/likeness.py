"""Which of several slices that share rows are told."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from assay.diagnose.case import Floats
from assay.tables.predicate import Mask

ALIKE = 0.5
"""Joint rows over rows of either, from which on two findings are the same one."""
WITHIN = 0.95
"""Share of a slice's rows that lie in another, from which on it is a part of that one."""
AS_BAD = 0.2


def known(mask: Mask | None, others: Sequence[Mask | None]) -> bool:
    """Return whether one of the others holds nearly the same rows."""
    return mask is not None and any(
        (mask & each).sum() >= ALIKE * max(1, (mask | each).sum())
        for each in others
        if each is not None
    )


def shadows(losses: Floats, masks: Sequence[Mask], weights: Floats | None = None) -> set[int]:
    """Return the places of slices that are worse by a part of them alone, which is told too.

    Such a slice's other rows are less than a fifth as bad as the part, beside all rows outside of
    the slice. This only leaves out what was found.
    """
    counts = np.ones(len(losses)) if weights is None else weights
    return {
        wide
        for wide, whole in enumerate(masks)
        if any(_by_part(losses, counts, whole, part) for part in masks if part.sum() < whole.sum())
    }


def _by_part(losses: Floats, weights: Floats, whole: Mask, part: Mask) -> bool:
    if (part & whole).sum() < WITHIN * part.sum():
        return False
    kinds = ~whole, whole & ~part, part
    if not all(weights[each].any() for each in kinds):
        return False
    rest, other, inside = (np.average(losses[each], weights=weights[each]) for each in kinds)
    return bool(other - rest < AS_BAD * (inside - rest))
