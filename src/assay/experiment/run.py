"""A search from its beginning to its end: look, search, choose, judge, record."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field

import numpy as np

from assay.errors import AssayError
from assay.evidence import Confirmation, Evidence, Verdict
from assay.experiment.circumspection import Seen, look
from assay.experiment.clock import Clock, own_seconds
from assay.experiment.events import Listener, Noted, Tried, Working
from assay.experiment.judge import Judge
from assay.experiment.order import Order, first_entrants
from assay.experiment.record import Record
from assay.experiment.result import ExperimentResult
from assay.experiment.search.blending import blended
from assay.experiment.search.choosing import Choice, choose
from assay.experiment.search.contest import Contest
from assay.experiment.search.entrant import Entrant
from assay.experiment.search.families import families_for, imports_for
from assay.experiment.search.halving import stages
from assay.experiment.search.jobs import Context
from assay.experiment.search.places import Place
from assay.experiment.search.pool import Pool
from assay.experiment.search.scoring import Scorer
from assay.experiment.search.tuner import Tuner
from assay.experiment.standings import standings, told
from assay.experiment.tracking import Tracking
from assay.project import Project
from assay.project.building import built
from assay.recipe import Tools, recipe_diff, splits
from assay.recipe.splits import FOLDS, REPEATS
from assay.seeds import derive_seed


@dataclass
class Search:
    """One search in progress."""

    project: Project
    order: Order
    record: Record
    tools: Tools
    tell: Listener
    clock: Clock
    place: Place
    seen: Seen = field(init=False)
    best: Choice | None = None
    notes: list[str] = field(default_factory=list)
    ids: dict[int, str] = field(default_factory=dict)
    first_seconds: float | None = None
    tracking: Tracking | None = None

    def run(self) -> ExperimentResult:
        """Look, search, choose, judge, record."""
        self.tracking = Tracking.open(self.project, self.record.id, self._note)
        trial = verdict = None
        ahead = imports_for(self.project.task)
        with self.place.working(self.place.workers, self.clock.limits, ahead) as pool:
            self.seen = look(self.project, self.order, self.tools)
            for each in self.seen.notes:
                self.tell(Noted(each))
            rows, task = self.seen.rows, self.project.task
            pool.open(Context(rows, task, self.tools.snapshot(), FOLDS, REPEATS))
            seed = derive_seed(self.project.settings.seed, "experiment", self.record.id)
            scorer = Scorer(rows, task, seed=seed)
            entrants = self._searched(pool, scorer, seed)
            blend = blended(entrants, scorer, seconds=self.clock.affordable(entrants))
            chosen = choose(entrants, blend, scorer, simplest=self.order.simplest)
            self.best = choose(entrants, blend, scorer, simplest=False)
            if chosen is not None and chosen.recipe.hash != self.seen.baseline.hash:
                trial, verdict = self._screened(chosen, entrants, pool)
        promised = None
        if verdict is not None and verdict.kept and self.order.confirm and chosen is not None:
            promised = self._confirmed(chosen)
        return self._result(entrants, scorer, chosen, trial, verdict, promised)

    def _searched(self, pool: Pool, scorer: Scorer, seed: int) -> list[Entrant]:
        families = families_for(self.seen.circumstances, self.order.families)
        tuner = Tuner(families, seed=seed, sampler=self.order.sampler)
        earlier, self.ids, self.clock.before = self.record.earlier()
        for each in earlier:
            score = each.score if np.isfinite(each.score) else None
            tuner.tell(each.family, each.values, score)
        contest = Contest(
            pool=pool,
            workers=self.clock.workers,
            scorer=scorer,
            stages=stages(int(self.seen.rows.height * (1 - 1 / FOLDS)), FOLDS),
            folds=splits(self.seen.rows, self.project.task, seed=seed, folds=FOLDS, repeats=1),
            seed=seed,
            seconds=max(self.clock.left, 0.0),
            tuner=tuner,
            sampler=self.order.sampler,
            planned=first_entrants(
                self.order, self.seen.baseline, families, self.project.task, self.seen.own_name
            ),
            ended=lambda entrant: self._tried(entrant, contest.entrants),
            most=self.order.most,
            entrants=earlier,
        )
        contest.run(self.clock.reserve)
        return contest.entrants

    def _tried(self, entrant: Entrant, entrants: Sequence[Entrant]) -> None:
        self.ids[entrant.number] = self.record.entered(entrant, self.clock.elapsed)
        if self.tracking is not None:
            self.tracking.tried(entrant, self.ids[entrant.number])
        others = [each.score for each in entrants if each.state == "finished"]
        finished = entrant.state == "finished"
        if finished and self.first_seconds is None and len(others) == 1:
            self.first_seconds = round(self.clock.elapsed, 3)
        self.tell(Tried(entrant, finished and entrant.score >= max(others)))
        self.tell(Working("searching", self.clock.elapsed, self.clock.seconds))

    def _screened(
        self, chosen: Choice, entrants: Sequence[Entrant], pool: Pool
    ) -> tuple[Evidence | None, Verdict | None]:
        """Return the chosen recipe's metric on fresh folds, and the verdict on its gain."""
        seconds = own_seconds(entrants), chosen.fit_seconds
        repeats = self.clock.repeats(*seconds)
        seed = derive_seed(self.project.settings.seed, "screen", self.record.id)
        found = splits(self.seen.rows, self.project.task, seed=seed, folds=FOLDS, repeats=REPEATS)
        judge = Judge(self.project, self.record, self.seen.rows, self.tools)
        try:
            trial, verdict = judge.screen(
                self.seen.baseline,
                chosen.recipe,
                chosen.name,
                pool=pool,
                folds=[each for each in found if each.repeat < repeats],
                seed=seed,
                limit=self.clock.judged_limit(*seconds),
                step=lambda done, total: self.tell(Working("judging on fresh folds", done, total)),
            )
        except AssayError as error:
            self._note(f"the choice could not be judged: {error}")
            return None, None
        return trial.after, verdict

    def _confirmed(self, chosen: Choice) -> Confirmation | None:
        self.tell(Working("confirming on the vault", 0, 1))
        judge = Judge(self.project, self.record, self.seen.rows, self.tools)
        try:
            promised = judge.confirm(self.seen.baseline, chosen.recipe)
        except AssayError as error:
            self._note(str(error))
            return None
        if promised.verdict.kept:
            self.project.save_metric()
            self.project.save_recipe(chosen.recipe)
        return promised

    def _note(self, text: str) -> None:
        self.notes.append(text)
        self.tell(Noted(text))

    def _result(
        self,
        entrants: Sequence[Entrant],
        scorer: Scorer,
        chosen: Choice | None,
        screened: Evidence | None,
        verdict: Verdict | None,
        promised: Confirmation | None,
    ) -> ExperimentResult:
        project, baseline = self.project, self.seen.baseline
        kept = promised is not None and promised.verdict.kept
        if not kept and project.task.metric != Project.open(project.path).task.metric:
            self._note(
                f"nothing was confirmed by {project.task.metric}, so the project keeps its metric; "
                "set it in assay.toml if its own recipe shall decide by these costs"
            )
        if not kept and self.seen.lost:
            self._note(
                f"recipe.toml still reads {', '.join(self.seen.lost)}, as do models of it: "
                "take that out of its features, or name it with --keep if it is known in time"
            )
        recipe = chosen.recipe if kept and chosen is not None else project.recipe
        result = ExperimentResult(
            project=project.path.name,
            run=self.record.id,
            task=project.task,
            seed=project.settings.seed,
            minutes=self.order.minutes,
            rows=project.search().height,
            vault=project.vault().n,
            sampled=self.seen.sampled,
            leaks=self.seen.leaks,
            left_out=self.seen.left_out,
            notes=(*self.seen.notes, *self.notes),
            standings=standings(entrants, scorer, self.ids),
            baseline=baseline,
            chosen=told(chosen),
            best=told(self.best),
            claimed=None if chosen is None else self.record.evidence(chosen.claimed),
            screened=screened,
            verdict=verdict,
            promised=promised,
            recipe=recipe,
            diff="" if chosen is None else recipe_diff(baseline, chosen.recipe),
            first_seconds=self.first_seconds,
            seconds=round(self.clock.elapsed, 3),
        )
        if self.tracking is not None:
            self._track(self.tracking, result)
        self.record.end(result.to_json(), result.recipe, name="experiment.json")
        return result

    def _track(self, tracking: Tracking, result: ExperimentResult) -> None:
        """Give the tracker the model of the project's recipe as it now is, and the figures."""
        task, rows = self.project.task, self.project.search()
        model = built(self.project, result.recipe, tools=self.tools, search=rows)
        tracking.chose(model, result.recipe, task, rows)
        after = result.promised.after if result.promised else None
        tracking.end(
            {
                "claimed": result.claimed.estimate if result.claimed else None,
                "screened": result.screened.estimate if result.screened else None,
                "promised": after.estimate if after else None,
            }
        )
