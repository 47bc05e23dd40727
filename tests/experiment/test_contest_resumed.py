"""A contest that goes on: nothing that an earlier session began is lost, nothing judged twice."""

from __future__ import annotations

from collections import deque
from pathlib import Path

import numpy as np
import pytest

from assay.experiment.record import Record
from assay.experiment.search.circumstances import Circumstances
from assay.experiment.search.contest import Contest
from assay.experiment.search.entrant import Entrant
from assay.experiment.search.families import families_for
from assay.experiment.search.halving import stages
from assay.experiment.search.jobs import Job
from assay.experiment.search.pool import Broken, Limits, Outcome
from assay.experiment.search.scoring import Scorer
from assay.experiment.search.tuner import Tuner
from assay.ledger import Ledger
from assay.recipe import Recipe, baseline_recipe, splits
from assay.task import ClassDescription, Task
from troublesome import shop

TASK = Task(
    kind="binary",
    modality="tabular",
    target="bought",
    features=("size", "age", "town"),
    classes=(ClassDescription(name="no"), ClassDescription(name="yes")),
)
ROWS = shop(200).with_row_index("row_id")
FOLDS = splits(ROWS, TASK, seed=1, repeats=1)
SLOW = 5.0
"""Seconds that the slow recipe takes for a fit."""


class Instant:
    """A pool whose fits take no time: each recipe is as good as its ``C``, the last one is slow."""

    def __init__(self, limits: Limits) -> None:
        self.limits = limits
        self.done: list[Job] = []
        self._waiting: list[Job] = []
        self.idle = 1

    @property
    def busy(self) -> int:
        return len(self._waiting)

    def open(self, context: object) -> None: ...

    def submit(self, job: Job, *, seconds: float | None = None) -> None:
        self._waiting.append(job)
        self.idle = 0

    def wait(self, seconds: float | None = None) -> list[Outcome]:
        job = self._waiting.pop()
        self.done.append(job)
        self.idle = 1
        if quality(job.recipe) == 9 and self.limits.seconds < SLOW:
            broken = Broken("seconds", self.limits.seconds)
            return [Outcome(job, self.limits.seconds, None, str(broken), broken)]
        truth = (ROWS["bought"] == "yes").to_numpy()[FOLDS[job.fold].test]
        right = 0.5 + 0.04 * quality(job.recipe)
        positive = np.where(truth, right, 1 - right)
        return [Outcome(job, 100.0, np.column_stack([1 - positive, positive]))]


def quality(recipe: Recipe) -> float:
    return float(recipe.estimator.parameters["C"])


def contest(pool: Instant, record: Record, *, most: int) -> Contest:
    """Return a contest that goes on from what is on record."""

    def entered(entrant: Entrant) -> None:
        record.entered(entrant, 0.0)

    entrants, _, _ = record.earlier()
    known = [
        Entrant(0, "own", "yours", baseline_recipe(TASK).with_parameters(C=each), {}, 2)
        for each in range(9, 1, -1)
    ]
    families = families_for(Circumstances.of(TASK, ROWS), ("linear",))
    return Contest(
        pool=pool,
        workers=1,
        scorer=Scorer(ROWS, TASK.model_copy(update={"metric": "log_loss"})),
        stages=stages(160, 5),
        folds=FOLDS,
        seed=1,
        seconds=60.0,
        tuner=Tuner(families, seed=0),
        sampler="tpe",
        planned=deque(known),
        ended=entered,
        most=most,
        entrants=entrants,
    )


@pytest.fixture
def record(tmp_path: Path) -> Record:
    ledger = Ledger.open(tmp_path / "ledger.sqlite")
    return Record(ledger.start_run("experiment", {}), ledger)


def test_what_waited_at_a_stop_is_promoted_and_judged_on_every_fold(record: Record) -> None:
    contest(Instant(Limits(1.0)), record, most=3).run()
    assert [each.state for each in record.earlier()[0]] == ["failed", "finished", "waiting"]
    pool = Instant(Limits(1.0))
    again = contest(pool, record, most=8)
    again.run()
    failed, best, second, *others = again.entrants
    assert [failed.state, best.state, second.state] == ["failed", "finished", "finished"]
    assert {each.state for each in others} == {"waiting"}
    assert len(second.positions) == ROWS.height, "its fold of the first session too"
    assert second.scores[-1] < best.scores[-1]
    assert not {failed.recipe.hash, best.recipe.hash} & {each.recipe.hash for each in pool.done}


def test_what_broke_a_limit_is_tried_again_under_a_wider_one(record: Record) -> None:
    contest(Instant(Limits(1.0)), record, most=3).run()
    for seconds, state in ((1.0, "failed"), (0.5, "failed"), (2 * SLOW, "finished")):
        pool = Instant(Limits(seconds))
        again = contest(pool, record, most=3)
        again.run()
        (slow,) = [each for each in again.entrants if quality(each.recipe) == 9]
        assert slow.state == state
        assert any(quality(each.recipe) == 9 for each in pool.done) is (state == "finished")
    assert slow.reason is None
    assert len({each.number for each in again.entrants}) == 3
