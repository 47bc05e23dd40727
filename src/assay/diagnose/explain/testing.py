"""Tests of hypotheses, on the half of the rows that each finding was confirmed on."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from assay.diagnose.answers import Ask
from assay.diagnose.excess import excess_loss
from assay.diagnose.explain.pairs import AS_IS, WITH, contrasted
from assay.diagnose.explain.spec import Hypothesis, Idea
from assay.diagnose.harness import Found, adjusted
from assay.errors import AssayError
from assay.evidence import Evidence
from assay.tables.predicate import Predicate

NO_WORSE_BEFORE = "the rows that it picks fail no more than the others where it was looked for"
TOO_FEW = "too few of the unseen rows tell"
NO_MODEL = "no rows can be changed to test it: only the model's answers are given, not the model"
NOT_SO = "the finding's rows are not so: as they are, they cost no more than without what it names"
OTHER_ROWS = "it picks other rows than the finding's"
LOSSES = "loss with", "loss without", "loss as it is"


@dataclass(frozen=True)
class Proposed:
    """An idea about the finding at a place."""

    place: int
    found: Found
    idea: Idea


@dataclass(frozen=True)
class _Tested:
    proposed: Proposed
    effect: Evidence | None = None
    covers: float | None = None
    dropped: str = ""
    pairs: tuple[Mapping[str, Any], ...] = ()


def tested(
    proposed: Sequence[Proposed], *, fdr: float, least: float, ask: Ask | None
) -> tuple[Hypothesis, ...]:
    """Return each idea with what the unseen rows say of it.

    One is kept where the rows that its predicate picks cost more than the others by at least
    ``least``, with a p-value of at most ``fdr`` after adjusting over all that were tested, each
    way through the halves by itself; and where it picks the finding's rows more often than
    others, so that it is about this finding. What the discovery half already contradicts is not
    tested. One that is tested by changing rows is kept where the finding's rows cost more with what
    it names than without, and more as they are than without, by the same bounds, among the same
    tests; it takes ``ask``, the model itself.
    """
    tries = [_paired(each, ask) if each.idea.by_changing else _try(each) for each in proposed]
    halves = {id(each.proposed.found.unseen) for each in tries if each.effect is not None}
    judged: dict[int, float] = {}
    for half in halves:
        places = [
            place
            for place, each in enumerate(tries)
            if each.effect is not None and id(each.proposed.found.unseen) == half
        ]
        facts = [fact for place in places if (fact := tries[place].effect) is not None]
        judged |= zip(places, adjusted(facts, len(halves)), strict=True)
    hypotheses = [_judged(each, judged.get(place), fdr, least) for place, each in enumerate(tries)]
    return tuple(sorted(hypotheses, key=lambda each: (each.finding, not each.kept)))


def _try(proposed: Proposed) -> _Tested:
    predicate, found = proposed.idea.predicate, proposed.found
    if predicate is None:
        return _Tested(proposed, dropped=proposed.idea.refused)
    before = _effect(predicate, found, seen=True)
    if before is None or before.estimate <= 0:
        return _Tested(proposed, dropped=NO_WORSE_BEFORE)
    effect = _effect(predicate, found, seen=False)
    if effect is None or effect.p_value is None:
        return _Tested(proposed, dropped=TOO_FEW)
    covers, others = _shares(predicate, found)
    return _Tested(proposed, effect, covers, "" if covers > others else OTHER_ROWS)


def _paired(proposed: Proposed, ask: Ask | None) -> _Tested:
    pairs, part = proposed.idea.pairs, proposed.found.unseen
    if ask is None:
        return _Tested(proposed, dropped=NO_MODEL)
    if not pairs:
        return _Tested(proposed, dropped=proposed.idea.refused)
    try:
        effect, costs = contrasted(pairs, part, ask)
    except Exception as error:
        why = error.problem if isinstance(error, AssayError) else type(error).__name__
        return _Tested(proposed, dropped=f"the model could not be asked about made rows: {why}")
    told = tuple(
        {"with": dict(pair.with_it), "without": dict(pair.without_it),
         **dict(zip(LOSSES, each, strict=True))}
        for pair, each in zip(pairs, costs.tolist(), strict=True)
    )  # fmt: skip
    return _Tested(proposed, effect, pairs=told)


def _effect(predicate: Predicate, found: Found, *, seen: bool) -> Evidence | None:
    part = found.part if seen else found.unseen
    mask = predicate.select(part.rows)
    return excess_loss(part, mask, name=f"excess loss where {predicate.words}")


def _shares(predicate: Predicate, found: Found) -> tuple[float, float]:
    """Return the share of the finding's unseen rows that is picked, and that of all others."""
    select = found.suspicion.select
    assert select is not None  # noqa: S101 - only findings about rows are explained
    mask, picked = select(found.unseen), predicate.select(found.unseen.rows)
    own = float(picked[mask].mean()) if mask.any() else 0.0
    return own, float(picked[~mask].mean()) if (~mask).any() else 0.0


def _not_so(effect: Evidence) -> bool:
    """Return whether what keeps a hypothesis from being kept is that the rows lack it."""
    return bool(effect.details.get(AS_IS, 0.0) > effect.details.get(WITH, 1.0))


def _chance(tried: _Tested, p: float) -> str:
    rows = "made" if tried.pairs else "unseen"
    return f"no worse than chance on the {rows} rows: adjusted p = {p:.2g}"


def _judged(tried: _Tested, p: float | None, fdr: float, least: float) -> Hypothesis:
    dropped, effect = tried.dropped, tried.effect
    if not dropped and effect is not None and p is not None:
        if p > fdr:
            dropped = NOT_SO if _not_so(effect) else _chance(tried, p)
        elif effect.estimate < least:
            dropped = f"the effect is below the smallest worth telling, {least:.4g}"
    idea = tried.proposed.idea
    return Hypothesis(
        finding=tried.proposed.place,
        name=idea.name,
        words=idea.words,
        predicate=idea.predicate,
        effect=effect,
        p_adjusted=None if p is None else float(np.float64(p)),
        covers=tried.covers,
        dropped=dropped,
        pairs=tried.pairs,
    )
