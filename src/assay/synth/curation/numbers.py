"""Rows as numbers for the filters: what the plain model of the task would read."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
import polars as pl
from numpy.typing import NDArray

from assay.errors import InputError
from assay.recipe import Tools, baseline_recipe
from assay.recipe.features import FeatureUnion
from assay.task import Task

Floats = NDArray[np.float64]
Codes = NDArray[np.intp]


@dataclass(frozen=True)
class Encoded:
    """Rows as matrices, dense or sparse, by what the real rows alone teach.

    Attributes
    ----------
    real
        (n, d) the real rows.
    """

    real: Any
    _union: FeatureUnion
    _schema: dict[str, pl.DataType]

    @classmethod
    def of(cls, real: pl.DataFrame, task: Task) -> Encoded:
        """Encode real rows by the features of the task's plain recipe."""
        union = FeatureUnion(baseline_recipe(task).features, Tools(_nothing, _nothing))
        inputs = real.select(task.inputs)
        return cls(union.fit_transform(inputs), union, dict(inputs.schema))

    def made(self, rows: pl.DataFrame) -> Any:
        """Return made rows as an (m, d) matrix like that of the real ones."""
        return self._union.transform(rows.select(list(self._schema)).cast(self._schema))  # type: ignore[arg-type]


def codes(labels: pl.Series, task: Task) -> Codes:
    """Return each label's place in ``task.class_names``."""
    places = {name: code for code, name in enumerate(task.class_names)}
    return np.array([places[each] for each in labels.to_list()], dtype=np.intp)


def new_judge(task: Task, seed: int) -> Any:
    """Return an unfitted classifier that counts every class alike.

    Linear on words; trees on tables, which need no scale and find what two columns mean together.
    """
    from sklearn.ensemble import ExtraTreesClassifier
    from sklearn.linear_model import LogisticRegression

    if task.text is not None:
        return LogisticRegression(max_iter=1000, class_weight="balanced")
    return ExtraTreesClassifier(
        60, min_samples_leaf=2, class_weight="balanced", random_state=seed % 2**32
    )


def _nothing(*_: object, **__: object) -> Any:
    raise InputError("A filter reads no artefact and no embedding.")
