"""Votes on each threshold between levels: whether the row lies above it."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from assay.label.asking import Asker, listed
from assay.label.learning import Votes
from assay.label.voting import Floats, log_odds


def collect(texts: Sequence[str], asker: Asker) -> Votes:
    """Return two votes on each of the k - 1 thresholds: (n, k - 1, 2)."""
    words = [each.words for each in asker.task.classes]
    vectors = asker.embed(texts)
    if not texts:
        return Votes(np.empty((0, len(words) - 1, 2)), vectors, {})
    question = (
        "Say which level of the scale the text has.\n"
        f"Levels, from the lowest to the highest:\n{listed(words)}"
    )
    asked, why = asker.which(texts, question, words, cue="Level")
    similar = asker.similarity(vectors)
    each = np.stack([above(np.exp(asked)), above(np.exp(similar - similar.max()))], axis=2)
    each[list(why)] = np.nan
    return Votes(each, vectors, why)


def above(shares: Floats) -> Floats:
    """Return the log-odds of lying above each threshold, (n, k - 1), from (n, k) shares."""
    from_top = np.cumsum(shares[:, ::-1], axis=1)[:, ::-1]
    return log_odds(from_top[:, 1:] / from_top[:, :1])
