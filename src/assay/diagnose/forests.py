"""Forests of the columns, as detectors teach them."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np

from assay.diagnose.case import Case
from assay.diagnose.numbers import Numbers
from assay.seeds import derive_seed

OF_A_TREE = 5_000
"""Rows that one tree is taught on, at most."""


def share_of_a_tree(n: int) -> float:
    """Return which share of ``n`` rows one tree draws."""
    return min(1.0, OF_A_TREE / n)


def forest_answers(part: Case, *, draw: str) -> Callable[[Case], np.ndarray]:
    """Return what gives (n,) classes of any case, taught on the columns and truth of ``part``.

    Parameters
    ----------
    draw
        Names the random draw of the trees.
    """
    from sklearn.ensemble import RandomForestClassifier

    encode = Numbers(part, codes=True).of
    forest = RandomForestClassifier(
        100,
        min_samples_leaf=3,
        max_samples=share_of_a_tree(part.n),
        random_state=derive_seed(part.seed, draw) % 2**32,
    ).fit(encode(part), part.truth)
    return lambda case: np.asarray(forest.predict(encode(case)), dtype=object)
