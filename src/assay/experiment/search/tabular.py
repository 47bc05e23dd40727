"""Families for tables: lines, neighbours, margins, trees, boosted trees, a small network."""

from __future__ import annotations

from assay.experiment.search.boosting import boosted_families
from assay.experiment.search.circumstances import Circumstances
from assay.experiment.search.making import (
    encoded_by,
    for_trees,
    recipe_of,
    shared_space,
    with_defaults,
)
from assay.experiment.search.mixed import mixed_families
from assay.experiment.search.prior_fitted import prior_fitted_families
from assay.experiment.search.space import Choice, Dimension, Family, Real, Values, Whole
from assay.recipe import Recipe

MOST_ROWS_OF_MARGINS = 6_000
"""A kernel machine's time grows with the square of the rows."""

MOST_ROWS_OF_NEIGHBOURS = 100_000

FEW_ROWS = 5_000
"""With more rows each tree takes longer and fewer are needed."""


def tabular_families(seen: Circumstances) -> tuple[Family, ...]:
    """Return the families that suit a table, the most promising defaults first."""
    # A project begins with a line, so the search begins with what a line is not.
    families = [*boosted_families(seen), *mixed_families(seen)]
    families += [_trees(seen, "extra_trees"), _linear(seen), *prior_fitted_families(seen)]
    families += [_trees(seen, "forest"), _network(seen)]
    if seen.rows <= MOST_ROWS_OF_NEIGHBOURS:
        families.append(_neighbours(seen))
    if seen.rows <= MOST_ROWS_OF_MARGINS and seen.labels_suffice:
        families.append(_margins(seen))
    return tuple(families)


_NUMBERS: dict[str, Dimension] = {
    "numbers": Choice(("plain", "quantile")),
    "missing": Choice(("mean", "flagged")),
}


def _linear(seen: Circumstances) -> Family:
    path = f"sklearn.linear_model.{'Ridge' if seen.regression else 'LogisticRegression'}"
    strength = "alpha" if seen.regression else "C"
    fixed = {} if seen.regression else {"max_iter": 500}
    space = {strength: Real(1e-3, 1e3, log=True), **_NUMBERS, **shared_space(seen)}
    return Family(
        "linear",
        "few rows, or effects that add up",
        1,
        space,
        with_defaults(
            space,
            {strength: 1.0, "numbers": "plain", "missing": "mean"},
            {
                strength: 10.0 if seen.regression else 0.1,
                "numbers": "quantile",
                "missing": "flagged",
                "log_target": True,
            },
        ),
        lambda values: recipe_of(encoded_by(seen, values), path, values, fixed),
    )


def _neighbours(seen: Circumstances) -> Family:
    kind = "Regressor" if seen.regression else "Classifier"
    space: dict[str, Dimension] = {
        "n_neighbors": Whole(1, 60, log=True),
        "weights": Choice(("uniform", "distance")),
        "p": Choice((1, 2)),
        **_NUMBERS,
        **shared_space(seen, class_weight=False),
    }
    default = {"n_neighbors": 15, "weights": "distance", "p": 1, "numbers": "quantile"}
    return Family(
        "neighbours",
        "like rows have like targets, in any shape",
        2,
        space,
        with_defaults(space, {**default, "missing": "mean"}),
        lambda values: recipe_of(
            encoded_by(seen, values), f"sklearn.neighbors.KNeighbors{kind}", values
        ),
    )


def _margins(seen: Circumstances) -> Family:
    path = "sklearn.svm.SVR" if seen.regression else "sklearn.svm.SVC"
    space: dict[str, Dimension] = {
        "C": Real(1e-1, 1e3, log=True),
        "gamma": Real(1e-4, 1.0, log=True),
        **_NUMBERS,
        **{name: each for name, each in shared_space(seen).items() if name != "rarity"},
    }
    default = {"C": 10.0, "gamma": 0.02, "numbers": "quantile", "missing": "mean"}
    return Family(
        "margins",
        "smooth boundaries in a few thousand rows",
        3,
        space,
        with_defaults(space, {**default, "log_target": True}),
        lambda values: recipe_of(encoded_by(seen, values), path, values),
    )


def _trees(seen: Circumstances, name: str) -> Family:
    kind = "Regressor" if seen.regression else "Classifier"
    stem = "ExtraTrees" if name == "extra_trees" else "RandomForest"
    space: dict[str, Dimension] = {
        "max_features": Real(0.1, 1.0),
        "min_samples_leaf": Whole(1, 50, log=True),
        **shared_space(seen),
    }
    if seen.weighs_classes:
        space["rarest_share"] = Choice((0.0, 0.2, 0.5))
    trees = 200 if seen.rows <= FEW_ROWS else 100
    # Leaves of one row learn the noise; trees whose thresholds are drawn need more columns.
    if name == "extra_trees":
        default = {"max_features": 0.9 if seen.regression else 0.6, "min_samples_leaf": 3}
    else:
        default = {"max_features": 0.4 if seen.regression else 0.2, "min_samples_leaf": 4}
    if seen.regression:
        default["min_samples_leaf"] = 2
    return Family(
        name,
        "many columns, few rows, and little patience for tuning",
        3,
        space,
        with_defaults(space, default),
        lambda values: recipe_of(
            for_trees(seen), f"sklearn.ensemble.{stem}{kind}", values, {"n_estimators": trees}
        ),
    )


def _network(seen: Circumstances) -> Family:
    kind = "Regressor" if seen.regression else "Classifier"
    space: dict[str, Dimension] = {
        "width": Choice((32, 64, 128)),
        "alpha": Real(1e-5, 1.0, log=True),
        "learning_rate_init": Real(3e-4, 1e-2, log=True),
        **_NUMBERS,
        **shared_space(seen, class_weight=False),
    }
    default = {"width": 64, "alpha": 1e-2, "learning_rate_init": 2e-3, "missing": "mean"}
    # A tenth of few rows is too little to tell when to stop.
    fixed = {"early_stopping": seen.rows > FEW_ROWS, "max_iter": 100, "n_iter_no_change": 8}

    def build(values: Values) -> Recipe:
        rest = {name: each for name, each in values.items() if name != "width"}
        layers = [values["width"], values["width"]]
        return recipe_of(
            encoded_by(seen, values),
            f"sklearn.neural_network.MLP{kind}",
            rest,
            {**fixed, "hidden_layer_sizes": layers},
        )

    return Family(
        "network",
        "smooth effects of many columns together",
        4,
        space,
        with_defaults(space, {**default, "numbers": "quantile", "log_target": True}),
        build,
    )
