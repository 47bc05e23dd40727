"""Points between a row and one of its neighbours of the same class (Chawla et al. 2002).

Through imbalanced-learn: SMOTE for numbers, SMOTENC for numbers and categories, SMOTEN for
categories alone.
"""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from assay.errors import MissingExtraError
from assay.synth.tabular.encoding import Matrix

NEIGHBOURS = 5


class Smote:
    """Draws rows between the rows of one class.

    Parameters
    ----------
    matrix
        (n, d) numbers of the class's rows, NaN where empty; at least two rows.
    categorical
        (d,) whether a column holds category codes.

    Raises
    ------
    MissingExtraError
        Without imbalanced-learn.
    """

    def __init__(self, matrix: Matrix, categorical: NDArray[np.bool_]) -> None:
        self._matrix = matrix
        self._categorical = categorical
        self._filled = np.column_stack(
            [_filled(column, is_category=bool(c)) for column, c in zip(matrix.T, categorical,
                                                                    strict=True)]
        )  # fmt: skip
        spread = self._filled.std(axis=0)
        self._scale = np.where(categorical | (spread == 0), 1.0, spread)

    def draw(self, count: int, seed: int) -> Matrix:
        """Return (count, d) new rows; a cell is empty where it is in the nearest real row."""
        n = len(self._filled)
        scaled = self._filled / self._scale
        # imbalanced-learn needs a second class; its rows are not read.
        table = np.vstack([scaled, np.zeros((1, scaled.shape[1]))])
        labels = np.repeat([1, 0], [n, 1])
        sampler = self._sampler({0: 1, 1: n + count}, min(NEIGHBOURS, n - 1), seed)
        made = np.asarray(sampler.fit_resample(table, labels)[0][n + 1 :], dtype=np.float64)
        made = made * self._scale
        nearest = nearest_rows(made / self._scale, scaled, self._categorical)
        return np.where(np.isnan(self._matrix[nearest]), np.nan, made)

    def _sampler(self, wanted: dict[int, int], neighbours: int, seed: int) -> Any:
        try:
            from imblearn.over_sampling import SMOTE, SMOTEN, SMOTENC
        except ImportError:
            raise MissingExtraError("SMOTE (imbalanced-learn)", "synth") from None
        shared = {
            "sampling_strategy": wanted,
            "k_neighbors": neighbours,
            "random_state": seed % 2**32,
        }
        if self._categorical.all():
            return SMOTEN(**shared)
        if self._categorical.any():
            return SMOTENC(
                categorical_features=np.flatnonzero(self._categorical).tolist(), **shared
            )
        return SMOTE(**shared)


def nearest_rows(made: Matrix, real: Matrix, categorical: NDArray[np.bool_]) -> NDArray[np.intp]:
    """Return (m,) the position of each made row's nearest real row.

    Numbers are taken as scaled already; two different categories lie a distance of 1 apart.
    """
    nearest = np.empty(len(made), dtype=np.intp)
    for at, row in enumerate(made):
        apart = np.where(categorical, real != row, real - row)
        nearest[at] = np.argmin((apart.astype(np.float64) ** 2).sum(axis=1))
    return nearest


def _filled(column: Matrix, *, is_category: bool) -> Matrix:
    """Return the column with its middle, or its most frequent code, in empty cells."""
    empty = np.isnan(column)
    if empty.all():
        return np.zeros(len(column))
    held = column[~empty]
    usual = np.bincount(held.astype(int)).argmax() if is_category else np.median(held)
    return np.where(empty, usual, column)
