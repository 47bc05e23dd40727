"""A search's time: how much is over, what the end will take, and what a fit may."""

from __future__ import annotations

import time
from collections.abc import Sequence
from dataclasses import dataclass

from assay.experiment.order import Order
from assay.experiment.search.entrant import Entrant
from assay.experiment.search.pool import Limits
from assay.recipe.splits import FOLDS, REPEATS

SHARE_OF_END = 0.45
"""At most so much of the time is kept for judging what the search chose."""

SHARE_OF_FIT = 0.15
"""A fit may take so much of the time, unless the user says otherwise, and always ten seconds."""

LEAST_FIT = 10.0
"""Seconds."""


@dataclass
class Clock:
    """The time of one search.

    Attributes
    ----------
    workers
        Fits side by side.
    began
        When this session began, by the monotonic clock.
    memory
        Bytes that one of them may hold where the order does not say; None for no limit.
    before
        Seconds that earlier sessions of this search took.
    """

    order: Order
    workers: int
    began: float
    memory: int | None = None
    before: float = 0.0

    @property
    def elapsed(self) -> float:
        """Seconds since the search began, those of earlier sessions included."""
        return self.before + time.monotonic() - self.began

    @property
    def seconds(self) -> float:
        """Seconds that the search may take."""
        return 60 * self.order.minutes

    @property
    def left(self) -> float:
        """Seconds left; below zero when the time is over."""
        return self.seconds - self.elapsed

    @property
    def limits(self) -> Limits:
        """What one fit of the search may take."""
        given = self.order.memory_gib
        memory = self.memory if given is None else int(given * 2**30)
        return Limits(self._fit_limit, memory)

    @property
    def _fit_limit(self) -> float:
        return self.order.fit_seconds or max(LEAST_FIT, SHARE_OF_FIT * self.seconds)

    def affordable(self, entrants: Sequence[Entrant]) -> float:
        """Return the longest fit on a fold whose judging fits into what is left."""
        return self.left / self._judging(1.0) - own_seconds(entrants)

    def reserve(self, entrants: Sequence[Entrant]) -> float:
        """Return the seconds that judging what would be chosen now takes."""
        finished = sorted(
            (each for each in entrants if each.state == "finished"), key=lambda each: -each.score
        )
        fit = own_seconds(entrants) + sum(each.fit_seconds for each in finished[:3])
        return 1.0 + min(SHARE_OF_END * self.seconds, self._judging(fit))

    def repeats(self, own: float, chosen: float) -> int:
        """Return how often fresh folds can be drawn, by the fits' seconds on a fold."""
        once = FOLDS * (own + chosen) / self.workers
        return int(min(max((self.left - 3 * chosen) / once if once else REPEATS, 1), REPEATS))

    def judged_limit(self, own: float, chosen: float) -> float:
        """Return what a fit on fresh folds may take: folds differ, so more than it took before."""
        return max(self._fit_limit, 4 * max(chosen, own))

    def _judging(self, fit: float) -> float:
        """Return the seconds that fresh folds and one model of all rows take."""
        return fit * (FOLDS / self.workers + 1.5)


def own_seconds(entrants: Sequence[Entrant]) -> float:
    """Return how long the project's own recipe takes on a fold."""
    return next((each.fit_seconds for each in entrants if each.origin == "recipe"), 0.0)
