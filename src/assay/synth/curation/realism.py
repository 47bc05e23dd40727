"""Whether a classifier can tell made rows from real ones (Lopez-Paz and Oquab 2017)."""

from __future__ import annotations

import numpy as np
import polars as pl
from numpy.typing import NDArray

from assay.evidence import Evidence, estimate
from assay.synth.curation.numbers import Encoded, Floats, new_judge
from assay.synth.spec import Order

FOLDS = 5
FEWEST = 20
"""Of fewer real or made rows nothing is said."""


def told_apart(made: pl.DataFrame, order: Order) -> Evidence | None:
    """Return the AUC at which made and real rows are told apart; .5 is not at all.

    None with fewer than 20 rows of either.
    """
    real = order.own
    if min(real.height, made.height) < FEWEST:
        return None
    scores = np.concatenate(_scores(real, made, order))
    truth = np.repeat(["real", "made"], [real.height, made.height])
    found = estimate(
        truth,
        np.column_stack([1 - scores, scores]),
        metric="auc",
        classes=("made", "real"),
        seed=order.seed,
    )
    return Evidence(
        "made and real rows told apart (AUC)",
        found.estimate,
        found.interval,
        found.n,
        f"cross-fitted two-sample test; {found.method}",
    )


def _scores(real: pl.DataFrame, made: pl.DataFrame, order: Order) -> tuple[Floats, Floats]:
    """Return for each row how real it looks to a model that did not see it."""
    both = pl.concat(
        [each.select(order.task.inputs) for each in (real, made)], how="vertical_relaxed"
    )
    numbers = Encoded.of(both, order.task).real
    truth = np.repeat([1, 0], [real.height, made.height])
    random = np.random.default_rng(order.seed)
    fold: NDArray[np.int64] = np.empty(len(truth), dtype=np.int64)
    for kind in (0, 1):  # as many of either kind in every fold
        rows = random.permutation(np.flatnonzero(truth == kind))
        fold[rows] = np.arange(len(rows)) % FOLDS
    scores = np.empty(len(truth))
    for number in range(FOLDS):
        judge = new_judge(order.task, order.seed + number)
        judge.fit(numbers[fold != number], truth[fold != number])
        scores[fold == number] = judge.predict_proba(numbers[fold == number])[:, 1]
    return scores[: real.height], scores[real.height :]
