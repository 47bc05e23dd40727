"""Boosted trees whose number of rounds is found on an inner part of the training rows.

Prechelt (1998), "Early stopping - but when?": rounds end when the loss on held rows has not
improved for a while. The held rows are training rows, so a fold that judges has no part in it;
afterwards the rounds that were best are built on all training rows.
"""

from __future__ import annotations

import warnings
from typing import Any

import numpy as np
from sklearn.base import BaseEstimator, ClassifierMixin, RegressorMixin, is_classifier
from sklearn.model_selection import train_test_split

from assay.errors import InputError
from assay.recipe.estimators import new_estimator
from assay.recipe.spec import Estimator

HELD_SHARE = 0.15
PATIENCE = 20
"""Rounds without a better loss after which it ends."""

LEAST_HELD = 20
"""Fewer held rows than this tell nothing: all rounds that are allowed are built."""

ROUNDS = {
    "sklearn": "max_iter",
    "lightgbm": "n_estimators",
    "xgboost": "n_estimators",
    "catboost": "iterations",
}
"""What each package calls the number of rounds."""


class _Stopped(BaseEstimator):  # type: ignore[misc]
    """A boosting model, built with as many rounds as held rows ask for.

    Parameters
    ----------
    path, parameters
        Of the model, as in a recipe; its number of rounds is the most that may be built.

    Attributes
    ----------
    rounds_
        How many were built.
    """

    def __init__(
        self, path: str = "", parameters: dict[str, Any] | None = None, random_state: int = 0
    ) -> None:
        self.path = path
        self.parameters = parameters
        self.random_state = random_state

    def fit(self, X: Any, y: Any, sample_weight: Any = None) -> Any:  # noqa: N803
        """Find the rounds on held rows, then build them on all."""
        package = self.path.partition(".")[0]
        if package not in ROUNDS:
            raise InputError(
                "The rounds of this estimator cannot be stopped early.",
                given=self.path,
                allowed="boosted trees of " + ", ".join(ROUNDS),
                next_step="mend estimator.parameters.path in recipe.toml",
            )
        found = self._rounds(package, X, np.asarray(y), sample_weight)
        fixed = {} if found is None else {ROUNDS[package]: found}
        if package == "sklearn":
            fixed["early_stopping"] = False
        self.model_ = self._made(**fixed)
        self.model_.fit(X, y, sample_weight=sample_weight)
        self.rounds_ = self.model_.get_params()[ROUNDS[package]]
        if is_classifier(self):
            self.classes_ = self.model_.classes_
        return self

    def predict(self, X: Any) -> Any:  # noqa: N803
        """Return (n,) classes or values."""
        return np.asarray(self.model_.predict(X)).reshape(-1)

    def _made(self, **fixed: Any) -> Any:
        spec = Estimator(path=self.path, parameters={**(self.parameters or {}), **fixed})
        return new_estimator(spec, self.random_state)

    def _rounds(self, package: str, X: Any, y: np.ndarray, weights: Any) -> int | None:  # noqa: N803
        """Return after how many rounds the held rows' loss was least; None for too few rows."""
        if HELD_SHARE * len(y) < LEAST_HELD:
            return None
        classes = None
        if is_classifier(self):
            classes, counts = np.unique(y, return_counts=True)
            if counts.min() < 2 or HELD_SHARE * len(y) < len(classes):
                return None
        learning, held = train_test_split(
            np.arange(len(y)),
            test_size=HELD_SHARE,
            random_state=self.random_state,
            stratify=y if classes is not None else None,
        )
        own = None if weights is None else np.asarray(weights)[learning]
        with warnings.catch_warnings():
            return _watched(
                package, self._made, (X[learning], y[learning], own), (X[held], y[held])
            )


def _watched(package: str, made: Any, learning: tuple[Any, Any, Any], held: tuple[Any, Any]) -> int:
    """Return the best number of rounds by the package's own watch over the held rows."""
    (matrix, targets, weights), named = learning, {}
    if package == "sklearn":
        model = made(early_stopping=True, n_iter_no_change=PATIENCE)
        model.fit(matrix, targets, sample_weight=weights, X_val=held[0], y_val=held[1])
        return int(np.argmax(model.validation_score_[1:])) + 1
    if package == "xgboost":
        model = made(early_stopping_rounds=PATIENCE)
        model.fit(matrix, targets, sample_weight=weights, eval_set=[held], verbose=False)
        return int(model.best_iteration) + 1
    if package == "lightgbm":
        from lightgbm import early_stopping

        # Its newer name for it is not known to all releases that are allowed.
        warnings.filterwarnings("ignore", message="The argument 'eval_set' is deprecated")
        named = {"callbacks": [early_stopping(PATIENCE, verbose=False)], "eval_set": [held]}
    else:
        named = {"early_stopping_rounds": PATIENCE, "eval_set": held, "verbose": False}
    model = made().fit(matrix, targets, sample_weight=weights, **named)
    return int(model.best_iteration_) + (package == "catboost")


class StoppedRegressor(RegressorMixin, _Stopped):  # type: ignore[misc]
    """Predicts numbers."""


class StoppedClassifier(ClassifierMixin, _Stopped):  # type: ignore[misc]
    """Predicts classes."""

    def predict_proba(self, X: Any) -> Any:  # noqa: N803
        """Return (n, k) probabilities."""
        return self.model_.predict_proba(X)


def stopped(spec: Estimator, *, most: int) -> Estimator:
    """Return the boosting estimator with its rounds stopped early, after ``most`` at the latest."""
    kind = StoppedRegressor if spec.path.endswith("Regressor") else StoppedClassifier
    rounds = ROUNDS[spec.path.partition(".")[0]]
    inner = {"path": spec.path, "parameters": {**spec.parameters, rounds: most}}
    return Estimator(path=f"{__name__}.{kind.__name__}", parameters=inner)
