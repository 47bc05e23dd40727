"""The one-standard-error rule: the simplest recipe that the best one does not clearly beat."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from assay.errors import InputError
from assay.evidence import Evidence
from assay.experiment.search.blending import Blend
from assay.experiment.search.entrant import Entrant
from assay.experiment.search.scoring import Scorer
from assay.recipe import Recipe


@dataclass(frozen=True)
class Choice:
    """What the rule chose.

    Attributes
    ----------
    name
        The family, or ``blend``.
    why
        In plain words, with the figures that decided.
    number
        The entrant's; None for a blend.
    claimed
        The metric in the search.
    fit_seconds
        Time of one fit on a fold.
    """

    name: str
    recipe: Recipe
    why: str
    claimed: Evidence
    number: int | None
    fit_seconds: float


def choose(
    entrants: Sequence[Entrant], blend: Blend | None, scorer: Scorer, *, simplest: bool = True
) -> Choice | None:
    """Return the simplest of all whose loss against the best is within one standard error.

    Without ``simplest`` the best itself.

    The standard error is the one of the paired difference on the same rows (Breiman et al. 1984
    use the best one's own, which forgives far more). None where nothing finished.
    """
    finished = [each for each in entrants if each.state == "finished"]
    if not finished:
        return None
    finished.sort(key=lambda each: -each.score)
    best: Entrant | Blend = finished[0]
    if blend is not None and blend.score > best.score:
        best = blend
    simpler: dict[int, Entrant] = {}
    for each in finished:
        if simplest and each.complexity < best.complexity:
            simpler.setdefault(each.complexity, each)
    positions = finished[0].positions
    for _, each in sorted(simpler.items()):
        near = _near(scorer, each, positions, best.found)
        if near is not None:
            return _choice(each, f"simpler than {best.family}, and {near}", scorer, positions)
    return _choice(best, "it scores best", scorer, positions)


def _near(
    scorer: Scorer, entrant: Entrant, positions: np.ndarray, best: np.ndarray | None
) -> str | None:
    """Return in words that the best one's lead is within its standard error, where it is."""
    if entrant.found is None or best is None:
        return None
    try:
        lead = scorer.gain(positions, entrant.found[positions], best[positions])
    except InputError:  # too few rows for the test
        return None
    error = float(lead.details.get("se", 0.0))
    if lead.estimate > error:
        return None
    return f"within one standard error of it ({lead.estimate:.4f} behind, error {error:.4f})"


def _choice(best: Entrant | Blend, why: str, scorer: Scorer, positions: np.ndarray) -> Choice:
    assert best.found is not None  # noqa: S101 - it finished
    claimed = scorer.estimate(positions, best.found[positions])
    number = best.number if isinstance(best, Entrant) else None
    return Choice(best.family, best.recipe, why, claimed, number, best.fit_seconds)
