"""How different made rows are from each other."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np

MOST_ROWS = 1000
"""The Vendi score looks at so many rows; eigenvalues take time in the cube of them."""


def vendi_score(vectors: Any, *, seed: int = 0) -> float:
    """Return the effective number of different rows (Friedman and Dieng 2023).

    The exponential of the entropy of the eigenvalues of the rows' cosine similarities over n: 1
    where all rows are the same, n where none is like another.

    Parameters
    ----------
    vectors
        (n, d) embeddings, sparse or not; of more than 1,000 a random 1,000 is taken, so the score
        is at most 1,000.
    """
    from scipy.sparse import issparse
    from sklearn.preprocessing import normalize

    matrix: Any = vectors
    matrix = matrix.tocsr() if issparse(vectors) else np.asarray(vectors, dtype=np.float64)
    rows = matrix.shape[0]
    if rows == 0:
        return 0.0
    if rows > MOST_ROWS:
        matrix = matrix[np.random.default_rng(seed).choice(rows, MOST_ROWS, replace=False)]
    unit = normalize(matrix)
    # The (d, d) product has the same eigenvalues but for zeros.
    product: Any = unit.T @ unit if unit.shape[1] < unit.shape[0] else unit @ unit.T
    product = product.toarray() if hasattr(product, "toarray") else product
    values = np.linalg.eigvalsh(product / unit.shape[0])
    held = values[values > 1e-12]
    return float(np.exp(-(held * np.log(held)).sum()))


def distinct_n(texts: Sequence[str], n: int = 2) -> float:
    """Return the share of runs of ``n`` words that are different (Li et al. 2016), in [0, 1]."""
    runs: Counter[tuple[str, ...]] = Counter()
    for text in texts:
        words = text.lower().split()
        runs.update(zip(*(words[at:] for at in range(n)), strict=False))
    return len(runs) / runs.total() if runs else 0.0


def plan_coverage(planned: Mapping[str, int], kept: Mapping[str, int]) -> float:
    """Return the share of the attribute plan's cells, by their planned rows, that were filled.

    Parameters
    ----------
    planned, kept
        Rows for each cell of the plan.
    """
    wanted = sum(planned.values())
    filled = sum(min(count, kept.get(cell, 0)) for cell, count in planned.items())
    return filled / wanted if wanted else 1.0
