"""Estimators that go wrong, each in its own way; and a shop to try them on."""

from __future__ import annotations

import os
import signal
import time
from typing import Any

import numpy as np
import polars as pl
from sklearn.linear_model import LinearRegression, LogisticRegression


class Hangs(LogisticRegression):
    def fit(self, rows: Any, targets: Any) -> Any:
        time.sleep(600)


class Crashes(LogisticRegression):
    def fit(self, rows: Any, targets: Any) -> Any:
        os.kill(os.getpid(), signal.SIGSEGV)


class KillsItsParent(LogisticRegression):
    def fit(self, rows: Any, targets: Any) -> Any:
        os.kill(os.getppid(), signal.SIGKILL)
        time.sleep(600)


class PredictsNaN(LogisticRegression):
    def predict_proba(self, rows: Any) -> Any:
        return np.full((rows.shape[0], 2), np.nan)


class PredictsColumn(LinearRegression):
    def predict(self, rows: Any) -> Any:
        return super().predict(rows).reshape(-1, 1)


class PredictsTwice(LinearRegression):
    def predict(self, rows: Any) -> Any:
        return np.column_stack([super().predict(rows)] * 2)


class PredictsShares(PredictsColumn):
    def predict_proba(self, rows: Any) -> Any:
        return self.predict(rows)


class Plain:
    """No estimator of scikit-learn's: it tells the commonest code."""

    def fit(self, rows: np.ndarray, targets: Any) -> None:
        self.commonest = int(np.bincount(targets, weights=rows.any(axis=1)).argmax())

    def predict(self, rows: np.ndarray) -> list[int]:
        return [self.commonest] * len(rows)


class EatsMemory(LogisticRegression):
    def fit(self, rows: Any, targets: Any) -> Any:
        held = []
        while True:
            held.append(np.ones(2**22))


class Raises(LogisticRegression):
    def fit(self, rows: Any, targets: Any) -> Any:
        print("noise on the channel of answers")
        raise RuntimeError("it does not want to")


def shop(rows: int = 260, seed: int = 0) -> pl.DataFrame:
    """Return customers whose purchase depends on size and town, not additively."""
    random = np.random.default_rng(seed)
    size, age = random.normal(size=rows), random.normal(size=rows)
    town = random.choice(["Ulm", "Bern", "Linz"], rows)
    score = np.where(town == "Ulm", 2 * size, -2 * size) + random.normal(size=rows) / 2
    return pl.DataFrame(
        {"size": size, "age": age, "town": town, "bought": np.where(score > 0, "yes", "no")}
    )
