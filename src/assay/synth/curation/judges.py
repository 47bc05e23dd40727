"""What filters learn from the real rows alone, learned once for all that they sift.

In a fold of a cross-validation the rows of every method and dose are sifted by the same judges.
"""

from __future__ import annotations

import hashlib
from dataclasses import dataclass, field
from functools import lru_cache
from typing import Any

import numpy as np
import polars as pl

from assay.synth.curation.numbers import Codes, Encoded, Floats, codes, new_judge
from assay.synth.spec import Order
from assay.task import Task

FOLDS = 5


@dataclass(frozen=True)
class Lesson:
    """Real rows to learn from; equal to another one of the same rows, task and seed."""

    key: str
    seed: int
    rows: pl.DataFrame = field(compare=False)
    task: Task = field(compare=False)

    @classmethod
    def of(cls, order: Order) -> Lesson:
        """Return what the order's real rows teach."""
        digest = hashlib.sha256(order.task.model_dump_json().encode())
        digest.update(order.rows.hash_rows().to_numpy().tobytes())
        return cls(digest.hexdigest(), order.seed, order.rows, order.task)

    @property
    def truth(self) -> Codes:
        """(n,) each real row's place in ``task.class_names``."""
        return codes(self.rows[self.task.target], self.task)


@lru_cache(maxsize=1)
def encoded(lesson: Lesson) -> Encoded:
    """Learn to read rows as numbers."""
    return Encoded.of(lesson.rows, lesson.task)


@dataclass(frozen=True)
class Annotators:
    """Models of the classes, each blind to a part of the real rows.

    Attributes
    ----------
    fold
        (n,) the part of each real row.
    judges
        For each part the model taught on the others; None where these hold one class.
    of_real
        (n, k) probabilities of the real rows by the model that did not see them.
    """

    fold: Codes
    judges: tuple[Any, ...]
    of_real: Floats


@lru_cache(maxsize=1)
def annotators(lesson: Lesson) -> Annotators:
    """Teach a model for each of five parts of the real rows, on the other four."""
    real, truth = encoded(lesson).real, lesson.truth
    fold = np.random.default_rng(lesson.seed).permutation(len(truth)) % FOLDS
    of_real = np.zeros((len(truth), len(lesson.task.classes)))
    judges: list[Any] = []
    for number in range(FOLDS):
        taught, here = fold != number, np.flatnonzero(fold == number)
        if len(np.unique(truth[taught])) < 2:
            judges.append(None)
            continue
        judge = new_judge(lesson.task, lesson.seed + number).fit(real[taught], truth[taught])
        if len(here):
            of_real[np.ix_(here, judge.classes_)] = judge.predict_proba(real[here])
        judges.append(judge)
    return Annotators(fold, tuple(judges), of_real)


@lru_cache(maxsize=1)
def boosted(lesson: Lesson, rounds: int) -> Any:
    """Teach boosted trees on all real rows of a table; classes weigh alike."""
    from sklearn.ensemble import GradientBoostingClassifier
    from sklearn.utils.class_weight import compute_sample_weight

    model = GradientBoostingClassifier(
        n_estimators=rounds, max_features="sqrt", random_state=lesson.seed % 2**32
    )
    weights = compute_sample_weight("balanced", lesson.truth)
    return model.fit(encoded(lesson).real, lesson.truth, sample_weight=weights)
