"""Votes on each threshold between levels: whether the row lies above it."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from assay.label.learning import Votes
from assay.label.single.fitted import FittedSingle
from assay.label.single.scores import softmax
from assay.label.voting import Floats, log_odds
from assay.llm import Gateway


def above(voters: FittedSingle, texts: Sequence[str], gateway: Gateway) -> Votes:
    """Return what annotators of one class a row say of each threshold, (n, k - 1, a)."""
    said = voters.votes(texts, gateway)
    levels = len(voters.task.classes)
    each = np.empty((len(texts), levels - 1, len(said.names)))
    for column, scores in enumerate(said.scores if len(texts) else ()):
        each[:, :, column] = over(softmax(scores))
    return Votes(each, said.embeddings, said.why)


def over(shares: Floats) -> Floats:
    """Return the log-odds of lying above each threshold, (n, k - 1), from (n, k) shares."""
    from_top = np.cumsum(shares[:, ::-1], axis=1)[:, ::-1]
    return log_odds(from_top[:, 1:] / from_top[:, :1])
