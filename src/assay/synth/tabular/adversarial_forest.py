"""Adversarial random forests: a density in every leaf (Watson, Blesch, Kapar and Wright 2023).

A forest learns to tell the rows from fakes whose cells were drawn independently within the
leaves of the last forest. When it no longer can, cells are about independent within a leaf, so
a leaf's density is the product of its columns' own: a truncated normal for a number, shares for
a category.
"""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from assay.seeds import derive_seed
from assay.synth.tabular.encoding import Matrix

TREES = 30
LEAST_IN_LEAF = 5
MOST_ROUNDS = 10
INDISTINCT = 0.5
"""Out-of-bag accuracy at which rows and fakes are told apart no better than by a coin."""

NARROWEST = 1e-9


class AdversarialForest:
    """Learns from an encoded matrix, then draws rows like it.

    Parameters
    ----------
    matrix
        (n, d) numbers, NaN where empty; at least two rows.
    categorical
        (d,) whether a column holds category codes.
    """

    def __init__(self, matrix: Matrix, categorical: NDArray[np.bool_], seed: int) -> None:
        self._matrix = matrix
        self._categorical = categorical
        edges = [_edges(column) for column in matrix.T]
        self._low = np.array([low for low, _ in edges])
        self._high = np.array([high for _, high in edges])
        random = np.random.default_rng(seed)
        fakes = np.column_stack([random.permutation(column) for column in matrix.T])
        for number in range(MOST_ROUNDS):
            forest = _told_apart(matrix, fakes, derive_seed(seed, "forest", number))
            self._trees = [each.tree_ for each in forest.estimators_]
            self._leaves = forest.apply(matrix)
            if forest.oob_score_ <= INDISTINCT:
                break
            fakes = self._independent_in_leaves(random)
        self._boxes = [
            _boxes(tree, self._low, self._high, np.unique(self._leaves[:, at]))
            for at, tree in enumerate(self._trees)
        ]

    def draw(self, count: int, seed: int) -> Matrix:
        """Return (count, d) new rows, each from one leaf of one tree."""
        random = np.random.default_rng(seed)
        made = np.empty((count, self._matrix.shape[1]))
        trees = random.integers(len(self._trees), size=count)
        # A leaf is drawn as often as rows lie in it: by the leaf of a row drawn at random.
        leaves = self._leaves[random.integers(len(self._matrix), size=count), trees]
        places = np.column_stack([trees, leaves])
        for tree, leaf in np.unique(places, axis=0).tolist():
            rows = np.flatnonzero((trees == tree) & (leaves == leaf))
            inside = self._matrix[self._leaves[:, tree] == leaf]
            low, high = self._boxes[tree][leaf]
            for at in range(made.shape[1]):
                cells = inside[:, at]
                made[rows, at] = self._cells(cells, at, low[at], high[at], len(rows), random)
        return made

    def _cells(
        self, cells: Matrix, at: int, low: float, high: float, count: int, random: Any
    ) -> Matrix:
        drawn = random.choice(cells, size=count)
        if self._categorical[at]:
            return np.asarray(drawn)
        held = cells[~np.isnan(cells)]
        if len(held) == 0 or np.ptp(held) == 0:
            return np.asarray(drawn)
        new = _truncated_normal(held, low, high, count, random)
        return np.where(np.isnan(drawn), np.nan, new)

    def _independent_in_leaves(self, random: np.random.Generator) -> Matrix:
        """Return fakes: for each row, cells of its leaf's rows in one tree, each on its own."""
        n, d = self._matrix.shape
        fakes = np.empty((n, d))
        trees = random.integers(len(self._trees), size=n)
        rows = random.integers(n, size=n)
        for place, (tree, row) in enumerate(np.column_stack([trees, rows]).tolist()):
            mates = np.flatnonzero(self._leaves[:, tree] == self._leaves[row, tree])
            fakes[place] = self._matrix[random.choice(mates, size=d), np.arange(d)]
        return fakes


def _told_apart(matrix: Matrix, fakes: Matrix, seed: int) -> Any:
    """Return a forest that was taught to tell rows from fakes."""
    import warnings

    from sklearn.ensemble import RandomForestClassifier

    forest = RandomForestClassifier(
        TREES, min_samples_leaf=LEAST_IN_LEAF, oob_score=True, random_state=seed
    )
    truth = np.repeat([1, 0], [len(matrix), len(fakes)])
    with warnings.catch_warnings():
        # With few rows some are in every tree's bag; they do not count for the score then.
        warnings.filterwarnings("ignore", message="Some inputs do not have OOB scores")
        warnings.filterwarnings("ignore", category=RuntimeWarning, message="invalid value")
        return forest.fit(np.vstack([matrix, fakes]), truth)


def _boxes(
    tree: Any, low: Matrix, high: Matrix, wanted: NDArray[np.int64]
) -> dict[int, tuple[Matrix, Matrix]]:
    """Return the edges of each wanted leaf, within the edges of the data."""
    found = {}
    kept = set(wanted.tolist())
    waiting = [(0, low, high)]
    while waiting:
        node, below, above = waiting.pop()
        left, right = tree.children_left[node], tree.children_right[node]
        if left == right:
            if node in kept:
                found[node] = (below, above)
            continue
        at, threshold = tree.feature[node], tree.threshold[node]
        upper, lower = above.copy(), below.copy()
        upper[at], lower[at] = min(above[at], threshold), max(below[at], threshold)
        waiting += [(left, below, upper), (right, lower, above)]
    return found


def _truncated_normal(
    held: Matrix, low: float, high: float, count: int, random: np.random.Generator
) -> Matrix:
    from scipy.special import ndtr, ndtri

    middle, spread = float(held.mean()), max(float(held.std(ddof=1)), NARROWEST)
    # Rows with an empty cell went left or right without regard to the threshold.
    low, high = min(low, float(held.min())), max(high, float(held.max()))
    first, last = ndtr((low - middle) / spread), ndtr((high - middle) / spread)
    drawn = middle + spread * ndtri(first + random.random(count) * (last - first))
    return np.asarray(np.clip(drawn, low, high))


def _edges(column: Matrix) -> tuple[float, float]:
    held = column[~np.isnan(column)]
    return (float(held.min()), float(held.max())) if len(held) else (0.0, 0.0)
