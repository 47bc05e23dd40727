"""Recipes edited as findings suggest: what is read, from which rows, and how closely followed."""

from __future__ import annotations

import inspect
from typing import Any, Literal

from assay.recipe import (
    Embedding,
    Feature,
    Mended,
    Raw,
    Recipe,
    Slice,
    Tabular,
    Tfidf,
    columns_of,
    conditions_of,
    new_estimator,
)
from assay.recipe.calibrated import calibrated
from assay.tables.predicate import Predicate

LOOSENED = ("C", "max_leaf_nodes", "num_leaves")
"""Parameters of estimators that follow the rows more closely the larger they are."""
HELD = ("alpha", "reg_lambda", "l2_leaf_reg", "min_samples_leaf")
"""Parameters that hold estimators back the larger they are."""
LEAST = {"max_leaf_nodes": 2, "num_leaves": 2, "min_samples_leaf": 1}
"""What counts may not fall below."""


def with_own_weights(recipe: Recipe, predicate: Predicate) -> Recipe:
    """Return the recipe with its words and columns given once more, within the slice alone.

    A linear model then has weights for the slice beside those for all rows.
    """
    read = tuple(each for each in recipe.features if isinstance(each, Tfidf | Tabular))
    return recipe.with_feature(Slice(where=conditions_of(predicate), of=read))


def without_column(recipe: Recipe, column: str) -> Recipe:
    """Return the recipe without a column; a model that reads no other keeps it."""

    def edit(feature: Feature) -> Feature | None:
        if isinstance(feature, Tabular | Raw):
            columns = tuple(name for name in feature.columns if name != column)
            return feature.model_copy(update={"columns": columns}) if columns else None
        return None if column in columns_of(feature) else feature

    return recipe.with_each_feature(edit)


def with_mended(recipe: Recipe, action: Literal["relabel", "drop"]) -> Recipe:
    """Return the recipe that mends doubtful training labels, judged from its own features."""
    mended = Mended(features=recipe.features, action=action)
    if mended in recipe.rows.mended:
        return recipe
    rows = recipe.rows.model_copy(update={"mended": (*recipe.rows.mended, mended)})
    return recipe.model_copy(update={"rows": rows})


def with_calibration(recipe: Recipe, method: Literal["sigmoid", "isotonic"]) -> Recipe:
    """Return the recipe with probabilities calibrated on rows that its estimator did not see."""
    return recipe.model_copy(update={"estimator": calibrated(recipe.estimator, method)})


def without_word(recipe: Recipe, column: str, word: str) -> Recipe:
    """Return the recipe that reads the texts of a column without a word."""

    def edit(feature: Feature) -> Feature:
        if not isinstance(feature, Tfidf | Embedding) or feature.column != column:
            return feature
        # Validated anew: the words are kept in order, each once.
        return type(feature)(**{**dict(feature), "without": (*feature.without, word)})

    return recipe.with_each_feature(edit)


def with_strength(recipe: Recipe, times: float) -> Recipe:
    """Return the recipe with its estimator held back ``times`` as much; below 1, less.

    The first parameter of regularisation that the estimator takes and that is a number is
    multiplied or divided; where there is none, the recipe is returned as it is.
    """
    given = _numbers(recipe)
    for name in (*LOOSENED, *HELD):
        if name in given:
            value = given[name] / times if name in LOOSENED else given[name] * times
            if name in LEAST and isinstance(given[name], int):
                value = max(LEAST[name], round(value))
            return recipe.with_parameters(**{name: value})
    return recipe


def _numbers(recipe: Recipe) -> dict[str, Any]:
    """Return the estimator's parameters that are numbers above zero, with their defaults."""
    taken = inspect.signature(type(new_estimator(recipe.estimator, 0))).parameters
    every = {name: each.default for name, each in taken.items()} | recipe.estimator.parameters
    return {
        name: value for name, value in every.items()
        if isinstance(value, int | float) and not isinstance(value, bool) and value > 0
    }  # fmt: skip


def with_copies(recipe: Recipe, copies: Literal["agreed", "one"]) -> Recipe:
    """Return the recipe whose training rows that read the same have one label, or are one row."""
    return recipe.model_copy(update={"rows": recipe.rows.model_copy(update={"copies": copies})})
