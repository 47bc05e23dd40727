"""Dawid and Skene's model (1979) of discrete votes, to compare with: it needs no gold either."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

STEPS = 50
SMOOTH = 0.01


def dawid_skene(votes: Sequence[NDArray[np.float64]], names: Sequence[str]) -> list[str]:
    """Return the likeliest class of each row from each annotator's first choice.

    Every annotator has a table of what it says of each class; expectation-maximisation, from
    the vote of the majority.

    Parameters
    ----------
    votes
        By annotator, (n, k) probabilities.
    """
    said = [np.eye(len(names))[each.argmax(axis=1)] for each in votes]
    chance = np.mean(said, axis=0)
    for _ in range(STEPS):
        prior = (chance.sum(axis=0) + 1) / (len(chance) + len(names))
        logs = np.tile(np.log(prior), (len(chance), 1))
        for each in said:
            table = chance.T @ each + SMOOTH
            logs += each @ np.log(table / table.sum(axis=1, keepdims=True)).T
        powers = np.exp(logs - logs.max(axis=1, keepdims=True))
        chance = powers / powers.sum(axis=1, keepdims=True)
    return [names[code] for code in chance.argmax(axis=1)]
