"""The contest: entrants go through the stages side by side until the time is over."""

from __future__ import annotations

import time
from collections import deque
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field

import numpy as np

from assay.experiment.search.entrant import Entrant, Stage
from assay.experiment.search.halving import is_cheap, promoted
from assay.experiment.search.jobs import Job
from assay.experiment.search.pool import Outcome, Pool
from assay.experiment.search.scoring import Scorer
from assay.experiment.search.tuner import Sampler, Tuner
from assay.recipe import Split

MOST_REPEATS = 40
"""So many proposals in a row that were tried before mean that the space is used up."""

Ended = Callable[[Entrant], None]


@dataclass
class Contest:
    """One search.

    Attributes
    ----------
    planned
        Entrants to begin with, in order.
    folds
        The splits of the search's seed, in the order of their fold.
    seconds
        Time for new work; what is going on then is given up.
    most
        Entrants at most; None for as many as the time allows.
    ended
        Told of every entrant whose stage ended.
    """

    pool: Pool
    workers: int
    scorer: Scorer
    stages: Sequence[Stage]
    folds: Sequence[Split]
    seed: int
    seconds: float
    tuner: Tuner
    sampler: Sampler
    planned: deque[Entrant]
    ended: Ended
    most: int | None = None
    entrants: list[Entrant] = field(default_factory=list)
    _queue: deque[tuple[Entrant, Job]] = field(default_factory=deque)
    _running: dict[str, Entrant] = field(default_factory=dict)
    _repeats: int = 0

    def run(self, reserve: Callable[[Sequence[Entrant]], float] = lambda _: 0.0) -> None:
        """Try entrants until the time is over, less what ``reserve`` says the end will take.

        However short the time, the first that can be judged in full is.
        """
        until = time.monotonic() + self.seconds
        self._retry()
        while time.monotonic() < until - reserve(self.entrants) or self._owes_one:
            while self.pool.idle and (work := self._next()):
                entrant, job = work
                self._running[job.name] = entrant
                self.pool.submit(job)
            if not self.pool.busy:
                return
            for outcome in self.pool.wait(1.0):
                self._take(outcome)

    @property
    def _owes_one(self) -> bool:
        """Whether nothing is usable yet and something that was planned may be."""
        finished = any(each.state == "finished" for each in self.entrants)
        return not finished and bool(self.planned or self.pool.busy)

    def _retry(self) -> None:
        """Begin again what failed, in an earlier session, by a limit that is wider now."""
        for each in self.entrants:
            if each.broken is not None and self.pool.limits.allow(each.broken):
                each.reason = each.broken = None
                self._begin(each)

    def _next(self) -> tuple[Entrant, Job] | None:
        while not self._queue:
            entrant = promoted(self.entrants, len(self.stages) - 1)
            if entrant is not None:
                entrant.stage += 1
            else:
                entrant = self._newcomer()
            if entrant is None:
                return None
            self._begin(entrant)
        return self._queue.popleft()

    def _newcomer(self) -> Entrant | None:
        if self.most is not None and len(self.entrants) >= self.most:
            return None
        known = {each.recipe.hash: each for each in self.entrants}
        while self.planned:
            entrant = self.planned.popleft()
            if entrant.recipe.hash not in known:
                return self._entered(entrant)
        while self._repeats < MOST_REPEATS:
            family, values, handle = self.tuner.ask()
            recipe = family.build(values)
            before = known.get(recipe.hash)
            if before is None:
                self._repeats = 0
                level = family.complexity
                return self._entered(
                    Entrant(0, family.name, self.sampler, recipe, values, level, handle)
                )
            self._repeats += 1
            score = before.score if before.scores else None
            self.tuner.tell(family.name, values, score, handle)
        return None

    def _entered(self, entrant: Entrant) -> Entrant:
        # What was under way at a kill is not among them, so their count may be a number taken.
        entrant.number = 1 + max((each.number for each in self.entrants), default=-1)
        self.entrants.append(entrant)
        return entrant

    def _begin(self, entrant: Entrant) -> None:
        stage = self.stages[entrant.stage]
        folds = (*self._lost(entrant), *stage.folds)
        entrant.state, entrant.missing = "running", len(folds)
        for fold in folds:
            job = Job(entrant.recipe, self.seed, 0, fold, stage.share)
            self._queue.append((entrant, job))

    def _lost(self, entrant: Entrant) -> list[int]:
        """Return the folds that an earlier session judged, whose predictions were not kept."""
        if entrant.found is not None or self.stages[entrant.stage].share < 1:
            return []
        ended = [each for each in self.stages[: entrant.stage] if each.share == 1]
        return [fold for each in ended for fold in each.folds]

    def _take(self, outcome: Outcome) -> None:
        entrant = self._running.pop(outcome.job.name)
        entrant.seconds += outcome.seconds
        if entrant.state == "failed":
            return
        if outcome.predictions is None:
            self._fail(entrant, outcome)
            return
        test, predictions = self.folds[outcome.job.fold].test, outcome.predictions
        if outcome.job.share < 1:
            score = self.scorer.score(test, predictions)
        else:
            entrant.fit_seconds = max(entrant.fit_seconds, outcome.seconds)
            self._place(entrant, test, predictions)
            judged = entrant.positions
            assert entrant.found is not None  # noqa: S101 - just placed
            score = self.scorer.score(judged, entrant.found[judged])
        entrant.missing -= 1
        if entrant.missing == 0:
            self._end_stage(entrant, score)

    def _place(self, entrant: Entrant, test: np.ndarray, predictions: np.ndarray) -> None:
        if entrant.found is None:
            shape = (self.scorer.rows, *predictions.shape[1:])
            entrant.found = np.full(shape, np.nan)
        entrant.found[test] = predictions

    def _fail(self, entrant: Entrant, outcome: Outcome) -> None:
        entrant.state = "failed"
        entrant.reason, entrant.broken = outcome.reason, outcome.broken
        self._queue = deque(each for each in self._queue if each[0] is not entrant)
        self.tuner.tell(entrant.family, entrant.values, None, entrant.handle)
        self.ended(entrant)

    def _end_stage(self, entrant: Entrant, score: float) -> None:
        entrant.scores.append(score)
        last = len(self.stages) - 1
        entrant.state = "finished" if entrant.stage == last else "waiting"
        if entrant.state == "waiting" and is_cheap(
            entrant, self.stages, self.seconds, self.workers
        ):
            entrant.stage += 1
            self._begin(entrant)
            return
        told = score + (0.0 if entrant.state == "finished" else self._offset(entrant.stage))
        if np.isfinite(told):
            self.tuner.tell(entrant.family, entrant.values, told, entrant.handle)
        self.ended(entrant)

    def _offset(self, stage: int) -> float:
        """Return how much higher finished entrants scored in the end than at ``stage``.

        Scores of fewer rows and folds than the others' would mislead the tuner.
        """
        gaps = [
            each.scores[-1] - each.scores[stage]
            for each in self.entrants
            if each.state == "finished" and len(each.scores) == len(self.stages)
        ]
        return float(np.mean(gaps)) if gaps else 0.0
