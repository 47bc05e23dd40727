"""Rows drawn with known chances, so that what a check finds speaks for all rows."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from assay.seeds import derive_seed

Floats = NDArray[np.float64]

RANDOM_SHARE = 1 / 3
"""Share of a draw that every row can enter alike. It bounds how much one row can count."""


def chances(worth: Floats, size: int) -> Floats:
    """Return each row's chance to be in a draw of ``size`` rows.

    Parameters
    ----------
    worth
        (n,) non-negative; a third of the draw ignores it, two thirds are proportional to it.
    size
        At most n rows.

    Returns
    -------
    (n,) chances that sum to ``size``; none is 0.
    """
    count = len(worth)
    size = min(size, count)
    if size == count:
        return np.ones(count)
    total = worth.sum()
    valued = worth / total if total > 0 else np.full(count, 1 / count)
    share = RANDOM_SHARE / count + (1 - RANDOM_SHARE) * valued
    certain = np.zeros(count, dtype=np.bool_)
    while True:  # rows that would be drawn more than once are certain; others share what is left
        chance = np.where(certain, 1.0, 0.0)
        left = size - int(certain.sum())
        chance[~certain] = left * share[~certain] / share[~certain].sum()
        over = chance > 1 + 1e-12
        if not over.any():
            return np.minimum(chance, 1.0)
        certain |= over


def draw(chance: Floats, along: NDArray[np.int64], seed: int) -> NDArray[np.int64]:
    """Return the drawn rows' positions, in random order.

    Systematic sampling (Madow 1949): each row is in with exactly its chance, the number drawn
    is fixed, and rows that lie together along the order are seldom drawn together. The result's
    order is random, so that those who stop early have checked a fair part of the draw.

    Parameters
    ----------
    chance
        (n,) chances that sum to a whole number.
    along
        (n,) the rows' positions, like beside like.
    """
    random = np.random.default_rng(derive_seed(seed, "draw"))
    ends = np.cumsum(chance[along])
    size = round(float(ends[-1]))
    ticks = np.minimum(random.uniform() + np.arange(size), ends[-1] * (1 - 1e-15))
    drawn = along[np.unique(np.searchsorted(ends, ticks, side="right"))]
    return np.asarray(random.permutation(drawn))


def weights(batches: list[tuple[Floats, int]]) -> list[Floats]:
    """Return how much each checked row counts, for each batch of checked rows.

    Parameters
    ----------
    batches
        For each draw, in order: the chances of its checked rows, and how many rows there were
        to draw from. Each draw left out the rows that earlier ones had checked.

    Returns
    -------
    For each batch one positive number a row, 1 on average over all of them.

    Notes
    -----
    Each batch alone estimates the total over all rows without bias: rows checked before count
    as themselves, its own rows for 1 / chance. The estimates are averaged by their size, which
    keeps them free of bias although later draws depend on earlier answers.
    """
    sizes = np.array([len(chance) for chance, _ in batches], dtype=np.float64)
    if sizes.sum() == 0:
        return [np.empty(0) for _ in batches]
    part = sizes / sizes.sum()
    later = 1 - np.cumsum(part)
    raw = [
        part[each] * _standing_for(chance, population) + later[each]
        for each, (chance, population) in enumerate(batches)
    ]
    mean = float(np.concatenate(raw).mean())
    return [each / mean for each in raw]


def _standing_for(chance: Floats, population: int) -> Floats:
    """Return the rows that each stands for; where some were left unchecked, in due proportion."""
    if len(chance) == 0:
        return chance
    inverse = 1 / chance
    return np.asarray(inverse * (population / inverse.sum()))
