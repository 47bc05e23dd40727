"""A project's case: what its recipe says of search rows that it did not see."""

from __future__ import annotations

from collections.abc import Callable
from functools import cache, partial
from typing import Any

import numpy as np
import polars as pl

from assay.diagnose.case import Case
from assay.diagnose.given import case_of
from assay.diagnose.models import Answers
from assay.diagnose.pictures.measure import Embed
from assay.project import Project
from assay.recipe import Embedding, Tools, fit_recipe, out_of_fold, splits
from assay.recipe.estimators import new_estimator
from assay.seeds import derive_seed
from assay.task import Task


def project_case(project: Project, gateway: Any) -> Case:
    """Return the search rows with the recipe's out-of-fold predictions; never a vault row."""
    task, search = project.task, project.search()
    seed = derive_seed(project.settings.seed, "diagnose")
    found = splits(search, task, seed=seed, repeats=1)
    judging = task if task.kind == "regression" else task.model_copy(update={"metric": "log_loss"})
    tools = Tools.of(project.ledger(), gateway)
    recipe = project.recipe
    labels_only = not hasattr(new_estimator(recipe.estimator, 0), "predict_proba")
    if labels_only and task.kind != "regression":
        judging = task.model_copy(update={"metric": "accuracy"})
    (said,) = out_of_fold((recipe,), search, judging, found, tools=tools, seed=seed)
    rows, predicted = search[said.rows], said.predictions[0]
    answers = _answers(predicted, task)
    truth = rows[task.target]
    if task.kind != "regression":
        truth = truth.cast(pl.String)
    return case_of(rows.drop(task.target), task, truth, answers, seed=seed)


def recipe_answers(project: Project, gateway: Any) -> Callable[[pl.DataFrame], Answers]:
    """Return what the recipe, taught on all search rows, says of made rows; fitted when asked."""
    task, seed = project.task, derive_seed(project.settings.seed, "made rows")

    @cache
    def fitted() -> Any:
        tools = Tools.of(project.ledger(), gateway)
        return fit_recipe(project.recipe, project.search(), task, tools=tools, seed=seed)

    def ask(rows: pl.DataFrame) -> Answers:
        stated = task.kind != "regression" and hasattr(
            new_estimator(project.recipe.estimator, 0), "predict_proba"
        )
        return _answers(fitted().predictions(rows, probabilities=stated), task)

    return ask


def _answers(predicted: np.ndarray, task: Task) -> Answers:
    if predicted.ndim == 2:
        names = np.asarray(task.class_names, dtype=object)
        return Answers(names[predicted.argmax(axis=1)], predicted)
    return Answers(predicted)


def recipe_embedding(project: Project, gateway: Any) -> Embed | None:
    """Return how the recipe embeds the task's text; None where it does not.

    These vectors are cached: the recipe was fitted on them.
    """
    text = project.task.text
    for each in project.recipe.all_features:
        if isinstance(each, Embedding) and each.column == text:
            return partial(gateway.embed, each.model, columns=(each.column,))
    return None
