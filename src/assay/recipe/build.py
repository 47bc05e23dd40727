"""Building a recipe: a fitted model, the same for the same rows and seed."""

from __future__ import annotations

import inspect
from collections.abc import Callable
from typing import Any

import numpy as np
import polars as pl

from assay.errors import InputError
from assay.recipe.adjustment import Adjustment
from assay.recipe.deciding import DecidingModel, deciding
from assay.recipe.estimators import new_estimator
from assay.recipe.features import FeatureUnion, Matrix
from assay.recipe.model import BlendedModel, FittedModel, Model, densified
from assay.recipe.rows import TrainingRows, training_rows
from assay.recipe.spec import Feature, Recipe
from assay.recipe.threads import one_blas_thread
from assay.recipe.tools import Tools
from assay.task import Task

Encode = Callable[[tuple[Feature, ...], pl.DataFrame, Tools], tuple[FeatureUnion, Matrix]]


def encoded(
    features: tuple[Feature, ...], rows: pl.DataFrame, tools: Tools
) -> tuple[FeatureUnion, Matrix]:
    """Return encoders that learned from ``rows``, and the (n, d) matrix of these rows."""
    union = FeatureUnion(features, tools)
    return union, union.fit_transform(rows)


def fit_recipe(
    recipe: Recipe,
    labelled: pl.DataFrame,
    task: Task,
    *,
    tools: Tools,
    seed: int,
    judged: pl.DataFrame | None = None,
    encode: Encode = encoded,
) -> Model:
    """Build ``recipe`` on ``labelled`` rows (``row_id``, inputs, target).

    Parameters
    ----------
    judged
        The rows that the model will be judged on, where they are known; see
        :func:`assay.recipe.training_rows`.
    encode
        Turns features and training rows into encoders and a matrix; another one may remember.

    Raises
    ------
    InputError
        When the estimator cannot be imported, refuses a parameter, or cannot be fitted.
    """
    with one_blas_thread():
        training = training_rows(recipe, labelled, task, tools, seed, judged)
        fitted = [
            (weight, _fit(each, training, task, tools, seed, encode))
            for weight, each in recipe.members
        ]
    model: Model = fitted[0][1] if len(fitted) == 1 else BlendedModel(task, tuple(fitted))
    if task.threshold is not None:  # costs that the metric states outweigh a decision
        return DecidingModel(task, model, task.threshold)
    if recipe.decision is None:
        return model
    undecided = recipe.with_decision(None)

    def fit(train: pl.DataFrame, test: pl.DataFrame) -> Model:
        return fit_recipe(undecided, train, task, tools=tools, seed=seed, judged=test)

    return deciding(recipe.decision, model, labelled, task, fit=fit, seed=seed)


def _fit(
    recipe: Recipe, training: TrainingRows, task: Task, tools: Tools, seed: int, encode: Encode
) -> FittedModel:
    estimator = new_estimator(recipe.estimator, seed)
    features, matrix = encode(recipe.features, training.rows, tools)
    matrix = densified(estimator, matrix)
    targets, seen = _targets(training.rows[task.target], task)
    adjustment = Adjustment.of(recipe, targets, task)
    targets = adjustment.learned(targets)
    given = _weights(recipe.estimator.path, estimator, training.weights)
    if getattr(estimator, "reads_codes", False):
        given["codes"] = seen
    try:
        estimator.fit(matrix, targets, **given)
    except (ValueError, TypeError) as error:
        if len(seen) == 1 and task.kind != "regression":
            raise InputError(
                "The rows to train on hold one class only.",
                given=task.class_names[seen[0]],
                next_step="label rows of the other classes"
                + (f" in more groups of {task.group!r}" if task.group else ""),
            ) from error
        raise InputError(
            f"{recipe.estimator.path} could not be fitted: {error}.",
            next_step="mend [estimator] in recipe.toml",
        ) from error
    return FittedModel(recipe, task, features, estimator, seen, adjustment)


def _targets(target: pl.Series, task: Task) -> tuple[np.ndarray, np.ndarray]:
    """Return targets as contiguous class codes (or values), and the classes seen."""
    if task.kind == "regression":
        return target.cast(pl.Float64).to_numpy(), np.empty(0, int)
    index = {name: code for code, name in enumerate(task.class_names)}
    unknown = set(target.to_list()) - set(index)
    if unknown:
        raise InputError(
            "A training row has a label that the task does not know.",
            given=sorted(map(str, unknown))[0],
            allowed=", ".join(task.class_names[:20]),
            next_step="add the class to assay.toml, or correct the label",
        )
    seen, codes = np.unique([index[name] for name in target.to_list()], return_inverse=True)
    return codes, seen


def _weights(path: str, estimator: Any, weights: np.ndarray) -> dict[str, np.ndarray]:
    if np.all(weights == 1):
        return {}
    if "sample_weight" not in inspect.signature(estimator.fit).parameters:
        raise InputError(
            f"{path} does not take row weights.",
            next_step="remove the weights under [rows] from recipe.toml, or use another estimator",
        )
    return {"sample_weight": weights}
