"""Families of boosted trees: scikit-learn's, and LightGBM, XGBoost, CatBoost where installed."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from assay.experiment.search.circumstances import Circumstances, installed
from assay.experiment.search.making import for_trees, recipe_of, shared_space, with_defaults
from assay.experiment.search.space import Choice, Dimension, Family, Real, Values, Whole
from assay.recipe import Recipe

WHY = "thresholds and interactions, in any mixture of columns"

MOST_ROUNDS = 800
"""Where rounds are stopped early."""


def boosted_families(seen: Circumstances) -> list[Family]:
    """Return the families of boosted trees that can be built here."""
    makers: list[tuple[str, Callable[[Circumstances], Family]]] = [
        ("sklearn", _histogram),
        ("lightgbm", _lightgbm),
        ("catboost", _catboost),
        ("xgboost", _xgboost),
    ]
    return [make(seen) for module, make in makers if installed(module)]


def _family(
    seen: Circumstances,
    name: str,
    path: str,
    space: dict[str, Dimension],
    *defaults: Values,
    fixed: dict[str, Any] | None = None,
) -> Family:
    kind = "Regressor" if seen.regression else "Classifier"
    if not (seen.task.group or seen.task.time):
        # Held rows are drawn at random: of groups or times they would flatter, and stop too late.
        space["stopped"] = Choice((False, True))

    def build(values: Values) -> Recipe:
        own = {name: each for name, each in values.items() if name != "stopped"}
        recipe = recipe_of(for_trees(seen), f"{path}{kind}", own, fixed)
        if not values.get("stopped"):
            return recipe
        from assay.recipe.stopping import stopped

        return recipe.model_copy(update={"estimator": stopped(recipe.estimator, most=MOST_ROUNDS)})

    return Family(name, WHY, 3, space, with_defaults(space, *defaults), build)


def _histogram(seen: Circumstances) -> Family:
    space: dict[str, Dimension] = {
        "learning_rate": Real(0.01, 0.3, log=True),
        "max_iter": Whole(40, 500, log=True),
        "max_leaf_nodes": Whole(4, 128, log=True),
        "min_samples_leaf": Whole(2, 100, log=True),
        "l2_regularization": Real(1e-4, 10.0, log=True),
        "max_features": Real(0.3, 1.0),
        **shared_space(seen),
    }
    plain: dict[str, Any] = {
        "learning_rate": 0.1,
        "max_iter": 100,
        "max_leaf_nodes": 31,
        "min_samples_leaf": 20,
        "l2_regularization": 1e-4,
        "max_features": 1.0,
    }
    # Few, weak signals: the plain one, and any of many leaves, learns the noise of 2,000 rows.
    lean = {**plain, "learning_rate": 0.05, "max_iter": 120, "max_leaf_nodes": 8}
    if seen.task.metric == "mae":
        space["loss"] = Choice(("squared_error", "absolute_error"))
        plain["loss"] = "squared_error"
        lean["loss"] = "absolute_error"
    return _family(
        seen,
        "boosting",
        "sklearn.ensemble.HistGradientBoosting",
        space,
        plain,
        {**lean, "max_features": 0.5, "l2_regularization": 1.0},
    )


def _lightgbm(seen: Circumstances) -> Family:
    space: dict[str, Dimension] = {
        "learning_rate": Real(0.01, 0.3, log=True),
        "n_estimators": Whole(40, 600, log=True),
        "num_leaves": Whole(4, 128, log=True),
        "min_child_samples": Whole(2, 100, log=True),
        "reg_lambda": Real(1e-4, 10.0, log=True),
        "subsample": Real(0.5, 1.0),
        "colsample_bytree": Real(0.3, 1.0),
        **shared_space(seen),
    }
    lean: dict[str, Any] = {
        "learning_rate": 0.1,
        "n_estimators": 60,
        "num_leaves": 6,
        "min_child_samples": 20,
        "reg_lambda": 1.0,
        "subsample": 0.8,
        "colsample_bytree": 0.6,
    }
    middle = {**lean, "learning_rate": 0.05, "n_estimators": 200, "num_leaves": 24}
    middle |= {"min_child_samples": 10, "reg_lambda": 0.1, "colsample_bytree": 0.7}
    rich = {**middle, "learning_rate": 0.03, "n_estimators": 500, "num_leaves": 48}
    rich |= {"min_child_samples": 5, "subsample": 0.9, "colsample_bytree": 0.5}
    defaults = (lean, middle, rich)
    fixed: dict[str, Any] = {"subsample_freq": 1, "verbose": -1, "n_jobs": 1}
    if seen.task.metric == "mae":
        space["objective"] = Choice(("regression", "regression_l1"))
        for each in defaults:
            each["objective"] = "regression_l1"
    return _family(seen, "lightgbm", "lightgbm.LGBM", space, *defaults, fixed=fixed)


def _xgboost(seen: Circumstances) -> Family:
    space: dict[str, Dimension] = {
        "learning_rate": Real(0.01, 0.3, log=True),
        "n_estimators": Whole(40, 600, log=True),
        "max_depth": Whole(2, 10),
        "min_child_weight": Real(0.5, 30.0, log=True),
        "reg_lambda": Real(1e-2, 10.0, log=True),
        "subsample": Real(0.5, 1.0),
        "colsample_bytree": Real(0.3, 1.0),
        **shared_space(seen, class_weight=False),
    }
    default = {
        "learning_rate": 0.06,
        "n_estimators": 200,
        "max_depth": 5,
        "min_child_weight": 2.0,
        "reg_lambda": 1.0,
        "subsample": 0.8,
        "colsample_bytree": 0.7,
    }
    return _family(
        seen, "xgboost", "xgboost.XGB", space, default, fixed={"tree_method": "hist", "n_jobs": 1}
    )


def _catboost(seen: Circumstances) -> Family:
    space: dict[str, Dimension] = {
        "learning_rate": Real(0.01, 0.3, log=True),
        "iterations": Whole(50, 800, log=True),
        "depth": Whole(3, 9),
        "l2_leaf_reg": Real(0.5, 20.0, log=True),
        **shared_space(seen, class_weight=False),
    }
    default = {"learning_rate": 0.06, "iterations": 300, "depth": 6, "l2_leaf_reg": 3.0}
    fixed = {"verbose": False, "allow_writing_files": False, "thread_count": 1}
    return _family(seen, "catboost", "catboost.CatBoost", space, default, fixed=fixed)
