"""What the families share: dimensions that depend on the task, and recipes of values."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from assay.experiment.search.circumstances import Circumstances
from assay.experiment.search.space import Choice, Dimension, Real, Values
from assay.recipe import Estimator, Feature, Recipe, Rows, Tabular


def shared_space(seen: Circumstances, *, class_weight: bool = True) -> dict[str, Dimension]:
    """Return the dimensions that depend on the task alone."""
    space: dict[str, Dimension] = {}
    if seen.regression:
        space["log_target"] = Choice((False, True))
    if seen.weighs_classes and class_weight:
        space["class_weight"] = Choice((None, "balanced"))
    if seen.counts_every_class:
        space["rarity"] = Real(0.0, 1.0)
    return space


def with_defaults(space: dict[str, Dimension], *given: Values) -> tuple[Values, ...]:
    """Return ``given``, each with a plain value for the dimensions it does not name."""
    plain = {"log_target": False, "class_weight": None, "rarity": 0.0, "rarest_share": 0.0}
    plain["stopped"] = False
    return tuple({name: each.get(name, plain.get(name)) for name in space} for each in given)


def recipe_of(
    feature: Tabular, path: str, values: Values, fixed: dict[str, Any] | None = None
) -> Recipe:
    """Return the recipe of an estimator's values, those of the whole recipe taken apart."""
    apart = {"log_target", "rarity", "rarest_share", "numbers", "missing"}
    parameters = {name: each for name, each in values.items() if name not in apart}
    return recipe_with((feature,), path, {**(fixed or {}), **parameters}, values)


def recipe_with(
    features: tuple[Feature, ...], path: str, parameters: dict[str, Any], values: Values
) -> Recipe:
    """Return the recipe of an estimator's parameters; of ``values`` those of the whole recipe."""
    return Recipe(
        rows=Rows(rarest_share=values.get("rarest_share", 0.0)),
        features=features,
        estimator=Estimator(path=path, parameters=parameters),
        rarity=round(values.get("rarity", 0.0), 3),
        log_target=values.get("log_target", False),
    )


def boosted_with(
    seen: Circumstances, features: tuple[Feature, ...], names: Iterable[str], values: Values
) -> Recipe:
    """Return the recipe of scikit-learn's boosted trees with the parameters ``names``."""
    kind = "Regressor" if seen.regression else "Classifier"
    weighed = [name for name in ("class_weight",) if name in values]
    parameters = {name: values[name] for name in (*names, *weighed)}
    path = f"sklearn.ensemble.HistGradientBoosting{kind}"
    return recipe_with(features, path, parameters, values)


def encoded_by(seen: Circumstances, values: Values) -> Tabular:
    """Return columns encoded for what measures distances."""
    return Tabular(
        columns=seen.columns,
        numbers=values.get("numbers", "plain"),
        missing=values.get("missing", "mean"),
    )


def for_trees(seen: Circumstances) -> Tabular:
    """Return columns encoded for trees: codes of categories, empty cells kept."""
    return Tabular(columns=seen.columns, scale=False, categories="ordinal", missing="kept")
