"""Training rows whose label looks wrong, left out or relabelled: decided inside each fold.

Were the suspects found once on all rows, the label of a judged row would help to relabel the
rows that it is judged by: the nearer two rows lie, the more one's given label becomes the
other's, and the gain measured would be partly the judged label told twice. So a recipe holds
no list of suspects. It says how to find them, and they are found among the training rows at
hand alone; a judged row keeps its given label and takes no part.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import polars as pl

from assay.errors import InputError
from assay.recipe.confident import Codes, Doubts, Shares, doubts, pooled, second_opinions
from assay.recipe.features import FeatureUnion
from assay.recipe.spec import Feature, Mended
from assay.recipe.tools import Tools
from assay.task import Task

FEWEST = 20
"""Among fewer rows than this nothing can be said of one label."""


def mended_rows(
    mended: Mended, rows: pl.DataFrame, task: Task, tools: Tools, seed: int
) -> pl.DataFrame:
    """Return ``rows`` without those whose label looks wrong, or with the likelier label.

    Raises
    ------
    InputError
        For a regression.
    """
    if task.kind == "regression":
        raise InputError(
            "Rows of a regression cannot be mended: they have no classes.",
            next_step="remove rows.mended from recipe.toml",
        )
    given = class_codes(rows[task.target].to_list(), task.class_names)
    if rows.height < FEWEST or len(np.unique(given)) < 2:
        return rows
    found, _ = doubtful(mended.features, rows, task, tools, folds=mended.folds, seed=seed)
    if mended.action == "drop":
        return rows.filter(~found.flagged)
    codes = np.where(found.flagged, found.suggested, given)
    names = [task.class_names[code] for code in codes]
    return rows.with_columns(pl.Series(task.target, names, rows.schema[task.target]))


def doubtful(
    features: tuple[Feature, ...],
    rows: pl.DataFrame,
    task: Task,
    tools: Tools,
    *,
    folds: int,
    seed: int,
) -> tuple[Doubts, dict[str, Shares]]:
    """Return how far each row's label is to be doubted, and the opinions that say so."""
    given = class_codes(rows[task.target].to_list(), task.class_names)
    matrix = FeatureUnion(features, tools).fit_transform(rows)
    opinions = second_opinions(matrix, given, len(task.classes), folds=folds, seed=seed)
    return doubts(pooled(opinions), given), opinions


def class_codes(labels: Sequence[str | None], names: Sequence[str]) -> Codes:
    """Return (n,) positions of ``labels`` in ``names``; raise InputError where one is absent."""
    index = {name: code for code, name in enumerate(names)}
    unknown = [each for each in labels if each not in index]
    if unknown:
        raise InputError(
            "A row has a label that is none of the classes.",
            given=unknown[0],
            allowed=", ".join(names[:20]),
        )
    return np.array([index[str(each)] for each in labels], dtype=np.intp)
