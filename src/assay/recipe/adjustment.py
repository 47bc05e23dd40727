"""What is done to targets before the fit, and to predictions after it."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from assay.recipe.spec import Recipe
from assay.task import Task


@dataclass(frozen=True)
class Adjustment:
    """Learned from the training rows at hand, so that a cross-validation fold stays honest.

    Attributes
    ----------
    shares
        (c,) share of each class seen; None for a regression.
    rarity
        Probabilities are divided by the shares to this power; 0 leaves them.
    shift
        Added to a target before its logarithm is learned; None leaves targets.
    """

    shares: np.ndarray | None = None
    rarity: float = 0.0
    shift: float | None = None

    @classmethod
    def of(cls, recipe: Recipe, targets: np.ndarray, task: Task) -> Adjustment:
        """Return what ``recipe`` asks for when ``targets`` are codes of classes, or values."""
        if task.kind == "regression":
            return cls(shift=1.0 - float(targets.min()) if recipe.log_target else None)
        return cls(shares=np.bincount(targets) / len(targets), rarity=recipe.rarity)

    def learned(self, targets: np.ndarray) -> np.ndarray:
        """Return the targets that the estimator is fitted to."""
        return targets if self.shift is None else np.log(targets + self.shift)

    def values(self, found: np.ndarray) -> np.ndarray:
        """Return predicted values in the target's own unit."""
        if self.shift is None:
            return found
        # A line that reaches far beyond the targets it saw would overflow.
        return np.asarray(np.exp(np.minimum(found, MOST_LOGARITHM)) - self.shift)

    def probabilities(self, found: np.ndarray) -> np.ndarray:
        """Return (n, c) probabilities of the classes seen."""
        if self.shares is None or not self.rarity:
            return found
        raised = found / self.shares**self.rarity
        return np.asarray(raised / raised.sum(axis=1, keepdims=True))


MOST_LOGARITHM = 700.0
