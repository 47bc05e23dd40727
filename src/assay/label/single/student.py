"""The student: learns from the votes what the embeddings alone can tell, and so denoises them.

Self-training on class-balanced confident rows. A row is judged by the student that was not
trained on it; which that is follows from its text, so that any portion of rows, in any order,
gets the same answers.
"""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from assay.label.single.scores import (
    WEIGHT,
    Codes,
    Scores,
    agreement,
    logs,
    softmax,
    spread,
    weight_of,
)

PARTS = 3
ROUNDS = 4
SHARE = 0.5
"""Share of the rows, evenly over the classes, that count as confident."""
LOOSENESS = 3.0
FEWEST = 30
FLOOR = 1e-6


@dataclass(frozen=True, eq=False)
class Student:
    """One linear model for each part of the rows.

    Attributes
    ----------
    weights, biases
        (parts, d, k) and (parts, k).
    centre
        (k,) mean log-probability, taken off.
    size
        Spread of the log-probabilities, divided out.
    weight
        How much it counts beside the votes where no gold says so: its agreement with them
        beyond chance, squared, times two. Embeddings that cannot tell the classes apart make a
        student that disagrees.
    """

    weights: Scores
    biases: Scores
    centre: Scores
    size: float = 1.0
    weight: float = WEIGHT

    def scores(self, embeddings: Scores, parts: Codes) -> Scores:
        """Return (n, k) scores."""
        raw = self.biases[parts]
        for part, weights in enumerate(self.weights):
            rows = parts == part
            raw[rows] += np.einsum("nd,dk->nk", embeddings[rows], weights)
        said = logs(np.clip(softmax(raw), FLOOR, None)) - self.centre
        return np.asarray(said / self.size)


def parts_of(texts: Sequence[str], count: int = PARTS, cut: int = 0) -> Codes:
    """Return the part of each text, (n,), one of ``count``; another cut has other parts."""
    salt = cut.to_bytes(1)
    digests = (
        hashlib.blake2b(each.encode("utf-8", "surrogatepass"), digest_size=4, salt=salt)
        for each in texts
    )
    return np.array([int.from_bytes(each.digest()) % count for each in digests], dtype=np.intp)


def taught(votes: Scores, embeddings: Scores, parts: Codes) -> Student | None:
    """Return the student of these votes, or None where they are too few to learn from.

    Parameters
    ----------
    votes
        (n, k) scores.
    embeddings
        (n, d).
    parts
        (n,) as from :func:`parts_of`.
    """
    student: Student | None = None
    for _ in range(ROUNDS):
        said = (
            votes if student is None else votes + student.weight * student.scores(embeddings, parts)
        )
        student = lesson(said, embeddings, parts)
        if student is None:
            return None
    return student


def lesson(
    votes: Scores,
    embeddings: Scores,
    parts: Codes,
    *,
    shares: Scores | None = None,
    counts: Scores | None = None,
) -> Student | None:
    """Return the student of one round, or None where there are too few rows to learn from.

    Parameters
    ----------
    votes, embeddings, parts
        As for :func:`taught`.
    shares
        (k,) of the classes; None takes them for equally frequent.
    counts
        (n,) how much each row counts in what the student says too often.
    """
    classes, size = votes.shape[1], embeddings.shape[1]
    weights, biases = np.zeros((PARTS, size, classes)), np.zeros((PARTS, classes))
    chances = softmax(2 * votes)
    for part in range(PARTS):
        others = np.flatnonzero(parts != part)
        chosen = others[confident(chances[others], shares)]
        labels = chances[chosen].argmax(axis=1)
        if len(chosen) < FEWEST or len(set(labels.tolist())) < 2:
            return None
        weights[part], biases[part] = _linear(embeddings[chosen], labels, classes)
    student = Student(weights, biases, np.zeros(classes))
    raw = student.scores(embeddings, parts)
    centre = np.average(raw, axis=0, weights=counts)
    found = raw - centre
    weight = weight_of(agreement(found.argmax(axis=1), votes.argmax(axis=1), classes))
    return Student(weights, biases, centre, spread(found), weight)


def confident(chances: Scores, shares: Scores | None = None) -> Codes:
    """Return the rows of each class that are most surely of it, where there are as many.

    Parameters
    ----------
    chances
        (n, k).
    shares
        (k,) how the rows are shared out over the classes; None: evenly.
    """
    classes = chances.shape[1]
    labels, confidence = chances.argmax(axis=1), chances.max(axis=1)
    most = (
        SHARE * len(chances) / classes * (np.ones(classes) if shares is None else classes * shares)
    )
    chosen = []
    for code in range(classes):
        rows = np.flatnonzero(labels == code)
        best = np.argsort(-confidence[rows], kind="stable")
        chosen.append(rows[best[: max(2, int(most[code]))]])
    return np.concatenate(chosen)


def _linear(embeddings: Scores, labels: Codes, classes: int) -> tuple[Scores, Scores]:
    from sklearn.linear_model import LogisticRegression

    fitted = LogisticRegression(C=LOOSENESS, max_iter=300).fit(embeddings, labels)
    weights = np.zeros((embeddings.shape[1], classes))
    biases = np.full(classes, np.log(FLOOR))
    seen = fitted.classes_
    if len(seen) == 2:  # scikit-learn keeps one column for two classes
        weights[:, seen] = np.stack([-fitted.coef_[0], fitted.coef_[0]], axis=1) / 2
        biases[seen] = np.array([-fitted.intercept_[0], fitted.intercept_[0]]) / 2
    else:
        weights[:, seen], biases[seen] = fitted.coef_.T, fitted.intercept_
    return weights, biases
