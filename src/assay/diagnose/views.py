"""Other views of the same rows: what models of another kind would say, a row's label unseen."""

from __future__ import annotations

from typing import Any

import numpy as np

from assay.diagnose.case import Case, Floats
from assay.diagnose.noise import SUREST
from assay.diagnose.vectors import vectors
from assay.recipe.confident import by_neighbours, cross_fitted
from assay.seeds import derive_seed

FOLDS = 5
TREES = 50


def codes(case: Case) -> Any:
    """Return (n,) the place of each row's true class among the task's."""
    names = np.asarray(case.task.class_names, dtype=object)
    order = np.argsort(names)
    return order[np.searchsorted(names[order], case.truth)]


def stated_logs(case: Case) -> Floats:
    """Return (n, k) centred logs of what the model stated, or of its bare answers."""
    if case.probabilities is None:
        names = np.asarray(case.task.class_names, dtype=object)
        shares = (case.predictions[:, None] == names).astype(np.float64)
    else:
        shares = case.probabilities
    logs = np.log(np.clip(shares, SUREST, 1.0))
    centred: Floats = logs - logs.mean(axis=1, keepdims=True)
    return centred


def linear_view(case: Case, near: Floats | None = None, *, draw: str = "views") -> Floats:
    """Return (n, k) cross-fitted probabilities of a linear model of answers and rows.

    Parameters
    ----------
    near
        (n, d) vectors of the rows; without them what was stated is calibrated.
    draw
        Names the random draw of the folds.
    """
    logs = stated_logs(case)
    matrix = logs if near is None else np.column_stack([near, logs])
    seed = derive_seed(case.seed, "diagnose", draw)
    return cross_fitted(matrix, codes(case), len(case.task.classes), folds=FOLDS, seed=seed)


def wrong_by_view(case: Case) -> dict[str, Floats]:
    """Return by view (n,) 1 where a linear model, a forest, or the nearest rows err.

    The first two also read what the model stated, so that they start from what it knows.
    """
    given, k = codes(case), len(case.task.classes)
    near = vectors(case)
    found = {
        "linear": linear_view(case, near),
        "forest": _by_forest(np.column_stack([near, stated_logs(case)]), given, k, case.seed),
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
