"""Votes on each threshold between levels: whether the row lies above it."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from assay.label.learning import Votes
from assay.label.rules import Rule
from assay.label.single import fitted as single
from assay.label.single.scores import softmax
from assay.label.voting import Floats, log_odds


def above(said: single.Votes, rules: Sequence[Rule] = ()) -> Votes:
    """Return what annotators of one class a row say of each threshold, (n, k - 1, a).

    The user's rules come last: where one speaks of no level it says 0, not that all are alike.
    """
    levels = said.scores.shape[2]
    scores = dict(zip(said.names, said.scores, strict=True))
    told = {rule.called: over(softmax(scores.pop(rule.called))) for rule in rules}
    nothing = over(np.full((1, levels), 1 / levels))
    each = {name: over(softmax(some)) for name, some in scores.items()}
    each |= {name: some - nothing for name, some in told.items()}
    votes = np.stack([*each.values()], axis=2)
    return Votes(votes, said.embeddings, said.why, tuple(each), len(told))


def over(shares: Floats) -> Floats:
    """Return the log-odds of lying above each threshold, (n, k - 1), from (n, k) shares."""
    from_top = np.cumsum(shares[:, ::-1], axis=1)[:, ::-1]
    return log_odds(from_top[:, 1:] / from_top[:, :1])
