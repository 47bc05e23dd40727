"""Drops rows that a model in training is sure are something else (CLLM; Seedat et al. 2024).

A model is taught the real rows and looked at while it learns. A made row's confidence is the mean
probability of its label over these checkpoints, its aleatoric uncertainty the mean of p (1 - p).
A row of low confidence and low uncertainty is one that the model never doubts to be wrong.
"""

from __future__ import annotations

from collections.abc import Iterator
from itertools import islice
from typing import Any

import numpy as np
import polars as pl

from assay.synth.curation.judges import Lesson, boosted, encoded
from assay.synth.curation.numbers import Floats, codes
from assay.synth.spec import Order, Sifted, sifted

CHECKPOINTS = 15
LEAST_CONFIDENCE = 0.4
"""Of a share as large for every class: 0.2 with two classes, as in the paper."""

UNCERTAIN = 0.75
"""Of the way from the least uncertain made row to the most, as in the paper."""


class Learnable:
    """Confidence and aleatoric uncertainty across the checkpoints of a training."""

    name = "learnability"

    def sift(self, made: pl.DataFrame, order: Order) -> Sifted:
        """Drop what is confidently something else."""
        task, rows = order.task, order.rows
        if task.kind == "regression" or made.is_empty() or rows[task.target].n_unique() < 2:
            return sifted(made, [None] * made.height, self.name)
        confidence, uncertainty = learning(made, order)
        low, high = float(uncertainty.min()), float(uncertainty.max())
        sure = uncertainty <= low + UNCERTAIN * (high - low)
        hopeless = sure & (confidence < LEAST_CONFIDENCE / len(task.classes))
        reasons = [
            f"never learned as {label} (confidence {share:.2f})" if bad else None
            for bad, share, label in zip(
                hopeless, confidence, made[task.target].to_list(), strict=True
            )
        ]
        return sifted(made, reasons, self.name)


def learning(made: pl.DataFrame, order: Order) -> tuple[Floats, Floats]:
    """Return (m,) confidence and (m,) aleatoric uncertainty of the made rows' labels."""
    task, lesson = order.task, Lesson.of(order)
    given = codes(made[task.target], task)
    numbers = encoded(lesson).made(made)
    known = np.unique(lesson.truth)
    seen = np.zeros((CHECKPOINTS, made.height))
    for number, shares in enumerate(_checkpoints(lesson, numbers)):
        whole = np.zeros((made.height, len(task.classes)))
        whole[:, known] = shares
        seen[number] = whole[np.arange(len(given)), given]
    return seen.mean(axis=0), (seen * (1 - seen)).mean(axis=0)


def _checkpoints(lesson: Lesson, made: Any) -> Iterator[Any]:
    """Yield the made rows' probabilities while a model learns; classes weigh alike."""
    from sklearn.linear_model import SGDClassifier
    from sklearn.utils.class_weight import compute_sample_weight

    if lesson.task.text is None:
        staged = boosted(lesson, 2 * CHECKPOINTS).staged_predict_proba(made)
        yield from islice(staged, 1, None, 2)
        return
    real, truth = encoded(lesson).real, lesson.truth
    weights = compute_sample_weight("balanced", truth)
    model = SGDClassifier(loss="log_loss", alpha=1e-5, random_state=lesson.seed % 2**32)
    for _ in range(CHECKPOINTS):
        model.partial_fit(real, truth, np.unique(truth), sample_weight=weights)
        yield model.predict_proba(made)
