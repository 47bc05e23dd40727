"""The gate on recipes: whether another recipe may replace the project's own."""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any

import numpy as np
import polars as pl

from assay.errors import InputError
from assay.evidence import Evidence, class_guards, compare, decide
from assay.evidence.gate import Gated, Guard, gated, metric_guard
from assay.evidence.timing import slowdown
from assay.recipe import Embedding, Recipe, Tools, Trial, fit_recipe, run_trial
from assay.seeds import derive_seed

if TYPE_CHECKING:
    from assay.project.project import Project
    from assay.task import Task

LATENCY = "latency"
PAIRS = 15

Step = Callable[[int, int], None]


def gate_recipe(
    project: Project,
    recipe: Recipe,
    *,
    metric: str | None = None,
    min_effect: float = 0.0,
    guards: Sequence[Guard] = (),
    alpha: float = 0.05,
    seed: int = 0,
    step: Step | None = None,
) -> Gated:
    """Judge ``recipe`` against the project's own by cross-validation on the search rows.

    Parameters
    ----------
    metric
        By default the task's.
    guards
        ``recall`` of every class, any metric's name, or ``latency``: the time that a model
        built on all search rows takes to predict them. Without a guard of recall the project's
        ``max_class_loss`` holds, as it does for every proposal.

    Raises
    ------
    InputError
        When a guard names anything else, or latency where a recipe embeds texts.
    """
    task = project.task
    timed = [each for each in guards if each.what == LATENCY]
    if timed:
        _require_timeable(timed, project.recipe, recipe)
    unguarded = task.kind != "regression" and not any(each.what == "recall" for each in guards)
    search = project.search()
    with project.gateway(capability="gate") as gateway:
        tools = Tools.of(project.ledger(), gateway)
        trial = run_trial(project.recipe, recipe, search, task, tools=tools, seed=seed, step=step)
        judged = _Judged.of(trial, search, task, seed)
        gain = judged.gain(metric or task.metric, min_effect)
        facts = [fact for each in guards if each not in timed for fact in judged.guard(each)]
        if unguarded:
            facts += judged.recalls(project.settings.max_class_loss, metric or task.metric)
        if timed:
            slower = _slower(project.recipe, recipe, search, task, tools, seed)
            facts += [
                replace(slower, details=slower.details | {"allowed": each.allowed})
                for each in timed
            ]
    return gated(decide(gain, alpha=alpha, min_effect=min_effect, guards=facts), min_effect, alpha)


@dataclass(frozen=True)
class _Judged:
    """Both recipes' predictions of the rows that cross-validation judged."""

    truth: np.ndarray
    before: tuple[np.ndarray, ...]
    after: tuple[np.ndarray, ...]
    shared: dict[str, Any]
    seed: int
    threshold: float | None

    @classmethod
    def of(cls, trial: Trial, search: pl.DataFrame, task: Task, seed: int) -> _Judged:
        rows = search[trial.out_of_fold_before.rows]
        groups = rows[task.group].cast(pl.String).to_numpy() if task.group else None
        return cls(
            rows[task.target].to_numpy(),
            trial.out_of_fold_before.predictions,
            trial.out_of_fold_after.predictions,
            {"classes": task.class_names or None, "groups": groups},
            seed,
            task.threshold,
        )

    def gain(self, metric: str, min_effect: float) -> Evidence:
        return compare(
            self.truth,
            self.before,
            self.after,
            metric=metric,
            min_effect=min_effect,
            seed=self.seed,
            **self.shared,
        )

    def guard(self, guard: Guard) -> list[Evidence]:
        if guard.what == "recall":
            return self.recalls(guard.allowed)
        return [metric_guard(guard, self.truth, self.before, self.after, self.shared, self.seed)]

    def recalls(self, allowed: float, metric: str | None = None) -> list[Evidence]:
        return list(
            class_guards(
                self.truth,
                self.before,
                self.after,
                allowed=allowed,
                metric=metric,
                threshold=self.threshold,
                **self.shared,
            )
        )


def _require_timeable(guards: Sequence[Guard], *recipes: Recipe) -> None:
    absolute = [each.allowed for each in guards if not each.relative]
    if absolute:
        raise InputError(
            "The latency of a recipe is guarded by a share.",
            given=absolute[0],
            allowed="latency:10%",
        )
    if any(isinstance(each, Embedding) for recipe in recipes for each in recipe.all_features):
        raise InputError(
            "The latency of a recipe that embeds texts cannot be guarded here: its vectors come "
            "from the cache.",
            next_step="measure each row's latency where the model serves, and compare two "
            "prediction files that hold it as a column",
        )


def _slower(
    before: Recipe, after: Recipe, search: pl.DataFrame, task: Task, tools: Tools, seed: int
) -> Evidence:
    """Time both models' predictions of all search rows, in turn, on one thread."""
    from threadpoolctl import threadpool_limits

    models = [
        fit_recipe(each, search, task, tools=tools, seed=derive_seed(seed, "latency"))
        for each in (before, after)
    ]

    def seconds(model: int) -> float:
        started = time.perf_counter()
        models[model].predict(search)
        return time.perf_counter() - started

    with threadpool_limits(1):
        for model in (0, 1):
            seconds(model)  # the first call of each fills caches and is not counted
        noise = [(seconds(0), seconds(0)) for _ in range(PAIRS)]
        real = [(seconds(0), seconds(1)) for _ in range(PAIRS)]
    return slowdown(real, noise, seed=seed)
