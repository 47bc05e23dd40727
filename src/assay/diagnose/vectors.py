"""Rows as vectors, for what is near what: embeddings, term counts, or scaled columns."""

from __future__ import annotations

import warnings
from typing import Any

import numpy as np
import polars as pl

from assay.diagnose.case import DIMENSIONS, Case
from assay.seeds import derive_seed
from assay.tables import WORDS
from assay.tables.counts import value_counts

LEVELS = 20


def vectors(case: Case) -> np.ndarray:
    """Return (n, d) float64 vectors of the rows' inputs.

    Texts are counted in terms (TF-IDF) and brought to 50 dimensions. Of a table numbers are scaled
    by their ranks, words become indicators of the 20 most frequent, and an empty cell lies in the
    middle.
    """
    if case.task.text is not None and case.task.text in case.rows.columns:
        return _terms(case.texts, derive_seed(case.seed, "diagnose", "terms"))
    columns = [each for name in case.columns for each in _column(case.rows[name])]
    return np.column_stack(columns) if columns else np.zeros((case.n, 1))


def _terms(texts: list[str], seed: int) -> np.ndarray:
    from sklearn.decomposition import TruncatedSVD
    from sklearn.feature_extraction.text import TfidfVectorizer

    try:
        counts: Any = TfidfVectorizer(sublinear_tf=True, max_features=20_000).fit_transform(texts)
    except ValueError:  # no text holds a word
        return np.zeros((len(texts), 1))
    dimensions = min(DIMENSIONS, counts.shape[1] - 1, len(texts) - 1)
    if dimensions < 1:
        return np.asarray(counts.toarray(), dtype=np.float64)
    with warnings.catch_warnings():
        warnings.filterwarnings("ignore", category=RuntimeWarning)  # texts that are all alike
        reduced = TruncatedSVD(dimensions, random_state=seed % 2**32).fit_transform(counts)
    return np.asarray(reduced, dtype=np.float64)


def _column(values: pl.Series) -> list[np.ndarray]:
    if values.dtype.is_numeric() or values.dtype == pl.Boolean:
        ranks = values.cast(pl.Float64).rank().to_numpy()
        scaled = (ranks / max(values.len(), 1) - 0.5) * np.sqrt(12)
        return [np.where(np.isfinite(scaled), scaled, 0.0)]
    if values.dtype not in WORDS:
        return []
    words = values.cast(pl.String)
    counts = value_counts(words.drop_nulls())
    if counts.height > max(LEVELS, values.len() // LEVELS):
        return []
    return [
        (words == each).fill_null(False).to_numpy().astype(np.float64)
        for each in counts[:, 0].head(LEVELS).to_list()
    ]
