"""How near rows lie to each other: Gower's distance for tables, cosine for texts."""

from __future__ import annotations

from typing import Any

import numpy as np
import polars as pl
from numpy.typing import NDArray

from assay.synth.tabular.encoding import Encoding
from assay.task import Task

Floats = NDArray[np.float64]
PORTION = 256


class Distances:
    """Distances between rows, in [0, 1], on scales learned from real rows.

    A number counts its difference as a share of the column's range, a word or an empty cell 0
    where equal and 1 where not; the mean over the columns (Gower 1971). A text: 1 minus the
    cosine of TF-IDF vectors of words.

    Parameters
    ----------
    real
        The rows that set the scales.
    columns
        The columns that count; by default all inputs.
    """

    def __init__(
        self, real: pl.DataFrame, task: Task, columns: tuple[str, ...] | None = None
    ) -> None:
        names = list(task.inputs if columns is None else columns)
        self._text = task.text if task.text in names else None
        if self._text is not None:
            from sklearn.feature_extraction.text import TfidfVectorizer

            self._words = TfidfVectorizer()
            self._words.fit([*_texts(real, self._text), "none"])  # never without a word
            return
        self._encoding = Encoding(real, names)
        matrix = self._encoding.encode(real)
        low, high = np.nanmin(_or_zero(matrix), axis=0), np.nanmax(_or_zero(matrix), axis=0)
        self._range = np.where(high > low, high - low, 1.0)

    def to_nearest(
        self, rows: pl.DataFrame, others: pl.DataFrame, *, themselves: bool = False
    ) -> tuple[Floats, NDArray[np.intp]]:
        """Return each row's distance to its nearest of ``others``, and that one's position.

        Parameters
        ----------
        themselves
            Whether ``others`` are the same rows in the same order: no row is its own nearest.
        """
        near, at = self.nearest(rows, others, 1, themselves=themselves)
        return near[:, 0], at[:, 0]

    def nearest(
        self, rows: pl.DataFrame, others: pl.DataFrame, count: int, *, themselves: bool = False
    ) -> tuple[Floats, NDArray[np.intp]]:
        """Return (n, count) distances and positions of the nearest ``others``, in order."""
        one, two = self._encoded(rows), self._encoded(others)
        count = min(count, others.height - themselves)
        near = np.empty((rows.height, count))
        places = np.empty((rows.height, count), dtype=np.intp)
        for begin in range(0, rows.height, PORTION):
            part = slice(begin, begin + PORTION)
            apart = self._apart(one[part], two)
            if themselves:
                own = np.arange(len(apart))
                apart[own, begin + own] = np.inf
            order = np.argsort(apart, axis=1, kind="stable")[:, :count]
            near[part], places[part] = np.take_along_axis(apart, order, axis=1), order
        return near, places

    def _encoded(self, rows: pl.DataFrame) -> Any:
        if self._text is not None:
            return self._words.transform(_texts(rows, self._text))
        return self._encoding.encode(rows)

    def _apart(self, one: Any, two: Any) -> Floats:
        if self._text is not None:
            return np.clip(1.0 - np.asarray((one @ two.T).todense()), 0.0, 1.0)
        total = np.zeros((len(one), len(two)))
        for at, is_category in enumerate(self._encoding.categorical):
            a, b = one[:, at, None], two[None, :, at]
            if is_category:
                cell = (a != b).astype(np.float64)
            else:
                cell = np.minimum(np.abs(a - b) / self._range[at], 1.0)
            neither = np.isnan(a) & np.isnan(b)
            total += np.where(neither, 0.0, np.where(np.isnan(a) | np.isnan(b), 1.0, cell))
        return np.asarray(total / one.shape[1])


def _texts(rows: pl.DataFrame, column: str) -> list[str]:
    return rows[column].fill_null("").to_list()


def _or_zero(matrix: Floats) -> Floats:
    """Return the matrix with zeros in columns that are empty throughout."""
    empty = np.isnan(matrix).all(axis=0)
    return np.where(empty, 0.0, matrix)
