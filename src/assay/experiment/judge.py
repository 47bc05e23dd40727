"""The chosen recipe against the project's own: on fresh folds, then once on the vault."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace

import numpy as np
import polars as pl

from assay.errors import AssayError, VaultError
from assay.evidence import Confirmation, Verdict, decide
from assay.experiment.record import Record
from assay.experiment.search.jobs import Job
from assay.experiment.search.pool import Pool
from assay.project import Project
from assay.project.building import confirm, question
from assay.recipe import (
    OutOfFold,
    Recipe,
    Split,
    Tools,
    Trial,
    compared,
)

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
        verdict = self.record.verdict(
            decide(
                trial.gain,
                alpha=settings.level,
                min_effect=settings.min_effect,
                guards=trial.guards,
                allowed_loss=settings.max_class_loss,
            )
        )
        fact = self.record.evidence
        trial = replace(trial, before=fact(trial.before), after=fact(trial.after))
        self._keep(before, after, name, trial, verdict, seed)
        return trial, verdict

    def confirm(self, before: Recipe, after: Recipe) -> Confirmation:
        """Look at the vault once; both recipes are built on all search rows.

        Raises
        ------
        VaultError
            When no look is left, or the rows were altered.
        """
        vault = self.project.vault()
        asked = question(before, after, self.project.task.metric)
        if vault.looks_left == 0 and not vault.is_answered(asked):
            raise VaultError(
                "Every look at the locked rows is spent, so the find is not confirmed.",
                next_step="lock new labelled rows: assay vault renew DATA",
            )
        return confirm(self.project, before, after, tools=self.tools, run=self.record.id)

    def _keep(
        self, before: Recipe, after: Recipe, name: str, trial: Trial, verdict: Verdict, seed: int
    ) -> None:
        run = self.record.id
        key = f"{run}:{before.hash}:{after.hash}"
        proposal = self.record.proposed(
            name,
            before,
            after,
            source="experiment",
            rationale="the search chose it",
            origin="search",
            key=key,
        )
        self.record.tried(proposal, trial, verdict, seed)
        body = {"name": name, **verdict.as_dict()}
        self.record.ledger.record("verdict", body, run=run, key=key)


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
