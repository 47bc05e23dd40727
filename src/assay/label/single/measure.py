"""What a step adds: held-out scores of the gold rows, with it and without."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from assay.evidence import Evidence, compare
from assay.evidence.clt import FEWEST_OF_TWO
from assay.label.single.fitted import FittedSingle, Votes
from assay.label.single.scores import Codes, Scores, softmax
from assay.label.single.truth import Truth
from assay.label.single.weighing import learned, temperature
from assay.label.spec import LabelSettings, Step
from assay.seeds import derive_seed

ALPHA = 0.05


def folds_of(codes: Codes, settings: LabelSettings) -> Codes:
    """Return the fold of each gold row, (m,); each class is spread over all folds."""
    random = np.random.default_rng(derive_seed(settings.seed, "gold folds"))
    count = min(settings.folds, len(codes))
    order = random.permutation(len(codes))
    by_class = order[np.argsort(codes[order], kind="stable")]
    folds = np.empty(len(codes), dtype=np.intp)
    folds[by_class] = np.arange(len(codes)) % count
    return folds


def held_out(votes: Votes, truth: Truth, settings: LabelSettings) -> Scores:
    """Return (m, k) scores of the gold rows, each by weights learned on the other folds."""
    folds = folds_of(truth.codes, settings)
    scores = np.empty(votes.scores.shape[1:])
    for fold in range(folds.max() + 1):
        train, test = folds != fold, folds == fold
        known = truth.only(train)
        weights = learned(
            votes.scores[:, train], votes.embeddings[train], known.codes, known.teaching
        )
        scores[test] = weights.scores(votes.scores[:, test], votes.embeddings[test])
    return scores


def right(scores: Scores, truth: Truth) -> float:
    """Return the share of rows whose largest score is that of their class."""
    return float(np.average(scores.argmax(axis=1) == truth.codes, weights=truth.measuring))


def scaled(scores: Scores, truth: Truth) -> Scores:
    """Return probabilities that are as sure as the rows that measure are right."""
    return softmax(temperature(scores, truth.codes, truth.measuring) * scores)


@dataclass(frozen=True)
class Gain:
    """What one more annotator adds on held-out gold.

    Attributes
    ----------
    evidence
        Gain in log-loss.
    before, after, alone
        Share of the gold rows right.
    """

    evidence: Evidence
    before: float
    after: float
    alone: float

    @property
    def kept(self) -> bool:
        """Whether the evidence shows that it helps."""
        return (self.evidence.p_value or 0.0) < ALPHA and self.evidence.estimate > 0

    def step(self, name: str) -> Step:
        """Return the step as it is told."""
        p = self.evidence.p_value
        told = f"gain in log-loss {self.evidence.estimate:+.3f}, p = {p:.2g}, n = {self.evidence.n}"
        why = f"kept: {told}" if self.kept else f"skipped, no proof that it helps: {told}"
        return Step(name, self.kept, why, self.after if self.kept else self.before, self.alone)


def gain(
    votes: Votes,
    name: str,
    scores: Scores,
    truth: Truth,
    fitted: FittedSingle,
) -> Gain | None:
    """Measure one more annotator, whose scores of the gold rows are given, beside the others.

    None where one of two classes has too few checked rows to tell.
    """
    wider = votes.beside(name, scores)
    fine = np.flatnonzero(np.isfinite(wider.scores).all(axis=(0, 2)))
    truth = truth.only(fine)
    drawn = truth.drawn
    codes = truth.codes[drawn]
    names = fitted.task.class_names
    if len(names) == 2 and np.bincount(codes, minlength=2).min() < FEWEST_OF_TWO:
        return None
    before, after = (held_out(each.only(fine), truth, fitted.settings) for each in (votes, wider))
    evidence = compare(
        [names[code] for code in codes],
        scaled(before, truth)[drawn],
        scaled(after, truth)[drawn],
        metric="log_loss",
        classes=names,
        weights=truth.only(drawn).measuring,
    )
    return Gain(evidence, right(before, truth), right(after, truth), right(scores[fine], truth))
