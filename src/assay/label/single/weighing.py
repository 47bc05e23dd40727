"""How much each annotator counts, learned from gold: a conditional logit with strong priors.

The score of class c is the sum of w_a times annotator a's score of c, plus a bias of c, plus
the embedding times a vector of c. The w are shared by all classes and drawn towards 1, biases
and vectors towards 0, so that fifty checked rows are enough to gain from and too few to harm
(the penalised form of McFadden's conditional logit, 1974).
"""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from assay.label.single.scores import TINY, Codes, Scores, evened, softmax

TOWARDS_ONE = 1.0
BIAS = 0.3
VECTOR = 0.15
MOST_STEPS = 200


@dataclass(frozen=True, eq=False)
class Weights:
    """What gold taught.

    Attributes
    ----------
    annotators
        (a,) how much each one counts.
    biases
        (k,).
    vectors
        (d, k).
    """

    annotators: Scores
    biases: Scores
    vectors: Scores

    def scores(self, votes: Scores, embeddings: Scores) -> Scores:
        """Return (n, k) scores from (a, n, k) votes and (n, d) embeddings."""
        voted = np.tensordot(self.annotators, votes, axes=1)
        return np.asarray(voted + self.biases + embeddings @ self.vectors)


def learned(
    votes: Scores, embeddings: Scores, labels: Codes, row_weights: NDArray[np.float64] | None
) -> Weights:
    """Return the weights that explain (m,) labels best under the priors.

    Parameters
    ----------
    votes
        (a, m, k) scores.
    embeddings
        (m, d), centred.
    row_weights
        (m,) how much each row counts, or None.
    """
    from scipy.optimize import minimize
    from threadpoolctl import threadpool_limits

    annotators, rows, classes = votes.shape
    basis = None
    if embeddings.shape[1] > rows:  # the best vectors lie in the span of the gold rows
        basis = np.linalg.qr(embeddings.T)[0]
        embeddings = embeddings @ basis
    size = embeddings.shape[1]
    counts = evened(row_weights, rows)
    truth = np.eye(classes)[labels]

    def loss(flat: Scores) -> tuple[float, Scores]:
        part = _parted(flat, annotators, classes, size)
        shares = softmax(part.scores(votes, embeddings))
        wrong = (shares - truth) * counts[:, None]
        off = part.annotators - 1.0
        value = -(counts * np.log(shares[np.arange(rows), labels] + TINY)).sum()
        value += TOWARDS_ONE * (off**2).sum() + BIAS * (part.biases**2).sum()
        value += VECTOR * (part.vectors**2).sum()
        slopes = (
            np.einsum("amk,mk->a", votes, wrong) + 2 * TOWARDS_ONE * off,
            wrong.sum(axis=0) + 2 * BIAS * part.biases,
            (embeddings.T @ wrong + 2 * VECTOR * part.vectors).ravel(),
        )
        return float(value), np.concatenate(slopes)

    start = np.concatenate([np.ones(annotators), np.zeros(classes + size * classes)])
    with threadpool_limits(1, user_api="blas"):  # threads wait longer for each other than they work
        found = minimize(loss, start, jac=True, method="L-BFGS-B", options={"maxiter": MOST_STEPS})
    weights = _parted(found.x, annotators, classes, size)
    return weights if basis is None else replace(weights, vectors=basis @ weights.vectors)


def _parted(flat: Scores, annotators: int, classes: int, size: int) -> Weights:
    biases = annotators + classes
    return Weights(flat[:annotators], flat[annotators:biases], flat[biases:].reshape(size, classes))


def temperature(
    scores: Scores, labels: Codes, row_weights: NDArray[np.float64] | None = None
) -> float:
    """Return the factor under which softmax(factor x scores) explains the labels best.

    Temperature scaling (Guo et al. 2017).
    """
    from scipy.optimize import minimize_scalar

    def loss(log_factor: float) -> float:
        shares = softmax(np.exp(log_factor) * scores)
        chances = shares[np.arange(len(labels)), labels]
        return float(np.average(-np.log(chances + TINY), weights=row_weights))

    found = minimize_scalar(loss, bounds=(-3.0, 3.0), method="bounded")
    return float(np.exp(found.x))
