"""Other views of the same rows: what models of another kind would say, a row's label unseen."""

from __future__ import annotations

from typing import Any

import numpy as np

from assay.diagnose.case import Case, Floats
from assay.diagnose.vectors import vectors
from assay.recipe.confident import by_neighbours, cross_fitted
from assay.seeds import derive_seed

FOLDS = 5
TREES = 50
SUREST = 0.01


def codes(case: Case) -> Any:
    """Return (n,) the place of each row's true class among the task's."""
    names = np.asarray(case.task.class_names, dtype=object)
    order = np.argsort(names)
    return order[np.searchsorted(names[order], case.truth)]


def wrong_by_view(case: Case) -> dict[str, Floats]:
    """Return by view (n,) 1 where a linear model, a forest, or the nearest rows err.

    The first two also read what the model stated, so that they start from what it knows.
    """
    given, k = codes(case), len(case.task.classes)
    near = vectors(case)
    stated = np.log(np.clip(case.stated, SUREST, 1.0))
    matrix = np.column_stack([near, stated - stated.mean(axis=1, keepdims=True)])
    seed = derive_seed(case.seed, "diagnose", "views")
    found = {
        "linear": cross_fitted(matrix, given, k, folds=FOLDS, seed=seed),
        "forest": _by_forest(matrix, given, k, seed),
        "neighbours": by_neighbours(near, given, k),
    }
    return {
        name: (shares.argmax(axis=1) != given).astype(np.float64) for name, shares in found.items()
    }


def _by_forest(matrix: Any, given: Any, classes: int, seed: int) -> Floats:
    """Return (n, k) what the trees that did not see a row say of it."""
    from sklearn.ensemble import RandomForestClassifier

    forest = RandomForestClassifier(
        TREES, min_samples_leaf=3, oob_score=True, random_state=seed % 2**32
    ).fit(matrix, given)
    shares = np.zeros((len(given), classes))
    shares[:, forest.classes_] = np.nan_to_num(forest.oob_decision_function_)
    return shares
