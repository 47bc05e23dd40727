"""Annotators for one class a row, with what gold and the rows themselves taught about them."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING

import numpy as np

from assay.label.asking import Asker
from assay.label.single.annotators import Annotator
from assay.label.single.scores import Codes, Scores, softmax
from assay.label.single.student import Student, parts_of
from assay.label.single.weighing import Weights
from assay.label.spec import COMBINED, Answers, Checked, LabelSettings, Step
from assay.label.task import LabelTask
from assay.llm import Gateway

if TYPE_CHECKING:
    from assay.label.single.tuned import TunedStudent


TUNED = "fine-tuned student"


@dataclass(frozen=True, eq=False)
class Votes:
    """What the annotators say of n rows.

    Attributes
    ----------
    names
        The annotators, then the students.
    scores
        (a, n, k).
    embeddings
        (n, d), centred.
    counts
        How much each annotator counts where no gold says so.
    why
        The reason of each row that an annotator could not answer.
    """

    names: tuple[str, ...]
    scores: Scores
    embeddings: Scores
    counts: tuple[float, ...]
    why: dict[int, str] = field(default_factory=dict)

    def __len__(self) -> int:
        return len(self.embeddings)

    def only(self, rows: Codes) -> Votes:
        """Return the votes on some rows."""
        return replace(self, scores=self.scores[:, rows], embeddings=self.embeddings[rows], why={})

    def upto(self, count: int) -> Votes:
        """Return the votes of the first annotators."""
        return replace(self, names=self.names[:count], scores=self.scores[:count],
                       counts=self.counts[:count])  # fmt: skip

    def beside(self, name: str, scores: Scores) -> Votes:
        """Return these votes and those of one more annotator."""
        return replace(self, names=(*self.names, name), counts=(*self.counts, 1.0),
                       scores=np.concatenate([self.scores, scores[None]]))  # fmt: skip


@dataclass(frozen=True, eq=False)
class FittedSingle:
    """Annotators whose weights are known; see :class:`assay.label.kinds.Fitted`.

    Attributes
    ----------
    annotators
        Settled.
    centre
        (d,) mean embedding of the rows that were fitted on.
    student, weights
        None where there was too little to learn from.
    tuned
        The fine-tuned student; None where it was not wanted, or gold shows that it harms.
    temperature
        Factor before the softmax.
    """

    task: LabelTask
    settings: LabelSettings
    annotators: tuple[Annotator, ...]
    centre: Scores
    student: Student | None
    weights: Weights | None
    temperature: float
    checked: Checked | None
    steps: tuple[Step, ...]
    tuned: TunedStudent | None = None

    def answer(self, texts: Sequence[str], gateway: Gateway) -> Answers:
        """Answer rows."""
        votes = self.votes(texts, gateway)
        shares = softmax(self.temperature * total(votes, self.weights))
        found = np.asarray(np.isfinite(shares).all(axis=1))
        best = np.where(found, np.nan_to_num(shares).argmax(axis=1), -1)
        names = self.task.class_names
        labels = [None if code < 0 else names[code] for code in best]
        why = {row: votes.why.get(row, "an annotator did not answer")
               for row in np.flatnonzero(~found).tolist()}  # fmt: skip
        told = {name: softmax(each) for name, each in zip(votes.names, votes.scores, strict=True)}
        flags = Asker(self.task, gateway, self.settings).cut_flags(texts)
        return Answers(labels, shares.max(axis=1), why, {**told, COMBINED: shares}, flags)

    def votes(self, texts: Sequence[str], gateway: Gateway) -> Votes:
        """Return what each annotator says of rows."""
        why: dict[int, str] = {}
        scores = []
        for annotator in self.annotators:
            raw, failed = annotator.ask(texts, gateway)
            scores.append(annotator.scores(raw))
            why.update(failed)
        plain = embedded(texts, self.task, self.settings, gateway)
        return self.votes_of(texts, scores, plain, why)

    def votes_of(
        self, texts: Sequence[str], scores: Sequence[Scores], plain: Scores, why: dict[int, str]
    ) -> Votes:
        """Return the votes of annotators that have spoken, and of the student.

        Parameters
        ----------
        scores
            (n, k) of each annotator.
        plain
            (n, d) embeddings.
        why
            The reason of each row that an annotator could not answer.
        """
        scores = list(scores)
        names = [each.name for each in self.annotators]
        counts = [1.0] * len(names)
        if self.student is not None:
            scores.append(self.student.scores(plain, parts_of(texts)))
            names.append("student")
            counts.append(self.student.weight)
        if self.tuned is not None:
            scores.append(self.tuned.scores(texts))
            names.append(TUNED)
            counts.append(1.0)
        stacked = (
            np.stack(scores) if len(texts) else np.empty((len(scores), 0, len(self.task.classes)))
        )
        return Votes(tuple(names), stacked, plain - self.centre, tuple(counts), why)


def embedded(
    texts: Sequence[str], task: LabelTask, settings: LabelSettings, gateway: Gateway
) -> Scores:
    """Return the embeddings of rows, (n, d)."""
    return gateway.embed(settings.embed, texts, columns=task.inputs).astype(np.float64)


def total(votes: Votes, weights: Weights | None) -> Scores:
    """Return (n, k) combined scores."""
    if weights is not None:
        return weights.scores(votes.scores, votes.embeddings)
    return np.asarray(np.tensordot(np.array(votes.counts), votes.scores, axes=1))
