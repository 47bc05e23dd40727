"""A tree of pairs of columns, measured under noise: each column depends on one other.

The pairs are chosen as in MST (McKenna, Miklau and Sheldon 2021): again and again the pair that is
worst described by its two columns alone, by the exponential mechanism, among those that join what
is not joined yet. Rows are drawn along the tree from the noisy counts.
"""

from __future__ import annotations

from collections.abc import Sequence
from itertools import combinations

import numpy as np
from numpy.typing import NDArray

from assay.synth.private.noise import Counts, Noise

Codes = NDArray[np.intp]
Shares = NDArray[np.float64]


class NoisyTree:
    """Learns from (n, d) codes of cells, then draws rows of codes.

    Parameters
    ----------
    sizes
        (d,) how many cells each column has.
    single, choice, pair
        What is spent on the columns alone, on choosing pairs, and on measuring these; each in all.
    """

    def __init__(
        self,
        codes: Codes,
        sizes: Sequence[int],
        noise: Noise,
        *,
        single: float,
        choice: float,
        pair: float,
    ) -> None:
        width = len(sizes)
        self._single = [
            _clean(noise.counts(_counted(codes[:, at], sizes[at]), single / width))
            for at in range(width)
        ]
        self._steps: list[tuple[int, int, Shares]] = []
        if width == 1:
            return
        rows = float(np.median([each.sum() for each in self._single]))
        tables = {
            (one, two): _crossed(codes[:, one], codes[:, two], sizes[one], sizes[two])
            for one, two in combinations(range(width), 2)
        }
        lacking = {
            pair_: _misfit(table, self._single[pair_[0]], self._single[pair_[1]], rows)
            for pair_, table in tables.items()
        }
        joined = {0}
        while len(joined) < width:
            open_ = [each for each in lacking if (each[0] in joined) != (each[1] in joined)]
            scores = np.array([lacking[each] for each in open_])
            chosen = open_[noise.largest(scores, choice / (width - 1))]
            parent, child = chosen if chosen[0] in joined else chosen[::-1]
            table = noise.counts(tables[chosen], pair / (width - 1))
            self._steps.append((parent, child, _clean(table if parent < child else table.T)))
            joined.add(child)

    def draw(self, count: int, random: np.random.Generator) -> Codes:
        """Return (count, d) codes."""
        found = np.zeros((count, len(self._single)), dtype=np.intp)
        found[:, 0] = random.choice(len(self._single[0]), count, p=_shares(self._single[0]))
        for parent, child, table in self._steps:
            for code in np.unique(found[:, parent]):
                here = found[:, parent] == code
                held = table[code] if table[code].sum() > 0 else self._single[child]
                found[here, child] = random.choice(len(held), int(here.sum()), p=_shares(held))
        return found


def _counted(codes: Codes, size: int) -> Counts:
    return np.bincount(codes, minlength=size).astype(np.int64)


def _crossed(one: Codes, two: Codes, rows: int, columns: int) -> Counts:
    return np.bincount(one * columns + two, minlength=rows * columns).reshape(rows, columns)


def _misfit(table: Counts, one: Shares, two: Shares, rows: float) -> float:
    """Return the L1 distance to what the noisy columns say; one row changes it by at most 1."""
    return float(np.abs(table - rows * np.outer(_shares(one), _shares(two))).sum())


def _clean(noisy: Counts) -> Shares:
    return np.maximum(noisy, 0).astype(np.float64)


def _shares(held: Shares) -> Shares:
    total = held.sum()
    return held / total if total > 0 else np.full(len(held), 1 / len(held))
