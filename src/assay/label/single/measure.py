"""What a step adds: held-out scores of the gold rows, with it and without."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from assay.evidence import Evidence, compare
from assay.evidence.clt import FEWEST_OF_TWO
from assay.label.single.fitted import FittedSingle, Votes, total
from assay.label.single.scores import Scores, softmax
from assay.label.single.truth import Truth
from assay.label.single.weighing import learned, temperature
from assay.label.spec import LabelSettings, Step
from assay.seeds import derive_seed

Mask = NDArray[np.bool_]

ALPHA = 0.05
FEWEST_GOLD = 20
"""Below this many gold rows nothing is learned from them: they only measure."""


def folds_of(truth: Truth, settings: LabelSettings) -> Iterator[tuple[Mask, Mask, Truth]]:
    """Yield, for each fold, the rows that teach and those that it holds out, (m,) each.

    Beside them the truth of those that teach. Each class is spread over all folds.
    """
    codes = truth.codes
    random = np.random.default_rng(derive_seed(settings.seed, "gold folds"))
    count = min(settings.folds, len(codes))
    order = random.permutation(len(codes))
    by_class = order[np.argsort(codes[order], kind="stable")]
    folds = np.empty(len(codes), dtype=np.intp)
    folds[by_class] = np.arange(len(codes)) % count
    for fold in range(folds.max() + 1):
        train = folds != fold
        yield train, ~train, truth.only(train)


def enough(truth: Truth) -> bool:
    """Whether there is anything to learn weights from."""
    return len(truth) >= FEWEST_GOLD and truth.several


def held_out(votes: Votes, truth: Truth, settings: LabelSettings) -> Scores:
    """Return (m, k) scores of the gold rows, each by weights learned on the other folds."""
    scores = np.empty(votes.scores.shape[1:])
    for train, test, known in folds_of(truth, settings):
        weights = learned(
            votes.scores[:, train], votes.embeddings[train], known.codes, known.teaching
        )
        scores[test] = weights.scores(votes.scores[:, test], votes.embeddings[test])
    return scores


def right(scores: Scores, truth: Truth) -> float:
    """Return the share of rows whose largest score is that of their class."""
    return float(np.average(scores.argmax(axis=1) == truth.codes, weights=truth.measuring))


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
    votes: Votes, name: str, scores: Scores, truth: Truth, fitted: FittedSingle
) -> Gain | None:
    """Measure one more annotator, whose scores of the gold rows are given, beside the others.

    None where one of two classes has too few checked rows to tell.
    """
    wider = votes.beside(name, scores)
    fine = np.flatnonzero(np.isfinite(wider.scores).all(axis=(0, 2)))
    truth = truth.only(fine)
    classes = len(fitted.task.class_names)
    if classes == 2 and np.bincount(truth.codes[truth.drawn], minlength=2).min() < FEWEST_OF_TWO:
        return None
    before, after = (held_out(each.only(fine), truth, fitted.settings) for each in (votes, wider))
    return gained(before, after, scores[fine], truth, fitted.task.class_names)


def gained(
    before: Scores, after: Scores, alone: Scores, truth: Truth, names: Sequence[str]
) -> Gain:
    """Return the gain of held-out scores over others, on the rows that measure."""
    drawn = truth.drawn
    evidence = compare(
        [names[code] for code in truth.codes[drawn]],
        _scaled(before, truth)[drawn],
        _scaled(after, truth)[drawn],
        metric="log_loss",
        classes=names,
        weights=truth.only(drawn).measuring,
    )
    return Gain(evidence, *(right(each, truth) for each in (before, after, alone)))


def _scaled(scores: Scores, truth: Truth) -> Scores:
    """Return probabilities that are as sure as the rows that measure are right."""
    return softmax(temperature(scores, truth.codes, truth.measuring) * scores)


def measured(votes: Votes, truth: Truth, settings: LabelSettings) -> tuple[Step, ...]:
    """Return for each annotator how it fares alone, and with those before it, held out."""
    steps = []
    for count, name in enumerate(votes.names, start=1):
        some = votes.upto(count)
        alone = right(votes.scores[count - 1], truth)
        scores = held_out(some, truth, settings) if enough(truth) else total(some, None)
        steps.append(Step(name, True, "always", right(scores, truth), alone))
    return tuple(steps)


def joined(
    votes: Votes, truth: Truth, settings: LabelSettings, tried: list[Step]
) -> tuple[Step, ...]:
    """Return what ran, and why where that was tried, and then what was tried and left out."""
    kept = {each.name: each.why for each in tried if each.used}
    ran = [
        replace(each, why=kept.get(each.name, each.why))
        for each in measured(votes, truth, settings)
    ]
    return (*ran, *(each for each in tried if not each.used))


def told_unmeasured(votes: Votes) -> tuple[Step, ...]:
    """Return the steps of a labelling without gold."""
    return tuple(Step(name, True, "always; no gold to measure it on") for name in votes.names)
