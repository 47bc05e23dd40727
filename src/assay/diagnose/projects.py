"""A project's case: what its recipe says of search rows that it did not see."""

from __future__ import annotations

from collections.abc import Sequence
from functools import cache, partial
from typing import Any

import numpy as np
import polars as pl

from assay.diagnose.answers import Answers, Ask
from assay.diagnose.case import Case
from assay.diagnose.given import case_of
from assay.diagnose.pictures.measure import Embed
from assay.project import Project
from assay.recipe import Embedding, Recipe, Tools, out_of_fold, splits
from assay.recipe.estimators import new_estimator
from assay.recipe.splits import Split
from assay.recipe.trial import fitted_fold, reads_probabilities
from assay.seeds import derive_seed
from assay.task import Task


def project_case(project: Project, gateway: Any) -> Case:
    """Return the search rows with the recipe's out-of-fold predictions; never a vault row."""
    task, search = project.task, project.search()
    judging, found, seed = _judging(project), _folds(project), _seed(project)
    tools = Tools.of(project.ledger(), gateway)
    (said,) = out_of_fold((project.recipe,), search, judging, found, tools=tools, seed=seed)
    rows, predicted = search[said.rows], said.predictions[0]
    answers = Answers.of(predicted, task)
    truth = rows[task.target]
    if task.kind != "regression":
        truth = truth.cast(pl.String)
    return case_of(rows.drop(task.target), task, truth, answers, seed=seed)


def recipe_answers(project: Project, gateway: Any) -> Ask:
    """Return what the recipe says of rows that were made of search rows.

    Each is answered by the model of the fold that did not see the row it was made of, as the case
    is; ``row_id`` says which row that was. These models are fitted when they are asked.
    """
    task, search, folds = _judging(project), project.search(), _folds(project)
    tools = Tools.of(project.ledger(), gateway)
    judged = {row: at for at, each in enumerate(folds) for row in search["row_id"][each.test]}

    @cache
    def fitted(at: int) -> Any:
        return fitted_fold(
            project.recipe, search, task, folds[at], tools=tools, seed=_seed(project)
        )

    def ask(rows: pl.DataFrame) -> Answers:
        place = np.array([judged[row] for row in rows["row_id"]])
        parts = {at: np.flatnonzero(place == at) for at in np.unique(place).tolist()}
        stated = reads_probabilities(task)
        said = [
            fitted(at).predictions(rows[own], probabilities=stated) for at, own in parts.items()
        ]
        order = np.argsort(np.concatenate(list(parts.values())), kind="stable")
        return Answers.of(np.concatenate(said)[order], project.task)

    return ask


def _seed(project: Project) -> int:
    return derive_seed(project.settings.seed, "diagnose")


def _folds(project: Project) -> Sequence[Split]:
    return splits(project.search(), project.task, seed=_seed(project), repeats=1)


def _judging(project: Project) -> Task:
    """Return the task with a metric that reads probabilities where the recipe states them."""
    if project.task.kind == "regression":
        return project.task
    metric = "log_loss" if _states_probabilities(project.recipe, project.task) else "accuracy"
    return project.task.model_copy(update={"metric": metric})


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
