"""How frequent the classes are where no gold says so, from the votes and a student of them.

What a model says too often cannot be told from what there is much of by its votes alone: batch
calibration takes the classes for equally frequent. A student that has not learned from a row sees
it another way. Shares, votes and student are fitted in turn, as expectation maximisation adjusts a
classifier to new class shares (Saerens et al. 2002): the chances of the rows give the shares; rows
count so that all classes count alike, and what is said too often is measured on these; the student
learns from confident rows, of each class in proportion to its share. Where votes and student do not
agree clearly more often for it, classes stay equally frequent.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from assay.label.single.scores import Codes, Scores, logs, softmax
from assay.label.single.student import Student, lesson
from assay.label.spec import Step

ROUNDS = 7
TRUSTED = 0.9
"""How far the shares go from equal ones towards those that the rows' chances give."""
MOST = 10.0
"""A row counts at most so many times what it would, and at least one such part."""
RISE, ERRORS = 0.03, 3.0
"""Votes and student must agree on so many more of the rows, and on so many standard errors more:
less comes with equal classes."""
FEWEST = 60
"""Rows a class, below which the shares of classes are told too badly."""
NAMED = 3
SHARPNESS = 2.0
"""Under which summed scores are chances."""
CLASS_SHARES = "class shares"
TAKEN = "taken as equal; there is no gold, and"
EVEN = Step(CLASS_SHARES, False, f"{TAKEN} nothing shows that the votes err for it")
UNTOLD = Step(CLASS_SHARES, False, f"{TAKEN} {FEWEST} rows a class are needed to estimate them")


@dataclass(frozen=True, eq=False)
class Frequencies:
    """Estimated class shares, and what they make of votes and student.

    Attributes
    ----------
    shares
        (k,), adding up to 1.
    level
        (k,) to add to the sum of the annotators' scores.
    student
        Taught under these shares.
    agree, before
        (n,) whether votes and student agree on a row, and whether they do under equal shares.
    """

    shares: Scores
    level: Scores
    student: Student
    agree: NDArray[np.bool_]
    before: NDArray[np.bool_]

    @property
    def agreed(self) -> float:
        """Share of the rows on which votes and student agree."""
        return float(self.agree.mean())

    @property
    def used(self) -> bool:
        """Whether votes and student agree clearly more often than under equal shares."""
        more = self.agree.astype(np.float64) - self.before
        error = more.std() / np.sqrt(len(more))
        return bool(more.mean() >= max(RISE, ERRORS * error))

    def step(self, names: Sequence[str]) -> Step:
        """Return the step as it is told."""
        told = f"{self.agreed:.0%} of the rows, {self.before.mean():.0%} with equal shares"
        largest = ", ".join(f"{names[code]} {self.shares[code]:.0%}"
                            for code in np.argsort(-self.shares)[:NAMED])  # fmt: skip
        why = f"estimated, as gold does not tell: {largest}; votes and student agree on {told}"
        return Step(CLASS_SHARES, True, why)


def frequencies_of(
    votes: Scores, ruled: Scores, embeddings: Scores, parts: Codes, student: Student
) -> Frequencies | None:
    """Return the class shares that votes and student agree on; None where rows are too few.

    Parameters
    ----------
    votes
        (n, k) the sum of the annotators' scores.
    ruled
        (n, k) the sum of the scores of the user's rules, which say nothing too often.
    embeddings
        (n, d).
    parts
        (n,) as from :func:`~assay.label.single.student.parts_of`.
    student
        Taught by these votes under equal shares.
    """
    rows, classes = votes.shape
    if rows < FEWEST * classes:
        return None
    shares, counts = np.full(classes, 1.0 / classes), np.ones(rows)
    found: Frequencies | None = None
    for _ in range(ROUNDS):
        level = -np.average(votes, axis=0, weights=counts)
        said = votes + level + ruled
        taught = lesson(said + student.weight * student.scores(embeddings, parts),
                        embeddings, parts, shares=shares, counts=counts)  # fmt: skip
        if taught is None:
            return None
        student, prior = taught, logs(shares[None])[0] / SHARPNESS
        learned = student.scores(embeddings, parts)
        agree = (said + prior).argmax(axis=1) == (learned + prior).argmax(axis=1)
        before = agree if found is None else found.before
        found = Frequencies(shares, level + prior, student, agree, before)
        chances = softmax(SHARPNESS * (said + prior + student.weight * learned))
        shares = TRUSTED * chances.mean(axis=0) + (1 - TRUSTED) / classes
        counts = np.clip((chances / (classes * shares)).sum(axis=1), 1 / MOST, MOST)
    return found
