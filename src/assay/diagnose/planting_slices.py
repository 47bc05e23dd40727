"""Slices that are planted: rows that fail where some conditions hold, or of one class only."""

from __future__ import annotations

from dataclasses import replace

import numpy as np

from assay.diagnose import diagnose_case
from assay.diagnose.atoms import Atom
from assay.diagnose.case import Case
from assay.diagnose.detectors.class_slices import ClassSliceDetector
from assay.diagnose.spec import Diagnosis
from assay.tables.predicate import Mask

SIZES = (0.02, 0.2)
"""A planted slice holds between 2 % and 20 % of the rows."""
ALIKE = 0.5
TRIES = 200


def class_slice_found(
    case: Case, pool: list[Atom], strength: float, random: np.random.Generator
) -> bool | None:
    """Whether a class that is missed more often where one condition holds is told so."""
    mask = planted_slice(case, pool, 1, random)
    if mask is None:
        return None
    names = np.asarray(case.task.class_names, dtype=object)
    order = random.permutation(case.n)
    usual = (case.predictions != case.truth)[order]  # errors that go with nothing
    own = case.truth == names[-1]
    wrong = usual | (own & mask & (random.random(case.n) < strength))
    said = case.truth.copy()
    for place in np.flatnonzero(wrong):
        said[place] = random.choice(names[names != case.truth[place]])
    planted = replace(
        case, predictions=said, losses=wrong.astype(np.float64), seed=int(random.integers(2**31))
    )
    return found_slice(diagnose_case(planted, detectors=[ClassSliceDetector()]), planted, mask)


def planted_slice(
    case: Case, pool: list[Atom], conditions: int, random: np.random.Generator
) -> Mask | None:
    """Return a random conjunction of so many columns; None where the rows hold none that suits."""
    names = {(each.condition.column, each.condition.trait) for each in pool}
    if len(names) < conditions:
        return None
    for _ in range(TRIES):
        chosen = [pool[place] for place in random.integers(len(pool), size=conditions)]
        if len({(each.condition.column, each.condition.trait) for each in chosen}) < conditions:
            continue
        mask: Mask = np.all([each.mask for each in chosen], axis=0)
        smallest = min(each.mask.sum() for each in chosen)
        if SIZES[0] <= mask.mean() <= SIZES[1] and (conditions == 1 or mask.sum() < smallest):
            return mask
    return None


def with_failing(case: Case, mask: Mask, strength: float, random: np.random.Generator) -> Case:
    """Return the case with a share of the slice's rows gone wrong.

    A loss of 0 or 1 becomes 1; any other becomes the 95th percentile of all losses.
    """
    hit = mask & (random.random(case.n) < strength)
    binary = bool(np.isin(case.losses, (0.0, 1.0)).all())
    wrong = 1.0 if binary else float(np.quantile(case.losses, 0.95))
    return replace(case, losses=np.where(hit, np.maximum(case.losses, wrong), case.losses))


def found_slice(diagnosis: Diagnosis, case: Case, mask: Mask) -> bool:
    """Whether some finding is the slice."""
    return best_jaccard(diagnosis, case, mask) >= ALIKE


def best_jaccard(diagnosis: Diagnosis, case: Case, mask: Mask) -> float:
    """Return how alike the likest finding and the slice are: joint rows over rows of either."""
    told = [each.predicate for each in diagnosis.findings if each.predicate is not None]
    return max((jaccard(each.select(case.rows), mask) for each in told), default=0.0)


def jaccard(one: Mask, other: Mask) -> float:
    """Return how alike two slices are: joint rows over rows of either."""
    return float((one & other).sum() / max(1, (one | other).sum()))
