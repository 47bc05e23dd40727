"""Labels that look wrong: confident learning on predictions that never saw the judged label.

Northcutt, Jiang and Chuang (2021), "Confident learning: estimating uncertainty in dataset
labels". Ranked here by the log of how much likelier the best other class is than the given one.
"""

from __future__ import annotations

import warnings
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from assay.recipe.threads import one_blas_thread

Shares = NDArray[np.float64]
Codes = NDArray[np.intp]

FLOOR = 1e-6
NEIGHBOURS = 20
PORTION = 1000
"""Rows whose similarities to all others are held in memory at once."""


@dataclass(frozen=True, eq=False)
class Doubts:
    """How far each of n labels is to be doubted.

    Attributes
    ----------
    suggested
        (n,) the likeliest class other than the given one.
    doubt
        (n,) log ratio of the suggested class's probability to the given one's.
    expected
        How many labels are estimated to be wrong.
    flagged
        (n,) the most doubtful labels: as many as pruning by noise rate takes, and only where
        another class is likelier than the given one.
    """

    suggested: Codes
    doubt: Shares
    expected: float
    flagged: NDArray[np.bool_]


def doubts(shares: Shares, given: Codes) -> Doubts:
    """Return how far each label is to be doubted.

    Parameters
    ----------
    shares
        (n, k) probabilities of each row's class by models that did not see its label.
    given
        (n,) codes of the labels as they are.
    """
    rows = np.arange(len(given))
    logs = np.log(np.clip(shares, FLOOR, 1.0))
    own = logs[rows, given].copy()
    logs[rows, given] = -np.inf
    suggested = logs.argmax(axis=1)
    doubt = logs[rows, suggested] - own
    joint = confident_joint(shares, given)
    ranked = np.argsort(-doubt, kind="stable")[: _pruned(shares, given, joint)]
    flagged = np.zeros(len(given), dtype=np.bool_)
    flagged[ranked] = doubt[ranked] > 0
    return Doubts(suggested, doubt, _off_diagonal(joint), flagged)


def expected_errors(shares: Shares, given: Codes, weights: Shares | None = None) -> float:
    """Return how many labels are wrong by the confident joint; ``weights`` as there."""
    return _off_diagonal(confident_joint(shares, given, weights))


def confident_joint(shares: Shares, given: Codes, weights: Shares | None = None) -> Shares:
    """Return (k, k) how many rows of a given class truly are of another, by confident rows.

    A row counts for the likeliest class among those whose probability reaches what rows of
    that class have on average; a row that reaches none counts for nothing. Rows of the matrix
    are then brought to the class counts.

    Parameters
    ----------
    weights
        (n,) how often each row counts; once by default.
    """
    n, k = shares.shape
    weights = np.ones(n) if weights is None else weights
    counts = np.bincount(given, weights, minlength=k)
    own = np.bincount(given, weights * shares[np.arange(n), given], minlength=k)
    usual = np.divide(own, counts, out=np.full(k, np.inf), where=counts > 0)
    confident = np.where(shares >= usual - FLOOR, shares, -1.0)
    sure = confident.max(axis=1) >= 0
    joint = np.zeros((k, k))
    np.add.at(joint, (given[sure], confident[sure].argmax(axis=1)), weights[sure])
    joint[joint.sum(axis=1) == 0] = np.eye(k)[joint.sum(axis=1) == 0]
    return np.asarray(joint * (counts / joint.sum(axis=1))[:, None])


def _off_diagonal(joint: Shares) -> float:
    return float(joint.sum() - np.trace(joint))


def _pruned(shares: Shares, given: Codes, joint: Shares) -> int:
    """Return how many rows pruning by noise rate takes (Northcutt et al. 2021, section 3.3).

    For each pair of classes as many rows as the joint says, the widest margins first; a row
    that two pairs claim counts once, and one whose given class is the likeliest not at all.
    """
    pruned = np.zeros(len(given), dtype=np.bool_)
    for own, other in zip(*np.nonzero(joint), strict=True):
        count = 0 if own == other else round(float(joint[own, other]))
        rows = np.flatnonzero(given == own)
        margins = shares[rows, other] - shares[rows, own]
        pruned[rows[np.argsort(-margins, kind="stable")[:count]]] = True
    return int((pruned & (shares.argmax(axis=1) != given)).sum())


def second_opinions(
    matrix: Any, given: Codes, classes: int, *, folds: int, seed: int
) -> dict[str, Shares]:
    """Return what a linear model and the nearest rows say of each row, its own label unseen.

    Parameters
    ----------
    matrix
        (n, d) numbers of the rows, dense or sparse.
    classes
        How many there are, k.
    folds
        Parts that the linear model is cross-fitted over.

    Returns
    -------
    dict
        ``linear`` and ``neighbours``: (n, k) probabilities each.
    """
    return {
        "linear": cross_fitted(matrix, given, classes, folds=folds, seed=seed),
        "neighbours": by_neighbours(matrix, given, classes),
    }


def pooled(opinions: dict[str, Shares]) -> Shares:
    """Return the normalised geometric mean of opinions, which no single one can sway far."""
    logs = sum(np.log(np.clip(each, FLOOR, 1.0)) for each in opinions.values()) / len(opinions)
    raw = np.exp(logs - np.max(logs, axis=1, keepdims=True))
    return np.asarray(raw / raw.sum(axis=1, keepdims=True))


def cross_fitted(matrix: Any, given: Codes, classes: int, *, folds: int, seed: int) -> Shares:
    """Return (n, k) out-of-fold probabilities of a logistic regression."""
    from sklearn.linear_model import LogisticRegression
    from sklearn.model_selection import StratifiedKFold

    shares = np.zeros((len(given), classes))
    splitter = StratifiedKFold(folds, shuffle=True, random_state=seed % 2**32)
    with warnings.catch_warnings(), one_blas_thread():
        # A class with fewer rows than folds is unknown in some folds: its rows are doubted.
        warnings.filterwarnings("ignore", message=".*least populated class")
        for train, test in splitter.split(np.empty((len(given), 0)), given):
            seen = np.unique(given[train])
            if len(seen) == 1:
                shares[test, seen[0]] = 1.0
                continue
            model = LogisticRegression(max_iter=500).fit(matrix[train], given[train])
            shares[np.ix_(test, model.classes_)] = model.predict_proba(matrix[test])
    return shares


def by_neighbours(matrix: Any, given: Codes, classes: int) -> Shares:
    """Return (n, k) shares of each class among the nearest other rows, smoothed by the prior."""
    from sklearn.preprocessing import normalize

    unit = normalize(matrix)
    n, count = len(given), min(NEIGHBOURS, len(given) - 1)
    prior = np.bincount(given, minlength=classes) / n
    votes = np.zeros((n, classes))
    for begin in range(0, n, PORTION):
        block = unit[begin : begin + PORTION] @ unit.T
        near = np.asarray(block.toarray() if hasattr(block, "toarray") else block)
        rows = np.arange(len(near))
        near[rows, begin + rows] = -np.inf  # a row is no witness to its own label
        top = np.argpartition(-near, count - 1, axis=1)[:, :count]
        votes[begin : begin + PORTION] = np.eye(classes)[given[top]].sum(axis=1)
    return np.asarray((votes + prior) / (count + 1))
