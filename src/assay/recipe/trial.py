"""A trial: two recipes built on identical splits, compared row by row."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import polars as pl

from assay.errors import InputError
from assay.evidence import Evidence, class_guards, compare, estimate
from assay.recipe.build import fit_recipe
from assay.recipe.spec import Recipe
from assay.recipe.splits import FOLDS, REPEATS, Split, splits
from assay.recipe.tools import Tools
from assay.seeds import derive_seed
from assay.task import Task

LABEL_METRICS = ("accuracy", "macro_f1")

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
    done = 0

    def fitted() -> None:
        nonlocal done
        done += 1
        if step is not None:
            step(done, 2 * len(found))

    def predicted(recipe: Recipe) -> OutOfFold:
        return out_of_fold(recipe, search, task, found, tools=tools, seed=seed, fitted=fitted)

    first, second = predicted(before), predicted(after)
    return _compared(
        search, task, first, second, seed=seed, min_effect=min_effect, allowed_loss=allowed_loss
    )


def out_of_fold(
    recipe: Recipe,
    search: pl.DataFrame,
    task: Task,
    found: Sequence[Split],
    *,
    tools: Tools,
    seed: int,
    fitted: Callable[[], None] | None = None,
) -> OutOfFold:
    """Return predictions of ``recipe`` for every row that some split of ``found`` judges."""
    rows = np.unique(np.concatenate([each.test for each in found]))
    repeats: dict[int, np.ndarray] = {}
    for split in found:
        model = fit_recipe(
            recipe,
            search[split.train],
            task,
            tools=tools,
            seed=derive_seed(seed, "fit", split.repeat, split.fold),
        )
        probabilities = task.metric not in LABEL_METRICS
        predicted = model.predictions(search[split.test], probabilities=probabilities)
        _require_finite(predicted, recipe)
        table = repeats.setdefault(
            split.repeat, np.empty((search.height, *predicted.shape[1:]), predicted.dtype)
        )
        table[split.test] = predicted
        if fitted is not None:
            fitted()
    return OutOfFold(rows, tuple(table[rows] for table in repeats.values()))


def _compared(
    search: pl.DataFrame,
    task: Task,
    first: OutOfFold,
    second: OutOfFold,
    *,
    seed: int,
    min_effect: float,
    allowed_loss: float,
) -> Trial:
    judged = search[first.rows]
    truth = judged[task.target].to_numpy()
    groups = judged[task.group].cast(pl.String).to_numpy() if task.group else None
    shared: dict[str, Any] = {"classes": task.class_names or None, "groups": groups}
    metric: dict[str, Any] = {"metric": task.metric, "seed": seed, **shared}
    gain = compare(truth, first.predictions, second.predictions, min_effect=min_effect, **metric)
    guards: tuple[Evidence, ...] = ()
    if task.kind != "regression":
        guards = class_guards(
            truth, first.predictions, second.predictions, allowed=allowed_loss, **shared
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
