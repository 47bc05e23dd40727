"""Greedy ensemble selection on out-of-fold predictions (Caruana et al. 2004)."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from assay.experiment.search.entrant import Entrant
from assay.experiment.search.scoring import Scorer
from assay.recipe import Recipe

ROUNDS = 25
BEST = 12
"""So many of the best entrants, and the best of each family, may take part."""
MOST_MEMBERS = 6
"""More models predict more slowly and gain next to nothing."""


@dataclass(frozen=True)
class Blend:
    """A weighted mean of entrants.

    Attributes
    ----------
    members
        Entrants with their weight; weights sum to 1, the heaviest first.
    found
        Out-of-fold predictions of all rows; rows not judged are NaN.
    """

    members: tuple[tuple[float, Entrant], ...]
    found: np.ndarray
    score: float
    family: str = "blend"
    complexity: int = 5

    @property
    def recipe(self) -> Recipe:
        """The first member's recipe with the others blended in."""
        (first, own), *others = self.members
        rest = [(round(weight / first, 4), each.recipe) for weight, each in others]
        return own.recipe.blended_with(*rest)

    @property
    def fit_seconds(self) -> float:
        """Time of one fit on a fold."""
        return sum(each.fit_seconds for _, each in self.members)


def blended(
    entrants: Sequence[Entrant], scorer: Scorer, *, seconds: float = float("inf")
) -> Blend | None:
    """Return the blend that scores best, grown one model at a time; None of fewer than two.

    ``seconds`` is the most that one fit of all its models on a fold may take.

    Every round adds the entrant, with replacement, whose addition scores best; the best round
    is kept. Entrants whose rows are edited differently cannot share one recipe and are left out,
    and so are those that decide: they predict classes, and a blend averages probabilities.
    """
    able = _able(entrants)
    if len(able) < 2:
        return None
    positions = able[0].positions
    known = [np.asarray(each.found)[positions] for each in able]
    total = np.zeros_like(known[0])
    counts: Counter[int] = Counter()
    best: tuple[float, Counter[int]] = (float("-inf"), Counter())
    for size in range(1, ROUNDS + 1):
        left = seconds - sum(able[each].fit_seconds for each in counts)
        full = len(counts) >= MOST_MEMBERS
        choices = [
            number
            for number, each in enumerate(able)
            if number in counts or (not full and each.fit_seconds <= left)
        ]
        if not choices:
            return None
        scores = {
            number: scorer.score(positions, (total + known[number]) / size) for number in choices
        }
        number = max(scores, key=lambda each: (scores[each], -each))
        total += known[number]
        counts[number] += 1
        if scores[number] > best[0]:
            best = (scores[number], counts.copy())
    score, counts = best
    weights = sum(counts.values())
    members = tuple((count / weights, able[number]) for number, count in counts.most_common())
    if len(members) < 2:
        return None
    found = np.asarray(
        sum(weight * np.asarray(each.found) for weight, each in members), dtype=np.float64
    )
    return Blend(members, found, score)


def _able(entrants: Sequence[Entrant]) -> list[Entrant]:
    finished = sorted(
        (each for each in entrants if each.state == "finished"), key=lambda each: -each.score
    )
    if not finished:
        return []
    plain = [each for each in finished if each.recipe.rows == finished[0].recipe.rows]
    plain = [each for each in plain if not each.recipe.blend and each.recipe.decision is None]
    families: dict[str, Entrant] = {}
    for each in plain:
        families.setdefault(each.family, each)
    chosen = {id(each): each for each in [*plain[:BEST], *families.values()]}
    return list(chosen.values())
