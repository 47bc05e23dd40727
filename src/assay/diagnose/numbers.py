"""Rows as numbers, column by column, as one part of the rows knew them."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
import polars as pl

from assay.diagnose.case import Case, Floats
from assay.tables.counts import value_counts

WORDS = 256
"""Columns that the words of a text are counted in, by their hash."""


@dataclass(frozen=True, eq=False)
class Numbers:
    """Encodes rows of any part as ``known`` has them.

    A gap in numbers lies at the known median; a word becomes its share among the known rows, and
    with ``codes`` a number of its own as well. The words of a text are counted.
    """

    known: Case
    codes: bool = False

    def of(self, case: Case) -> Floats:
        """Return (n, d); d is 0 where no column can be compared."""
        if case.task.text is not None and case.task.text in case.rows.columns:
            return counted(case.texts, WORDS)
        columns = [
            each for name in self.known.columns for each in self._column(name)(case.rows[name])
        ]
        return np.column_stack(columns) if columns else np.empty((case.n, 0))

    def _column(self, name: str) -> Callable[[pl.Series], list[Floats]]:
        before = self.known.rows[name]
        if before.dtype.is_numeric() or before.dtype == pl.Boolean:
            known = before.cast(pl.Float64).to_numpy()
            known = known[np.isfinite(known)]
            middle = float(np.median(known)) if len(known) else 0.0
            return lambda values: [_filled(values, middle)]
        shares = value_counts(before.cast(pl.String).fill_null(""))
        count = max(self.known.n, 1)
        share = {word: number / count for word, number in shares.iter_rows()}
        code = {word: float(place) for place, word in enumerate(share)}

        def encoded(values: pl.Series) -> list[Floats]:
            words = values.cast(pl.String).fill_null("").to_list()
            found = [np.array([share.get(each, 0.0) for each in words])]
            if self.codes:
                found.append(np.array([code.get(each, -1.0) for each in words]))
            return found

        return encoded


def _filled(values: pl.Series, middle: float) -> Floats:
    numbers = values.cast(pl.Float64, strict=False).fill_null(float("nan")).to_numpy()
    return np.where(np.isfinite(numbers), numbers, middle)


def counted(texts: list[str], columns: int) -> Floats:
    """Return (n, columns): how often each text holds the words of a hash."""
    from sklearn.feature_extraction.text import HashingVectorizer

    counts: Floats = HashingVectorizer(n_features=columns).transform(texts).toarray()
    return counts
