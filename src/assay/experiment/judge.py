"""The chosen recipe against the project's own: on fresh folds, then once on the vault."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
import polars as pl

from assay.errors import AssayError, VaultError
from assay.evidence import Verdict, decide
from assay.evidence.screening import ALPHA
from assay.experiment.record import Record
from assay.experiment.result import Promise
from assay.experiment.search.jobs import Job
from assay.experiment.search.pool import Pool
from assay.project import Project
from assay.recipe import (
    OutOfFold,
    Recipe,
    Split,
    Tools,
    Trial,
    compared,
    fit_recipe,
    recipe_diff,
)
from assay.recipe.trial import LABEL_METRICS
from assay.seeds import derive_seed

Step = Callable[[int, int], None]


@dataclass(frozen=True)
class Judge:
    """Judges one recipe against another, in the project's terms.

    Attributes
    ----------
    rows
        The rows that fresh folds are made of.
    """

    project: Project
    record: Record
    rows: pl.DataFrame
    tools: Tools

    def screen(
        self,
        before: Recipe,
        after: Recipe,
        name: str,
        *,
        pool: Pool,
        folds: list[Split],
        seed: int,
        limit: float,
        step: Step,
    ) -> tuple[Trial, Verdict]:
        """Build both recipes on fresh folds in the pool, compare, decide, record.

        Raises
        ------
        AssayError
            When one of them fails on a fold.
        """
        settings, task = self.project.settings, self.project.task
        first, second = _out_of_fold(pool, (before, after), self.rows, folds, seed, limit, step)
        trial = compared(
            self.rows,
            task,
            first,
            second,
            seed=seed,
            min_effect=settings.min_effect,
            allowed_loss=settings.max_class_loss,
        )
        alpha = settings.alpha if settings.mode == "screen" else ALPHA[settings.mode]
        verdict = self.record.verdict(
            decide(
                trial.gain,
                alpha=alpha,
                min_effect=settings.min_effect,
                guards=trial.guards,
                allowed_loss=settings.max_class_loss,
            )
        )
        self._keep(before, after, name, trial, verdict, seed)
        return trial, verdict

    def confirm(self, before: Recipe, after: Recipe) -> Promise:
        """Look at the vault once; both recipes are built on all search rows.

        Raises
        ------
        VaultError
            When no look is left, or the rows were altered.
        """
        settings, vault = self.project.settings, self.project.vault()
        key = f"{before.hash}:{after.hash}"
        if vault.looks_left == 0 and not vault.is_answered(key):
            raise VaultError(
                "Every look at the locked rows is spent, so the find is not confirmed.",
                next_step="lock new labelled rows: assay vault renew DATA",
            )
        found = vault.confirm(
            self._predictor(before),
            self._predictor(after),
            key=key,
            run=self.record.id,
            min_effect=settings.min_effect,
            allowed_loss=settings.max_class_loss,
            seed=settings.seed,
        )
        return Promise(found.verdict, found.before, found.after, found.looks_left, found.id)

    def _predictor(self, recipe: Recipe) -> Callable[[pl.DataFrame], np.ndarray]:
        task = self.project.task
        seed = derive_seed(self.project.settings.seed, "confirm")
        model = fit_recipe(recipe, self.project.search(), task, tools=self.tools, seed=seed)
        probabilities = task.metric not in LABEL_METRICS
        return lambda rows: model.predictions(rows, probabilities=probabilities)

    def _keep(
        self, before: Recipe, after: Recipe, name: str, trial: Trial, verdict: Verdict, seed: int
    ) -> None:
        ledger, run = self.record.ledger, self.record.id
        proposal = {
            "name": name,
            "source": "experiment",
            "rationale": "the search chose it",
            "origin": "search",
            "before": self.record.recipe(before),
            "after": self.record.recipe(after),
            "diff": recipe_diff(before, after),
        }
        key = f"{run}:{before.hash}:{after.hash}"
        proposal_id = ledger.record("proposal", proposal, run=run, key=key)
        body = {
            "proposal": proposal_id,
            "seed": seed,
            "before": self.record.evidence(trial.before).as_dict(),
            "after": self.record.evidence(trial.after).as_dict(),
            "gain": verdict.main.as_dict(),
        }
        ledger.record("trial", body, run=run)
        ledger.record("verdict", {"name": name, **verdict.as_dict()}, run=run, key=key)


def _out_of_fold(
    pool: Pool,
    recipes: tuple[Recipe, Recipe],
    rows: pl.DataFrame,
    folds: list[Split],
    seed: int,
    limit: float,
    step: Step,
) -> tuple[OutOfFold, OutOfFold]:
    jobs = [
        (number, split, Job(recipe, seed, split.repeat, split.fold))
        for split in folds
        for number, recipe in enumerate(recipes)
    ]
    places = {job.name: (number, split) for number, split, job in jobs}
    waiting = [job for _, _, job in reversed(jobs)]
    tables: list[dict[int, np.ndarray]] = [{}, {}]
    done = 0
    while done < len(jobs):
        while waiting and pool.idle:
            pool.submit(waiting.pop(), seconds=limit)
        for outcome in pool.wait():
            if outcome.job.name not in places:  # left over from the search
                continue
            number, split = places[outcome.job.name]
            if outcome.predictions is None:
                raise AssayError(
                    f"{outcome.job.recipe.estimator.path} failed on fresh folds: {outcome.reason}."
                )
            found = outcome.predictions
            empty = np.full((rows.height, *found.shape[1:]), np.nan)
            tables[number].setdefault(split.repeat, empty)[split.test] = found
            done += 1
            step(done, len(jobs))
    positions = np.unique(np.concatenate([each.test for each in folds]))
    first, second = (
        OutOfFold(positions, tuple(each[positions] for each in repeats.values()))
        for repeats in tables
    )
    return first, second
