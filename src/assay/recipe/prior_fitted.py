"""Networks that were fitted to a prior of made-up tables: TabPFN and TabICL, with weights at hand.

Hollmann et al. (2025), "Accurate predictions on small data with a tabular foundation model"; Qu et
al. (2025), "TabICL: a tabular foundation model for in-context learning on large data". Such a
network is not trained on a table; it reads the training rows as an example and predicts. Both
packages fetch weights when there are none. Here that is refused: weights are the files that lie on
this machine already.
"""

from __future__ import annotations

import os
from importlib import import_module
from pathlib import Path
from typing import Any

import numpy as np
from sklearn.base import BaseEstimator, ClassifierMixin, RegressorMixin, is_classifier

from assay.errors import InputError
from assay.recipe.local_weights import weights_folder

PACKAGES = {"tabpfn": "TabPFN", "tabicl": "TabICL"}
"""What each package calls its estimators, less ``Classifier`` or ``Regressor``."""


class _PriorFitted(BaseEstimator):  # type: ignore[misc]
    """A network of a package, with weights of this machine.

    Parameters
    ----------
    package
        ``tabpfn`` or ``tabicl``.
    weights
        The name of their file, in the folder where the package keeps them.
    n_estimators
        Views of the table, columns and classes in other orders, whose predictions are averaged.
    """

    def __init__(
        self,
        package: str = "tabpfn",
        weights: str = "",
        n_estimators: int = 4,
        random_state: int = 0,
    ) -> None:
        self.package = package
        self.weights = weights
        self.n_estimators = n_estimators
        self.random_state = random_state

    def fit(self, X: Any, y: Any) -> Any:  # noqa: N803
        """Keep (n, d) rows and (n,) targets as the example that predictions are read from."""
        own = {"model_path": str(self._file()), "n_estimators": self.n_estimators}
        if self.package == "tabicl":
            own["allow_auto_download"] = False
        self.model_ = self._class()(**own, random_state=self.random_state)
        self.model_.fit(np.asarray(X), np.asarray(y))
        if is_classifier(self):
            self.classes_ = self.model_.classes_
        return self

    def predict(self, X: Any) -> Any:  # noqa: N803
        """Return (n,) classes or values."""
        return np.asarray(self.model_.predict(np.asarray(X))).reshape(-1)

    def _file(self) -> Path:
        folder = weights_folder(self.package)
        found = next((each for each in folder.rglob(self.weights or "?") if each.exists()), None)
        if found is None:
            raise InputError(
                f"The weights of {self.package} are not on this machine; none are fetched unasked.",
                given=self.weights or "no name",
                allowed=f"a file in {folder}",
                next_step=f"let {self.package} fetch them once, or put them there",
            )
        return found

    def _class(self) -> Any:
        if self.package not in PACKAGES:
            raise InputError(
                "The package is not known.", given=self.package, allowed=", ".join(PACKAGES)
            )
        os.environ.setdefault("TABPFN_DISABLE_TELEMETRY", "1")  # nothing leaves the machine
        kind = "Classifier" if is_classifier(self) else "Regressor"
        try:
            module = import_module(self.package)
        except ImportError as error:
            raise InputError(
                f"The recipe asks for {self.package}, which cannot be imported.",
                given=error,
                next_step=f"pip install {self.package}",
            ) from error
        return getattr(module, f"{PACKAGES[self.package]}{kind}")


class PriorFittedRegressor(RegressorMixin, _PriorFitted):  # type: ignore[misc]
    """Predicts numbers."""


class PriorFittedClassifier(ClassifierMixin, _PriorFitted):  # type: ignore[misc]
    """Predicts classes."""

    def predict_proba(self, X: Any) -> Any:  # noqa: N803
        """Return (n, k) probabilities."""
        return np.asarray(self.model_.predict_proba(np.asarray(X)))
