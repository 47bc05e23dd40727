"""A project's case: what its recipe says of search rows that it did not see."""

from __future__ import annotations

from functools import cache, partial
from typing import Any

import polars as pl

from assay.diagnose.case import Case
from assay.diagnose.given import case_of
from assay.diagnose.models import Answers, Ask
from assay.diagnose.pictures.measure import Embed
from assay.project import Project
from assay.recipe import Embedding, Recipe, Tools, fit_recipe, out_of_fold, splits
from assay.recipe.estimators import new_estimator
from assay.seeds import derive_seed
from assay.task import Task


def project_case(project: Project, gateway: Any) -> Case:
    """Return the search rows with the recipe's out-of-fold predictions; never a vault row."""
    task, search = project.task, project.search()
    seed = derive_seed(project.settings.seed, "diagnose")
    found = splits(search, task, seed=seed, repeats=1)
    tools = Tools.of(project.ledger(), gateway)
    recipe = project.recipe
    judging = task
    if task.kind != "regression":
        metric = "log_loss" if _states_probabilities(recipe, task) else "accuracy"
        judging = task.model_copy(update={"metric": metric})
    (said,) = out_of_fold((recipe,), search, judging, found, tools=tools, seed=seed)
    rows, predicted = search[said.rows], said.predictions[0]
    answers = Answers.of(predicted, task)
    truth = rows[task.target]
    if task.kind != "regression":
        truth = truth.cast(pl.String)
    return case_of(rows.drop(task.target), task, truth, answers, seed=seed)


def recipe_answers(project: Project, gateway: Any) -> Ask:
    """Return what the recipe, taught on all search rows, says of made rows; fitted when asked."""
    task, seed = project.task, derive_seed(project.settings.seed, "made rows")

    @cache
    def fitted() -> Any:
        tools = Tools.of(project.ledger(), gateway)
        return fit_recipe(project.recipe, project.search(), task, tools=tools, seed=seed)

    def ask(rows: pl.DataFrame) -> Answers:
        stated = _states_probabilities(project.recipe, task)
        return Answers.of(fitted().predictions(rows, probabilities=stated), task)

    return ask


def _states_probabilities(recipe: Recipe, task: Task) -> bool:
    """Return whether the recipe's model gives probabilities of classes."""
    estimator = new_estimator(recipe.estimator, 0)
    return task.kind != "regression" and hasattr(estimator, "predict_proba")


def recipe_embedding(project: Project, gateway: Any) -> Embed | None:
    """Return how the recipe embeds the task's text; None where it does not.

    These vectors are cached: the recipe was fitted on them.
    """
    text = project.task.text
    for each in project.recipe.all_features:
        if isinstance(each, Embedding) and each.column == text:
            return partial(gateway.embed, each.model, columns=(each.column,))
    return None
