"""Votes on each threshold between levels: whether the row lies above it."""

from __future__ import annotations

import numpy as np

from assay.label.learning import Votes
from assay.label.single import fitted as single
from assay.label.single.scores import softmax
from assay.label.voting import Floats, log_odds


def above(said: single.Votes) -> Votes:
    """Return what annotators of one class a row say of each threshold, (n, k - 1, a)."""
    annotators, rows, levels = said.scores.shape
    each = np.empty((rows, levels - 1, annotators))
    for column, scores in enumerate(said.scores):
        each[:, :, column] = over(softmax(scores))
    return Votes(each, said.embeddings, said.why)


def over(shares: Floats) -> Floats:
    """Return the log-odds of lying above each threshold, (n, k - 1), from (n, k) shares."""
    from_top = np.cumsum(shares[:, ::-1], axis=1)[:, ::-1]
    return log_odds(from_top[:, 1:] / from_top[:, :1])
