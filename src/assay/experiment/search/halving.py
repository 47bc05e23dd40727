"""Successive halving, asynchronously (ASHA; Li et al. 2020): who goes on to more rows and folds."""

from __future__ import annotations

from collections.abc import Sequence

from assay.experiment.search.entrant import Entrant, Stage

REDUCTION = 3
SMALL_STEP = 12_000
"""The first stage trains on about so many rows at most, where there are more."""

PROPOSED = ("tpe", "random")

CHEAP, CHEAP_PROPOSAL = 0.04, 0.01
"""A default, or a proposal, that costs less than this share of the time is judged in full."""


def stages(rows: int, folds: int) -> tuple[Stage, ...]:
    """Return the stages: one fold on growing shares of the rows, then the other folds."""
    shares, share = [1.0], 1.0
    while share * rows > SMALL_STEP:
        share /= REDUCTION
        shares.append(share)
    # By time, the first block judges the fewest rows, and the last is most like the future.
    first = [Stage(each, (folds - 1,)) for each in reversed(shares)]
    return (*first, Stage(1.0, tuple(range(folds - 1))))


def promoted(entrants: Sequence[Entrant], last: int) -> Entrant | None:
    """Return the best entrant that has earned the next stage and waits for it."""
    for stage in reversed(range(last)):
        ended = [each for each in entrants if len(each.scores) > stage]
        ended.sort(key=lambda each: each.scores[stage], reverse=True)
        for each in ended[: max(1, len(ended) // REDUCTION)]:
            if each.state == "waiting" and each.stage == stage:
                return each
    return None


def is_cheap(entrant: Entrant, stages: Sequence[Stage], seconds: float, workers: int) -> bool:
    """Whether an entrant may skip the queue: the first, the project's, what costs little."""
    if entrant.number == 0 or entrant.origin == "recipe":
        return True
    if stages[entrant.stage].share < 1:
        return False
    left = sum(len(each.folds) for each in stages[entrant.stage + 1 :])
    cheap = CHEAP_PROPOSAL if entrant.origin in PROPOSED else CHEAP
    return entrant.fit_seconds * left / workers < cheap * seconds
