"""A classifier whose probabilities are scaled on rows that it was not fitted on.

Platt (1999), "Probabilistic outputs for support vector machines"; Zadrozny and Elkan (2002),
"Transforming classifier scores into accurate multiclass probability estimates".
"""

from __future__ import annotations

from typing import Any, Literal

import numpy as np
from sklearn.base import BaseEstimator, ClassifierMixin

from assay.recipe.estimators import new_estimator
from assay.recipe.spec import Estimator

FOLDS = 3


class CalibratedClassifier(ClassifierMixin, BaseEstimator):  # type: ignore[misc]
    """Any classifier, with probabilities that are brought to observed shares by cross-fitting.

    Parameters
    ----------
    path, parameters
        Of the classifier, as in a recipe.
    method
        ``sigmoid`` needs few rows; ``isotonic`` bends freely.
    """

    def __init__(
        self,
        path: str = "sklearn.linear_model.LogisticRegression",
        parameters: dict[str, Any] | None = None,
        method: Literal["sigmoid", "isotonic"] = "sigmoid",
        random_state: int = 0,
    ) -> None:
        self.path = path
        self.parameters = parameters
        self.method = method
        self.random_state = random_state

    def fit(self, X: Any, y: Any, sample_weight: Any = None) -> CalibratedClassifier:  # noqa: N803
        """Fit it; a class with fewer rows than folds leaves the probabilities as they are."""
        from sklearn.calibration import CalibratedClassifierCV

        spec = Estimator(path=self.path, parameters=self.parameters or {})
        made = new_estimator(spec, self.random_state)
        if np.unique(y, return_counts=True)[1].min() >= FOLDS:
            made = CalibratedClassifierCV(made, method=self.method, cv=FOLDS)
        weights = {} if sample_weight is None else {"sample_weight": sample_weight}
        self.model_ = made.fit(X, y, **weights)
        self.classes_ = self.model_.classes_
        return self

    def predict(self, X: Any) -> Any:  # noqa: N803
        """Return (n,) the likeliest class."""
        return self.classes_[self.predict_proba(X).argmax(axis=1)]

    def predict_proba(self, X: Any) -> Any:  # noqa: N803
        """Return (n, k) probabilities."""
        return self.model_.predict_proba(X)

    def __sklearn_tags__(self) -> Any:
        tags = super().__sklearn_tags__()
        tags.input_tags.sparse = True
        return tags


def calibrated(spec: Estimator, method: Literal["sigmoid", "isotonic"]) -> Estimator:
    """Return the estimator with calibrated probabilities; itself where they are already."""
    path = f"{__name__}.{CalibratedClassifier.__name__}"
    if spec.path == path:
        return spec
    return Estimator(
        path=path,
        parameters={"path": spec.path, "parameters": spec.parameters, "method": method},
    )
