"""Simulated models with a known truth, and the rules that others keep proposals by."""

from __future__ import annotations

from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray
from scipy import stats

Floats = NDArray[np.float64]
FOLDS, REPEATS = 5, 3
ALIKE, FIT_NOISE = 0.7, 0.3
"""Share of a score's variance that belongs to the row, and share of the rest to the fit."""


@dataclass
class World:
    """Rows on which models are right or wrong; the true accuracy of each model is known.

    A model is a level; its score on a row is the level, plus what the row is like, plus the
    model's own luck on the row, plus each fit's. It is right where the score is positive.
    """

    search: int
    vault: int
    rng: np.random.Generator
    rows: Floats = field(init=False)

    def __post_init__(self) -> None:
        self.rows = self.rng.normal(size=self.search + self.vault)

    def model(self, accuracy: float) -> Model:
        """Draw a model of that true accuracy."""
        return Model(self, accuracy, self.rng.normal(size=len(self.rows)))


@dataclass
class Model:
    """One model and its luck on each row."""

    world: World
    accuracy: float
    luck: Floats

    def cross_validated(self) -> Floats:
        """Return (repeats, search) right or wrong, every row predicted once in each repeat."""
        return np.stack([self._right(slice(0, self.world.search)) for _ in range(REPEATS)])

    def on_vault(self) -> Floats:
        """Return (vault,) right or wrong from one fit."""
        return self._right(slice(self.world.search, None))

    def _right(self, part: slice) -> Floats:
        fit = self.world.rng.normal(size=len(self.world.rows[part]))
        own = np.sqrt(1 - FIT_NOISE) * self.luck[part] + np.sqrt(FIT_NOISE) * fit
        score = np.sqrt(ALIKE) * self.world.rows[part] + np.sqrt(1 - ALIKE) * own
        return np.asarray(score < stats.norm.ppf(self.accuracy), dtype=np.float64)


class Rules:
    """How others decide from cross-validated rows, (repeats, n) right or wrong each."""

    def __init__(self, n: int, rng: np.random.Generator) -> None:
        self.n = n
        self.rng = rng
        self.fold = np.stack([rng.permutation(n) % FOLDS for _ in range(REPEATS)])
        self.holdout = rng.random(n) < 0.5

    def one_split(self, before: Floats, after: Floats) -> tuple[bool, float]:
        """Keep if better on one fifth of the rows."""
        rows = self.fold[0] == 0
        gain = float((after[0] - before[0])[rows].mean())
        return gain > 0, gain

    def cv_mean(self, before: Floats, after: Floats) -> tuple[bool, float]:
        """Keep if the cross-validated mean rose (the rule of CAAFE)."""
        gain = float((after - before).mean())
        return gain > 0, gain

    def naive_t(self, before: Floats, after: Floats) -> tuple[bool, float]:
        """Keep by a t-test that takes the folds for independent."""
        return self._fold_test(before, after, 0.0)

    def nadeau_bengio(self, before: Floats, after: Floats) -> tuple[bool, float]:
        """Keep by the corrected resampled t-test (Nadeau and Bengio 2003)."""
        return self._fold_test(before, after, 1 / (FOLDS - 1))

    def thresholdout(self, before: Floats, after: Floats) -> tuple[bool, float]:
        """Keep if Thresholdout's answer is a gain (Dwork et al. 2015)."""
        difference = after[0] - before[0]
        seen = float(difference[~self.holdout].mean())
        held = float(difference[self.holdout].mean())
        threshold, scale = 2 / np.sqrt(self.n), 0.5 / np.sqrt(self.n)
        if abs(seen - held) > threshold + float(self.rng.laplace(0, 4 * scale)):
            seen = held + float(self.rng.laplace(0, scale))
        return seen > threshold / 2, seen

    def _fold_test(self, before: Floats, after: Floats, overlap: float) -> tuple[bool, float]:
        gains = np.array(
            [
                (a - b)[fold == i].mean()
                for a, b, fold in zip(after, before, self.fold, strict=True)
                for i in range(FOLDS)
            ]
        )
        variance = (1 / len(gains) + overlap) * gains.var(ddof=1)
        gain = float(gains.mean())
        if variance == 0:
            return False, gain
        return bool(stats.t.sf(gain / np.sqrt(variance), len(gains) - 1) < 0.05), gain


RULES = ("one_split", "cv_mean", "naive_t", "nadeau_bengio", "thresholdout")
