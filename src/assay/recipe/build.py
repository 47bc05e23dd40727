"""Building a recipe: a fitted model, the same for the same rows and seed."""

from __future__ import annotations

import importlib
import inspect
from dataclasses import dataclass
from typing import Any

import numpy as np
import polars as pl

from assay.errors import InputError
from assay.recipe.features import FeatureUnion, Matrix
from assay.recipe.rows import training_rows
from assay.recipe.spec import Estimator, Recipe
from assay.recipe.tools import Tools
from assay.task import Task


@dataclass(frozen=True)
class FittedModel:
    """A built recipe.

    Attributes
    ----------
    seen
        Indices into ``task.class_names`` of the classes that the training rows held.
    """

    recipe: Recipe
    task: Task
    features: FeatureUnion
    estimator: Any
    seen: np.ndarray

    def predict(self, rows: pl.DataFrame) -> np.ndarray:
        """Return (n,) class names, or float64 values for a regression."""
        raw = self.estimator.predict(self._matrix(rows))
        if self.task.kind == "regression":
            return np.asarray(raw, dtype=np.float64)
        names = np.asarray(self.task.class_names, dtype=object)
        return np.asarray(names[self.seen[np.asarray(raw, int)]])

    def predict_proba(self, rows: pl.DataFrame) -> np.ndarray:
        """Return an (n, k) array of probabilities in the order of ``task.class_names``.

        Raises
        ------
        InputError
            When the estimator gives no probabilities.
        """
        if not hasattr(self.estimator, "predict_proba"):
            raise InputError(
                f"{self.recipe.estimator.path} gives no probabilities.",
                next_step="use a metric of labels, such as accuracy, or another estimator",
            )
        filled = np.zeros((rows.height, len(self.task.classes)))
        filled[:, self.seen] = self.estimator.predict_proba(self._matrix(rows))
        return filled

    def predictions(self, rows: pl.DataFrame, *, probabilities: bool = True) -> np.ndarray:
        """Return what the evidence module compares: probabilities, class names or values."""
        if self.task.kind == "regression":
            return self.predict(rows)
        if probabilities or hasattr(self.estimator, "predict_proba"):
            return self.predict_proba(rows)
        return self.predict(rows)

    def _matrix(self, rows: pl.DataFrame) -> Matrix:
        return _densified(self.estimator, self.features.transform(rows))


def fit_recipe(
    recipe: Recipe,
    labelled: pl.DataFrame,
    task: Task,
    *,
    tools: Tools,
    seed: int,
    judged: pl.DataFrame | None = None,
) -> FittedModel:
    """Build ``recipe`` on ``labelled`` rows (``row_id``, inputs, target).

    ``judged`` are the rows that the model will be judged on, where they are known; see
    :func:`assay.recipe.training_rows`.

    Raises
    ------
    InputError
        When the estimator cannot be imported, refuses a parameter, or cannot be fitted.
    """
    from threadpoolctl import threadpool_limits

    # Fits are many and small: threads of the linear algebra library wait on each other for most
    # of the time (7.1 s against 1.0 s for one fit of the demo on 2 busy cores).
    with threadpool_limits(1, user_api="blas"):
        return _fit(recipe, labelled, task, tools, seed, judged)


def _fit(
    recipe: Recipe,
    labelled: pl.DataFrame,
    task: Task,
    tools: Tools,
    seed: int,
    judged: pl.DataFrame | None,
) -> FittedModel:
    estimator = new_estimator(recipe.estimator, seed)
    training = training_rows(recipe, labelled, task, tools, seed, judged)
    features = FeatureUnion(recipe.features, tools)
    matrix = _densified(estimator, features.fit_transform(training.rows))
    targets, seen = _targets(training.rows[task.target], task)
    try:
        estimator.fit(
            matrix, targets, **_weights(recipe.estimator.path, estimator, training.weights)
        )
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
    return FittedModel(recipe, task, features, estimator, seen)


def new_estimator(spec: Estimator, seed: int) -> Any:
    """Return the estimator that ``spec`` names, seeded where it takes a seed.

    Raises
    ------
    InputError
        When the path is no class with ``fit`` and ``predict``, or a parameter is unknown.
    """
    kind = _import_class(spec.path)
    accepted = _accepted(kind)
    unknown = [name for name in spec.parameters if accepted and name not in accepted]
    if unknown:
        raise InputError(
            f"{spec.path} has no parameter {unknown[0]!r}.",
            allowed=", ".join(sorted(accepted)),
            next_step="mend [estimator.parameters] in recipe.toml",
        )
    parameters = dict(spec.parameters)
    if "random_state" in accepted:
        parameters.setdefault("random_state", seed % 2**32)
    try:
        return kind(**parameters)
    except (TypeError, ValueError) as error:
        raise InputError(
            f"{spec.path} refuses its parameters: {error}.", given=spec.parameters
        ) from error


def _import_class(path: str) -> Any:
    module_name, _, name = path.rpartition(".")
    try:
        found = getattr(importlib.import_module(module_name), name)
    except (ImportError, AttributeError, ValueError) as error:
        raise InputError(
            "The estimator cannot be imported.",
            given=path,
            allowed="an import path such as sklearn.linear_model.LogisticRegression",
            next_step="mend estimator.path in recipe.toml, or install its package",
        ) from error
    if not (inspect.isclass(found) and hasattr(found, "fit") and hasattr(found, "predict")):
        raise InputError(
            "The estimator is not a class with fit and predict.",
            given=path,
            next_step="mend estimator.path in recipe.toml",
        )
    return found


def _accepted(kind: Any) -> set[str]:
    parameters = inspect.signature(kind).parameters.values()
    if any(each.kind is inspect.Parameter.VAR_KEYWORD for each in parameters):
        return set()
    return {each.name for each in parameters}


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
            next_step="set weight = 1 under [[rows.added]], or use another estimator",
        )
    return {"sample_weight": weights}


def _densified(estimator: Any, matrix: Matrix) -> Matrix:
    import scipy.sparse as sp
    from sklearn.utils import get_tags

    if not sp.issparse(matrix) or get_tags(estimator).input_tags.sparse:
        return matrix
    dense: np.ndarray = matrix.toarray()  # type: ignore[attr-defined]
    return dense
