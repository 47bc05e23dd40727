"""From votes on yes/no questions to answers: the part that the kinds of task share."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, Protocol

import numpy as np
from numpy.typing import NDArray

from assay.label.questions import Questions, Scale, held_out, taught, untaught
from assay.label.spec import (
    CHANCES,
    COMBINED,
    UNANSWERED,
    Answers,
    Checked,
    Gold,
    LabelSettings,
    Step,
)
from assay.label.voting import Calibration, Floats, Logistic, fit_calibration
from assay.tables.rows import ROW_ID

VECTORS = "vectors"
"""The vote that gold teaches about the rows' vectors."""


@dataclass(frozen=True, eq=False)
class Votes:
    """What annotators that saw no label say of n rows.

    Attributes
    ----------
    each
        (n, k, d) log-odds by question and annotator, as they came; NaN where there is no answer.
    vectors
        (n, dim), from which gold may teach one more vote.
    why
        The reason of each row without an answer.
    names
        What the d annotators are called.
    ruled
        How many of the last annotators are the user's rules, which mean what they say: their
        log-odds are not put on the scale of the others, and 0 abstains.
    """

    each: Floats
    vectors: Floats
    why: dict[int, str]
    names: tuple[str, ...]
    ruled: int = 0

    @property
    def usable(self) -> NDArray[np.bool_]:
        """(n,) whether every annotator answered."""
        return np.asarray(np.isfinite(self.each).all(axis=(1, 2)))


class Shape(Protocol):
    """What a kind of task makes of its yes/no questions."""

    @property
    def alike(self) -> bool:
        """Whether all questions share their weights."""
        ...

    def decide(self, chances: Floats) -> tuple[list[Any], Floats]:
        """Return the answer and its raw probability, (n,), from (n, k) chances of yes."""
        ...

    def truth(self, labels: list[Any]) -> NDArray[np.bool_]:
        """Return the (m, k) right answers of gold labels."""
        ...

    def by_class(self, chances: Floats) -> Floats:
        """Return the (n, classes) probabilities that (n, k) chances of yes give the classes."""
        ...


@dataclass(frozen=True, eq=False)
class Learned:
    """Votes with known weights.

    Attributes
    ----------
    shape
        What answers are made of.
    scale, questions, calibration
        What was learned.
    checked
        How the gold rows fared, held out; None without gold.
    steps
        What ran, and what it added.
    """

    shape: Shape
    scale: Scale
    questions: Questions
    calibration: Calibration
    checked: Checked | None
    steps: tuple[Step, ...]

    def chances(self, votes: Votes) -> Floats:
        """Return (n, k) probabilities of yes; NaN where there is no answer."""
        return self.questions(self.scale(votes.each), votes.vectors)

    def answers(self, votes: Votes, flags: dict[int, str]) -> Answers:
        """Return the rows' answers."""
        chances = self.chances(votes)
        labels, probability = _decided(self.shape, chances)
        told = {name: self.shape.by_class(each) for name, each in self._said(votes).items()}
        combined = self.shape.by_class(chances)
        told |= (
            {CHANCES: chances} if combined is chances else {COMBINED: combined, CHANCES: chances}
        )
        return Answers(labels, self.calibration(probability), votes.why, told, flags)

    def _said(self, votes: Votes) -> dict[str, Floats]:
        """Return by annotator the (n, k) probabilities of yes."""
        alone = self.questions.alone(
            self.scale(votes.each), votes.vectors, votes.ruled, alike=self.shape.alike
        )
        names = [*votes.names, VECTORS][: alone.shape[2]]
        return {name: alone[:, :, place] for place, name in enumerate(names)}


@dataclass(frozen=True, eq=False)
class FromVotes:
    """What is the same of all annotators that put learned votes together."""

    learned: Learned

    @property
    def checked(self) -> Checked | None:
        """How the gold rows fared, held out; None without gold."""
        return self.learned.checked

    @property
    def steps(self) -> tuple[Step, ...]:
        """What ran and what each added."""
        return self.learned.steps


def learn(
    shape: Shape,
    votes: Votes,
    gold_votes: Votes | None,
    gold: Gold | None,
    settings: LabelSettings,
    centre: Callable[[Floats], tuple[Logistic, ...]] = untaught,
) -> Learned:
    """Learn how much each vote counts.

    Parameters
    ----------
    votes
        Of unlabelled rows.
    gold_votes, gold
        Of the gold rows, in their order; None without gold.
    centre
        Returns the questions' models without gold, from scaled votes.
    """
    known, ruled = votes.each[votes.usable], votes.ruled
    if gold is None or gold_votes is None:
        why = "there are no checked rows to learn weights from"
        return _untaught(shape, known, ruled, centre, Step("weights", False, why))
    usable = gold_votes.usable
    if not gold.only(np.flatnonzero(usable).tolist()).measures:
        return _untaught(shape, known, ruled, centre, UNANSWERED)
    scale = Scale.of(np.concatenate([known, gold_votes.each[usable]]), ruled)
    sample = known if len(known) else gold_votes.each[usable]
    teaching = _Teaching(
        votes=scale(gold_votes.each[usable]),
        vectors=gold_votes.vectors[usable],
        truth=shape.truth([gold.labels[row] for row in np.flatnonzero(usable)]),
        keys=[gold.texts[row] for row in np.flatnonzero(usable)],
        teaching=None if gold.teaching is None else gold.teaching[usable],
        measuring=None if gold.measuring is None else gold.measuring[usable],
        centre=_centred(centre, scale(sample), ruled),
        alike=shape.alike,
    )
    return _chosen(shape, scale, teaching, usable, gold, settings)


def _untaught(
    shape: Shape,
    known: Floats,
    ruled: int,
    centre: Callable[[Floats], tuple[Logistic, ...]],
    step: Step,
) -> Learned:
    """Return what is known without gold; ``step`` says why there is none."""
    scale = Scale.of(known, ruled)
    questions = Questions(_centred(centre, scale(known), ruled), None)
    return Learned(shape, scale, questions, Calibration(), None, (step,))


def _centred(
    centre: Callable[[Floats], tuple[Logistic, ...]], votes: Floats, ruled: int
) -> tuple[Logistic, ...]:
    """Return the questions' models without gold; the user's rules count as they stand."""
    heard = votes[:, :, : votes.shape[2] - ruled]
    return tuple(
        Logistic(np.append(each.weights, np.ones(ruled)), each.bias) for each in centre(heard)
    )


@dataclass(frozen=True, eq=False)
class _Teaching:
    votes: Floats
    vectors: Floats
    truth: NDArray[np.bool_]
    keys: list[str]
    teaching: Floats | None
    measuring: Floats | None
    centre: tuple[Logistic, ...]
    alike: bool

    def questions(self, with_vectors: bool) -> Questions:
        return taught(self.votes, self.vectors, self.truth, self.centre, weights=self.teaching,
                      alike=self.alike, with_vectors=with_vectors)  # fmt: skip

    def held_out(self, with_vectors: bool, settings: LabelSettings) -> Floats:
        return held_out(self.votes, self.vectors, self.truth, self.centre, weights=self.teaching,
                        alike=self.alike, with_vectors=with_vectors, keys=self.keys,
                        count=settings.folds, seed=settings.seed)  # fmt: skip

    def loss(self, chances: Floats) -> float:
        """Return the mean log loss of the questions."""
        inside = np.clip(chances, 1e-6, 1 - 1e-6)
        right = np.where(self.truth, inside, 1 - inside)
        return float(np.average(-np.log(right).mean(axis=1), weights=self.measuring))


def _chosen(
    shape: Shape,
    scale: Scale,
    teaching: _Teaching,
    usable: NDArray[np.bool_],
    gold: Gold,
    settings: LabelSettings,
) -> Learned:
    """Return what gold teaches, the vectors' vote kept where it lowers the held-out loss."""
    plain = Questions(teaching.centre, None)(teaching.votes, teaching.vectors)
    found = {each: teaching.held_out(each, settings) for each in (False, True)}
    loss = {each: teaching.loss(chances) for each, chances in found.items()}
    with_vectors = loss[True] < loss[False]
    questions = teaching.questions(with_vectors)
    checked, calibration = _checked(shape, found[with_vectors], usable, gold)
    right = [_accuracy(shape, chances, usable, gold) for chances in (plain, *found.values())]
    used = with_vectors and questions.ridge is not None
    why = f"held-out log loss {loss[False]:.3f} without, {loss[True]:.3f} with"
    steps = (
        Step("votes", True, "annotators that saw no label, as they stand", right[0], right[0]),
        Step("weights", True, "what gold says of each annotator", right[1]),
        Step(VECTORS, used, why, right[2]),
    )
    return Learned(shape, scale, questions, calibration, checked, steps)


def _checked(
    shape: Shape, chances: Floats, usable: NDArray[np.bool_], gold: Gold
) -> tuple[Checked, Calibration]:
    """Return how the gold rows fared, and the calibration that they ask for."""
    labels: list[Any] = [None] * len(gold)
    probability, some = np.zeros(len(gold)), np.flatnonzero(usable)
    decided, probability[usable] = _decided(shape, chances)
    for row, label in zip(some, decided, strict=True):
        labels[row] = label
    correct = np.array([label == true for label, true in zip(labels, gold.labels, strict=True)])
    measuring = None if gold.measuring is None else gold.measuring[usable]
    calibration = fit_calibration(probability[usable], correct[usable], measuring)
    probability[usable] = calibration(probability[usable])
    whole = np.full((len(gold), chances.shape[1]), np.nan)
    whole[usable] = chances
    ids = gold.rows[ROW_ID].to_list()
    return Checked(ids, gold.labels, labels, probability, correct, gold.weights,
                   {CHANCES: whole}), calibration  # fmt: skip


def _accuracy(shape: Shape, chances: Floats, usable: NDArray[np.bool_], gold: Gold) -> float:
    labels, _ = _decided(shape, chances)
    true = [gold.labels[row] for row in np.flatnonzero(usable)]
    right = np.zeros(len(gold))
    right[usable] = [label == each for label, each in zip(labels, true, strict=True)]
    return float(np.average(right, weights=gold.weights))


def _decided(shape: Shape, chances: Floats) -> tuple[list[Any], Floats]:
    """Return answers and probabilities, None and NaN in rows without an answer."""
    found = np.isfinite(chances).all(axis=1)
    some, raw = shape.decide(chances[found])
    labels: list[Any] = [None] * len(chances)
    probability = np.full(len(chances), np.nan)
    probability[found] = raw
    for row, label in zip(np.flatnonzero(found), some, strict=True):
        labels[row] = label
    return labels, probability
