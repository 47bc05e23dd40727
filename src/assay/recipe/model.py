"""Built recipes: what predicts."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Any, Protocol

import numpy as np
import polars as pl

from assay.errors import InputError
from assay.recipe.adjustment import Adjustment
from assay.recipe.features import FeatureUnion, Matrix
from assay.recipe.spec import Recipe
from assay.task import Task


class Model(Protocol):
    """A built recipe, of one model or of several."""

    @property
    def gives_probabilities(self) -> bool:
        """Whether :meth:`predict_proba` can be called."""
        ...

    def predict(self, rows: pl.DataFrame) -> np.ndarray:
        """Return (n,) class names, or float64 values for a regression."""
        ...

    def predict_proba(self, rows: pl.DataFrame) -> np.ndarray:
        """Return an (n, k) array of probabilities in the order of ``task.class_names``."""
        ...

    def predictions(self, rows: pl.DataFrame, *, probabilities: bool = True) -> np.ndarray:
        """Return what the evidence module compares: probabilities, class names or values."""
        ...


@dataclass(frozen=True)
class FittedModel:
    """A built recipe of one model.

    Attributes
    ----------
    seen
        Indices into ``task.class_names`` of the classes that the training rows held.
    adjustment
        What its predictions are brought to their final form with.
    """

    recipe: Recipe
    task: Task
    features: FeatureUnion
    estimator: Any
    seen: np.ndarray
    adjustment: Adjustment

    @property
    def gives_probabilities(self) -> bool:
        """Whether :meth:`predict_proba` can be called."""
        return hasattr(self.estimator, "predict_proba")

    def with_rarity(self, rarity: float) -> FittedModel:
        """Return the same fit with its probabilities divided by the shares to another power."""
        recipe = self.recipe.model_copy(update={"rarity": rarity})
        return replace(self, recipe=recipe, adjustment=replace(self.adjustment, rarity=rarity))

    def predict(self, rows: pl.DataFrame) -> np.ndarray:
        """Return (n,) class names, or float64 values for a regression."""
        names = np.asarray(self.task.class_names, dtype=object)
        if self.recipe.rarity and self.gives_probabilities:
            return np.asarray(names[self.predict_proba(rows).argmax(axis=1)])
        found = np.asarray(self.estimator.predict(self._matrix(rows)))
        found = found[:, 0] if found.shape == (rows.height, 1) else found  # as networks give them
        self._require_shape(found, "predict", rows.height)
        if self.task.kind == "regression":
            return self.adjustment.values(found.astype(np.float64))
        return np.asarray(names[self.seen[self._codes(found)]])

    def predict_proba(self, rows: pl.DataFrame) -> np.ndarray:
        """Return an (n, k) array of probabilities in the order of ``task.class_names``.

        Raises
        ------
        InputError
            When the estimator gives no probabilities.
        """
        if not self.gives_probabilities:
            raise InputError(
                f"{self.recipe.estimator.path} gives no probabilities.",
                next_step="use a metric of labels, such as accuracy, or another estimator",
            )
        filled = np.zeros((rows.height, len(self.task.classes)))
        found = np.asarray(self.estimator.predict_proba(self._matrix(rows)))
        self._require_shape(found, "predict_proba", rows.height, len(self.seen))
        filled[:, self.seen] = self.adjustment.probabilities(found)
        return filled

    def predictions(self, rows: pl.DataFrame, *, probabilities: bool = True) -> np.ndarray:
        """Return what the evidence module compares: probabilities, class names or values."""
        if self.task.kind == "regression":
            return self.predict(rows)
        if probabilities or self.gives_probabilities:
            return self.predict_proba(rows)
        return self.predict(rows)

    def _codes(self, found: np.ndarray) -> np.ndarray:
        known = np.isin(found, np.arange(len(self.seen)))
        if not known.all():
            raise InputError(
                f"{self.recipe.estimator.path} must predict codes of classes, as it was fitted to.",
                given=found[~known][0],
                allowed=f"0 to {len(self.seen) - 1}",
                next_step="mend its predict",
            )
        return found.astype(int)

    def _require_shape(self, found: np.ndarray, method: str, *shape: int) -> None:
        if found.shape != shape:
            raise InputError(
                f"What {method} of {self.recipe.estimator.path} returns has the wrong shape.",
                given=found.shape,
                allowed=str(shape),
                next_step=f"mend its {method}",
            )

    def _matrix(self, rows: pl.DataFrame) -> Matrix:
        return densified(self.estimator, self.features.transform(rows))


@dataclass(frozen=True)
class BlendedModel:
    """A built recipe of several models: the weighted mean of what they predict.

    Attributes
    ----------
    members
        The weight of each model, and the model. One that gives labels alone casts a vote.
    """

    task: Task
    members: tuple[tuple[float, FittedModel], ...]

    @property
    def gives_probabilities(self) -> bool:
        """Whether :meth:`predict_proba` can be called: for classes always."""
        return self.task.kind != "regression"

    def predict(self, rows: pl.DataFrame) -> np.ndarray:
        """Return (n,) class names, or float64 values for a regression."""
        if self.task.kind == "regression":
            return self._mean([each.predict(rows) for _, each in self.members])
        names = np.asarray(self.task.class_names, dtype=object)
        return np.asarray(names[self.predict_proba(rows).argmax(axis=1)])

    def predict_proba(self, rows: pl.DataFrame) -> np.ndarray:
        """Return an (n, k) array of probabilities in the order of ``task.class_names``."""
        found = [each.predictions(rows, probabilities=False) for _, each in self.members]
        return self._mean([as_probabilities(each, self.task) for each in found])

    def predictions(self, rows: pl.DataFrame, *, probabilities: bool = True) -> np.ndarray:
        """Return what the evidence module compares: probabilities, or values."""
        return self.predict(rows) if self.task.kind == "regression" else self.predict_proba(rows)

    def _mean(self, found: list[np.ndarray]) -> np.ndarray:
        mean = np.average(found, axis=0, weights=[weight for weight, _ in self.members])
        return np.asarray(mean, dtype=np.float64)


def as_probabilities(found: np.ndarray, task: Task) -> np.ndarray:
    """Return (n, k) probabilities; of (n,) labels, all on the label."""
    if found.ndim == 2:
        return found
    names = np.asarray(task.class_names, dtype=object)
    return np.asarray(found[:, None] == names[None, :], dtype=np.float64)


def densified(estimator: Any, matrix: Matrix) -> Matrix:
    """Return ``matrix``, dense where the estimator does not say that it reads a sparse one."""
    import scipy.sparse as sp

    if not sp.issparse(matrix) or _reads_sparse(estimator):
        return matrix
    dense: np.ndarray = matrix.toarray()  # type: ignore[attr-defined]
    return dense


def _reads_sparse(estimator: Any) -> bool:
    from sklearn.utils import get_tags

    says = hasattr(estimator, "__sklearn_tags__")  # a class of the user's own need not
    return says and bool(get_tags(estimator).input_tags.sparse)
