"""Boosted trees with rounds stopped on held training rows."""

from __future__ import annotations

import numpy as np
import pytest

from assay.errors import InputError
from assay.recipe import Estimator, new_estimator
from assay.recipe.stopping import StoppedClassifier, stopped

FAMILIES = {
    "sklearn.ensemble.HistGradientBoosting": {"max_leaf_nodes": 8, "learning_rate": 0.2},
    "lightgbm.LGBM": {"num_leaves": 8, "learning_rate": 0.2, "verbose": -1, "n_jobs": 1},
    "xgboost.XGB": {"max_depth": 3, "learning_rate": 0.2, "n_jobs": 1},
    "catboost.CatBoost": {
        "depth": 3,
        "learning_rate": 0.2,
        "verbose": False,
        "allow_writing_files": False,
        "thread_count": 1,
    },
}


def rows(count: int, seed: int) -> tuple[np.ndarray, np.ndarray]:
    """Return columns of which one says a little about the target."""
    random = np.random.default_rng(seed)
    matrix = random.normal(size=(count, 5))
    return matrix, matrix[:, 0] + random.normal(size=count)


@pytest.mark.filterwarnings("ignore:X does not have valid feature names")
@pytest.mark.parametrize("kind", ["Classifier", "Regressor"])
@pytest.mark.parametrize("path", FAMILIES)
def test_noise_stops_the_rounds_and_new_rows_are_told_better(path: str, kind: str) -> None:
    pytest.importorskip(path.partition(".")[0])
    matrix, target = rows(600, seed=1)
    new, truth = rows(3000, seed=2)
    if kind == "Classifier":
        target, truth = (target > 0).astype(int), (truth > 0).astype(int)
    spec = Estimator(path=path + kind, parameters=FAMILIES[path])
    early = new_estimator(stopped(spec, most=300), seed=0).fit(matrix, target)
    assert 1 <= early.rounds_ < 100
    whole = new_estimator(
        Estimator(path=path + kind, parameters={**FAMILIES[path], **rounds_of(path, 300)}), seed=0
    ).fit(matrix, target)

    def loss(model: object) -> float:
        if kind == "Regressor":
            return float(np.mean((model.predict(new) - truth) ** 2))  # type: ignore[attr-defined]
        found = model.predict_proba(new)[:, 1]  # type: ignore[attr-defined]
        return float(-np.mean(np.log(np.clip(np.where(truth, found, 1 - found), 1e-9, 1))))

    assert loss(early) < 0.9 * loss(whole)


def rounds_of(path: str, count: int) -> dict[str, int]:
    (name,) = set(stopped(Estimator(path=path), most=count).parameters["parameters"])
    return {name: count}


def test_the_rounds_are_built_on_all_training_rows(monkeypatch: pytest.MonkeyPatch) -> None:
    from sklearn.ensemble import HistGradientBoostingClassifier

    sizes, own = [], HistGradientBoostingClassifier.fit

    def counted(self: object, X: np.ndarray, y: np.ndarray, **named: object) -> object:  # noqa: N803
        sizes.append(len(y))
        return own(self, X, y, **named)

    monkeypatch.setattr(HistGradientBoostingClassifier, "fit", counted)
    matrix, target = rows(400, seed=3)
    path = "sklearn.ensemble.HistGradientBoostingClassifier"
    weights = np.random.default_rng(0).random(400)
    model = StoppedClassifier(path=path, parameters={"max_iter": 30})
    model.fit(matrix, target > 0, sample_weight=weights)
    assert sizes == [340, 400]
    few = StoppedClassifier(path=path, parameters={"max_iter": 7}).fit(matrix[:60], target[:60] > 0)
    assert few.rounds_ == 7, "too few rows to hold some back"


def test_only_boosted_trees_have_rounds_to_stop() -> None:
    matrix, target = rows(50, seed=4)
    line = StoppedClassifier(path="numpy.linalg.Line")
    with pytest.raises(InputError, match="cannot be stopped early"):
        line.fit(matrix, target > 0)
