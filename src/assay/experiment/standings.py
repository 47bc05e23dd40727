"""What a result keeps of the entrants and of the choice."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from assay.errors import InputError
from assay.experiment.result import Chosen, Standing
from assay.experiment.search.choosing import Choice
from assay.experiment.search.entrant import Entrant
from assay.experiment.search.scoring import Scorer


def told(choice: Choice | None) -> Chosen | None:
    """Return what a result keeps of a choice."""
    if choice is None:
        return None
    return Chosen(choice.name, choice.why, choice.number, choice.recipe)


def standings(
    entrants: Sequence[Entrant], scorer: Scorer, ids: dict[int, str]
) -> tuple[Standing, ...]:
    """Return every entrant that the ledger knows by ``ids``: the best first, failed ones last."""
    told = [each for each in entrants if each.number in ids]
    order = {"finished": 0, "waiting": 1, "failed": 2}
    told.sort(key=lambda each: (order.get(each.state, 1), -each.stage, -each.score))
    return tuple(_standing(each, scorer, ids[each.number]) for each in told)


def _standing(entrant: Entrant, scorer: Scorer, id_: str) -> Standing:
    estimate = None
    if entrant.state == "finished" and entrant.found is not None:
        positions = entrant.positions
        try:
            estimate = scorer.estimate(positions, entrant.found[positions])
        except InputError:  # too few rows for an interval
            estimate = None
    return Standing(
        number=entrant.number,
        family=entrant.family,
        origin=entrant.origin,
        recipe=entrant.recipe,
        values=entrant.values,
        state="waiting" if entrant.state == "running" else entrant.state,
        stage=entrant.stage,
        score=entrant.score if np.isfinite(entrant.score) else None,
        estimate=estimate,
        seconds=round(entrant.seconds, 3),
        reason=entrant.reason,
        id=id_,
    )
