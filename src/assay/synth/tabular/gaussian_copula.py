"""A Gaussian copula: the columns' own distributions, tied by their rank correlations.

Each column becomes normal scores by its ranks; a category takes a random place within the share
of the ranks that it covers (the distributional transform; Rüschendorf 2009). Whether a cell is
empty is one more column. New scores are drawn with the same correlations and turned back by the
empirical quantiles.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from assay.synth.tabular.encoding import Matrix

LEAST_EIGENVALUE = 1e-6
EDGE = 1e-9


class GaussianCopula:
    """Learns from an encoded matrix, then draws rows like it.

    Parameters
    ----------
    matrix
        (n, d) numbers, NaN where empty; at least two rows.
    categorical
        (d,) whether a column holds category codes.
    """

    def __init__(self, matrix: Matrix, categorical: NDArray[np.bool_], seed: int) -> None:
        random = np.random.default_rng(seed)
        self._categorical = categorical
        self._seen = [np.sort(column[~np.isnan(column)]) for column in matrix.T]
        empty = np.isnan(matrix)
        self._gaps = np.flatnonzero(empty.any(axis=0) & ~empty.all(axis=0))
        self._empty_share = empty.mean(axis=0)
        scores = [_scores(column, random) for column in matrix.T]
        scores += [_scores(empty[:, at].astype(float), random) for at in self._gaps]
        self._root = _root(_correlations(np.column_stack(scores)))

    def draw(self, count: int, seed: int) -> Matrix:
        """Return (count, d) new rows."""
        from scipy.special import ndtr

        random = np.random.default_rng(seed)
        shares = ndtr(random.standard_normal((count, len(self._root))) @ self._root.T)
        made = np.column_stack([self._quantile(at, shares[:, at]) for at in range(self._width)])
        for place, at in enumerate(self._gaps):
            made[shares[:, self._width + place] > 1 - self._empty_share[at], at] = np.nan
        return made

    @property
    def _width(self) -> int:
        return len(self._seen)

    def _quantile(self, at: int, shares: Matrix) -> Matrix:
        seen = self._seen[at]
        if len(seen) == 0:
            return np.full(len(shares), np.nan)
        if self._categorical[at]:
            places = np.minimum((shares * len(seen)).astype(int), len(seen) - 1)
            return np.asarray(seen[places])
        middles = (np.arange(len(seen)) + 0.5) / len(seen)
        return np.asarray(np.interp(shares, middles, seen))


def _scores(column: Matrix, random: np.random.Generator) -> Matrix:
    """Return normal scores; equal values lie at random places of the ranks they share."""
    from scipy.special import ndtri

    held = ~np.isnan(column)
    values = column[held]
    scores = np.full(len(column), np.nan)
    if len(values) == 0:
        return scores
    ordered = np.sort(values)
    begin = np.searchsorted(ordered, values, side="left") / len(values)
    end = np.searchsorted(ordered, values, side="right") / len(values)
    shares = begin + random.random(len(values)) * (end - begin)
    scores[held] = ndtri(np.clip(shares, EDGE, 1 - EDGE))
    return scores


def _correlations(scores: Matrix) -> Matrix:
    """Return rank correlations over the rows where both are there, as normal correlations."""
    from scipy.stats import rankdata

    width = scores.shape[1]
    found = np.eye(width)
    for one in range(width):
        for two in range(one + 1, width):
            both = ~np.isnan(scores[:, one]) & ~np.isnan(scores[:, two])
            if both.sum() > 2:
                ranks = rankdata(scores[both][:, [one, two]], axis=0)
                rank_correlation = np.atleast_2d(np.corrcoef(ranks.T))[0, 1]
                found[one, two] = found[two, one] = 2 * np.sin(np.pi / 6 * rank_correlation)
    return found


def _root(correlations: Matrix) -> Matrix:
    """Return R with R R' the nearest proper correlation matrix (negative eigenvalues raised)."""
    values, vectors = np.linalg.eigh(correlations)
    root = vectors * np.sqrt(np.maximum(values, LEAST_EIGENVALUE))
    return np.asarray(root / np.linalg.norm(root, axis=1, keepdims=True))
