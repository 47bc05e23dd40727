"""What can be told of votes without gold: how sure they are, and how frequent the classes."""

from __future__ import annotations

from dataclasses import replace

import numpy as np

from assay.label.single.annotators import RuleAnnotator
from assay.label.single.fitted import FittedSingle, Votes, total
from assay.label.single.frequencies import EVEN, FEWEST, UNTOLD, frequencies_of
from assay.label.single.measure import told_unmeasured
from assay.label.single.scores import Codes, Scores, softmax
from assay.label.single.weighing import Weights


def under_estimated_shares(fitted: FittedSingle, votes: Votes, parts: Codes) -> FittedSingle:
    """Return the annotators as they answer without gold: under class shares, where these show.

    Parameters
    ----------
    fitted, votes
        As from :func:`fit_label_free`.
    parts
        (n,) as from :func:`~assay.label.single.student.parts_of`, of its texts.
    """
    steps = told_unmeasured(votes)
    if fitted.student is None:
        return replace(fitted, temperature=agreeing(votes), steps=steps)
    plain, asked = votes.embeddings + fitted.centre, np.nan_to_num(votes.scores[:-1])
    rules = np.array([isinstance(each, RuleAnnotator) for each in fitted.annotators])
    said, ruled = asked[~rules].sum(axis=0), asked[rules].sum(axis=0)
    found = frequencies_of(said, ruled, plain, parts, fitted.student)
    if found is None or not found.used:
        why = UNTOLD if len(said) < FEWEST * said.shape[1] else EVEN
        return replace(fitted, temperature=agreeing(votes), steps=(*steps, why))
    counts = np.array([*votes.counts[:-1], found.student.weight])
    nowhere = np.zeros((plain.shape[1], votes.scores.shape[2]))
    weights = Weights(counts, found.level, nowhere)
    learned = found.student.weight * found.student.scores(plain, parts)
    return replace(
        fitted,
        student=found.student,
        weights=weights,
        temperature=_as_sure_as(said + ruled + learned + found.level, found.agreed),
        steps=(*steps, found.step(fitted.task.class_names)),
    )


def agreeing(votes: Votes) -> float:
    """Return the factor under which the mean top probability is how often votes agree.

    Where there is no gold, the agreement of the student with the votes that taught it is the
    best guess of how often both are right.
    """
    if votes.names[-1] != "student":
        return 1.0
    scores = total(votes, None)
    fine = np.isfinite(scores).all(axis=1)
    others = votes.scores[:-1].sum(axis=0)[fine].argmax(axis=1)
    agreed = float((votes.scores[-1][fine].argmax(axis=1) == others).mean())
    return _as_sure_as(scores, agreed)


def _as_sure_as(scores: Scores, agreed: float) -> float:
    """Return the factor under which the mean top probability of (n, k) scores is ``agreed``."""
    fine = np.isfinite(scores).all(axis=1)
    low, high = 1e-2, 1e2
    for _ in range(40):
        middle = float(np.sqrt(low * high))
        sure = softmax(middle * scores[fine]).max(axis=1).mean()
        low, high = (middle, high) if sure < agreed else (low, middle)
    return low
