"""How near rows lie to the words of classes: a vote, and a shortlist where classes are many."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace

import numpy as np

from assay.label.single.phrases import Phrasebook
from assay.label.single.scores import Codes, Scores, best_by_class, even, mean_said, spread
from assay.label.spec import LabelSettings
from assay.label.task import LabelTask
from assay.llm import Gateway

Why = Mapping[int, str]
MANY = 2
"""Times the length of a shortlist; with fewer classes all are listed."""


@dataclass(frozen=True, eq=False)
class SimilarityAnnotator:
    """How near a row's embedding lies to the phrases that name a class."""

    task: LabelTask
    model: str
    name: str = "similarity"
    centre: Scores = field(default_factory=lambda: np.zeros(1))
    size: float = 1.0

    def ask(self, texts: Sequence[str], gateway: Gateway) -> tuple[Scores, Why]:
        """Return the largest cosine of a row to a class's phrases."""
        book = Phrasebook(self.task.classes)
        rows = gateway.embed(self.model, texts, columns=self.task.inputs)
        named = gateway.embed(self.model, book.phrases, columns=(self.task.target,))
        cosines = (rows @ named.T).astype(np.float64)
        return best_by_class(cosines, np.array(book.owner), len(self.task.classes)), {}

    def settled(self, raw: Scores) -> SimilarityAnnotator:
        """Return the annotator that knows to which classes every row is near."""
        new = replace(self, centre=mean_said(raw))
        return replace(new, size=spread(new.scores(raw)))

    def scores(self, raw: Scores) -> Scores:
        """Return (n, k)."""
        return even(raw - self.centre, self.size)


@dataclass(frozen=True, eq=False)
class Shortlist:
    """The classes that a row may be of, where there are many: the nearest by embedding."""

    nearness: SimilarityAnnotator
    count: int

    def of(self, texts: Sequence[str], gateway: Gateway) -> Codes:
        """Return the positions of ``count`` classes for each row, in the classes' order."""
        cosines, _ = self.nearness.ask(texts, gateway)
        nearest = np.argsort(-cosines, axis=1, kind="stable")[:, : self.count]
        return np.sort(nearest, axis=1)


def shortlist_of(task: LabelTask, settings: LabelSettings) -> Shortlist | None:
    """Return what makes shortlists, or None where the classes are too few to gain by one."""
    if not settings.shortlist or len(task.classes) < MANY * settings.shortlist:
        return None
    return Shortlist(SimilarityAnnotator(task, settings.embed), settings.shortlist)
