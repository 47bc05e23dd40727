"""A trial: two recipes built on identical splits, compared row by row."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
import polars as pl

from assay.engine import run_jobs
from assay.errors import InputError
from assay.evidence import Evidence, class_guards, compare, estimate
from assay.recipe.build import fit_recipe
from assay.recipe.features import embedded
from assay.recipe.model import FittedModel, Model
from assay.recipe.spec import Embedding, Recipe
from assay.recipe.splits import FOLDS, REPEATS, Split, splits
from assay.recipe.tools import Tools
from assay.seeds import derive_seed
from assay.task import Task

LABEL_METRICS = ("accuracy", "balanced_accuracy", "macro_f1")
"""Metrics that read classes."""

ORDER_METRICS = ("auc", "average_precision")
"""Metrics that read nothing of the probabilities of two classes but their order."""

Step = Callable[[int, int], None]
"""Told how many of how many fits are done."""


@dataclass(frozen=True)
class OutOfFold:
    """Predictions for rows that the model did not see.

    Attributes
    ----------
    rows
        Positions of the m rows that were predicted, ascending.
    predictions
        One (m,) or (m, k) array for each repeat.
    """

    rows: np.ndarray
    predictions: tuple[np.ndarray, ...]


@dataclass(frozen=True)
class Trial:
    """What comparing two recipes gave.

    Attributes
    ----------
    gain
        How much better the second recipe is on the task's metric; positive is better.
    guards
        Change of recall for each class; empty for a regression.
    before, after
        The metric of each recipe, in its own unit.
    """

    gain: Evidence
    guards: tuple[Evidence, ...]
    before: Evidence
    after: Evidence
    out_of_fold_before: OutOfFold
    out_of_fold_after: OutOfFold


def run_trial(
    before: Recipe,
    after: Recipe,
    search: pl.DataFrame,
    task: Task,
    *,
    tools: Tools,
    seed: int,
    folds: int = FOLDS,
    repeats: int = REPEATS,
    min_effect: float = 0.0,
    allowed_loss: float = 0.05,
    step: Step | None = None,
) -> Trial:
    """Compare two recipes by repeated cross-validation on ``search`` rows.

    Both are built on the same splits, drawn from ``seed``. The test is the one of
    :func:`assay.evidence.compare` on each row's difference averaged over the repeats.
    """
    found = splits(search, task, seed=seed, folds=folds, repeats=repeats)
    first, second = out_of_fold(
        (before, after), search, task, found, tools=tools, seed=seed, step=step
    )
    return compared(
        search, task, first, second, seed=seed, min_effect=min_effect, allowed_loss=allowed_loss
    )


@dataclass(frozen=True)
class _Fold:
    """What judging some recipes on one split needs."""

    recipes: tuple[Recipe, ...]
    search: pl.DataFrame
    task: Task
    split: Split
    tools: Tools
    seed: int

    def portable(self) -> _Fold:
        return replace(self, tools=self.tools.snapshot())


def out_of_fold(
    recipes: Sequence[Recipe],
    search: pl.DataFrame,
    task: Task,
    found: Sequence[Split],
    *,
    tools: Tools,
    seed: int,
    step: Step | None = None,
) -> tuple[OutOfFold, ...]:
    """Return each recipe's predictions for every row that some split of ``found`` judges."""
    prepare(recipes, search, tools)
    rows = np.unique(np.concatenate([each.test for each in found]))
    tables: list[dict[int, np.ndarray]] = [{} for _ in recipes]
    jobs = [_Fold(tuple(recipes), search, task, split, tools, seed) for split in found]
    judged = run_jobs(_judge, jobs, portable=_Fold.portable)
    for number, (split, predictions) in enumerate(zip(found, judged, strict=True), start=1):
        for repeats, predicted in zip(tables, predictions, strict=True):
            table = repeats.setdefault(
                split.repeat, np.empty((search.height, *predicted.shape[1:]), predicted.dtype)
            )
            table[split.test] = predicted
        if step is not None:
            step(number * len(recipes), len(found) * len(recipes))
    return tuple(
        OutOfFold(rows, tuple(table[rows] for table in repeats.values())) for repeats in tables
    )


def prepare(recipes: Sequence[Recipe], search: pl.DataFrame, tools: Tools) -> None:
    """Embed every text that a fold may ask for, so that folds need no model."""
    for recipe in recipes:
        pairs = [(feature, search) for feature in recipe.all_features]
        pairs += [(feature, search) for each in recipe.rows.mended for feature in each.features]
        for added in recipe.rows.added:
            votes = tools.table(added.votes)
            pairs += [(feature, votes) for feature in (*added.features, *recipe.all_features)]
        for artefact in recipe.rows.extra:
            pairs += [(feature, tools.table(artefact)) for feature in recipe.all_features]
        for feature, rows in pairs:
            if isinstance(feature, Embedding):
                embedded(rows, feature, tools)


def _judge(fold: _Fold) -> list[np.ndarray]:
    """Build each recipe on the fold's training rows; return predictions for its test rows."""
    split, task = fold.split, fold.task
    train, test = fold.search[split.train], fold.search[split.test]
    seed = _fit_seed(fold.seed, split)
    predictions = []
    known: dict[str, Model] = {}
    for recipe in fold.recipes:
        read = as_read(recipe, task)
        twin = read.model_copy(update={"rarity": 0.0}).hash
        model = known.get(twin)
        if isinstance(model, FittedModel):  # alike but for the rarity, which no fit reads
            model = model.with_rarity(recipe.rarity)
        else:
            model = fit_recipe(read, train, task, tools=fold.tools, seed=seed, judged=test)
            known[twin] = model
        predicted = model.predictions(test, probabilities=reads_probabilities(task))
        _require_finite(predicted, recipe)
        predictions.append(predicted)
    return predictions


def fitted_fold(
    recipe: Recipe, search: pl.DataFrame, task: Task, split: Split, *, tools: Tools, seed: int
) -> Model:
    """Return the model that judges the test rows of one split in :func:`out_of_fold`."""
    prepare((recipe,), search, tools)
    return fit_recipe(
        as_read(recipe, task), search[split.train], task, tools=tools, seed=_fit_seed(seed, split),
        judged=search[split.test],
    )  # fmt: skip


def _fit_seed(seed: int, split: Split) -> int:
    return derive_seed(seed, "fit", split.repeat, split.fold)


def reads_probabilities(task: Task) -> bool:
    """Return whether the task's metric judges probabilities, where there are any, not classes."""
    return task.metric not in LABEL_METRICS


def as_read(recipe: Recipe, task: Task) -> Recipe:
    """Return ``recipe`` without its decision where the task's metric does not read classes.

    Its predictions are the same; the models that choose the threshold are fits saved.
    """
    unread = task.kind == "binary" and reads_probabilities(task)
    return recipe.with_decision(None) if unread else recipe


def compared(
    search: pl.DataFrame,
    task: Task,
    first: OutOfFold,
    second: OutOfFold,
    *,
    seed: int,
    min_effect: float = 0.0,
    allowed_loss: float = 0.05,
) -> Trial:
    """Compare the predictions of two recipes on identical splits of ``search`` rows."""
    judged = search[first.rows]
    truth = judged[task.target].to_numpy()
    groups = judged[task.group].cast(pl.String).to_numpy() if task.group else None
    shared: dict[str, Any] = {"classes": task.class_names or None, "groups": groups}
    metric: dict[str, Any] = {"metric": task.metric, "seed": seed, **shared}
    gain = compare(truth, first.predictions, second.predictions, min_effect=min_effect, **metric)
    guards: tuple[Evidence, ...] = ()
    if task.kind != "regression":
        guards = class_guards(
            truth,
            first.predictions,
            second.predictions,
            allowed=allowed_loss,
            metric=task.metric,
            threshold=task.threshold,
            **shared,
        )
    return Trial(
        gain=gain,
        guards=guards,
        before=estimate(truth, first.predictions, **metric),
        after=estimate(truth, second.predictions, **metric),
        out_of_fold_before=first,
        out_of_fold_after=second,
    )


def _require_finite(predicted: np.ndarray, recipe: Recipe) -> None:
    if predicted.dtype != object and not np.isfinite(predicted).all():
        raise InputError(
            f"{recipe.estimator.path} predicted values that are not finite.",
            next_step="choose another estimator or other parameters",
        )
