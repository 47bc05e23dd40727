"""Annotators that learn from gold rows: by worked examples, and by nearness."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np

from assay.label.single.annotators import ModelAnnotator
from assay.label.single.nearness import Why
from assay.label.single.scores import Codes, Scores, even, spread
from assay.label.task import LabelTask
from assay.llm import Example, Gateway

SHARPNESS = 10.0
"""A neighbour's vote weighs e to this times its cosine."""
PRIOR = 1.0
"""Weight of "any class", in nearest neighbours."""


@dataclass(frozen=True, eq=False)
class Nearby:
    """Gold rows by their embeddings; a row is never near to itself or to a copy of itself.

    Attributes
    ----------
    texts, codes
        (m,) what they say, and their classes' positions.
    embeddings
        (m, d) of unit length.
    """

    texts: list[str]
    codes: Codes
    embeddings: Scores

    def cosines(self, texts: Sequence[str], embeddings: Scores) -> Scores:
        """Return (n, m) cosines; minus infinity between copies."""
        found = embeddings @ self.embeddings.T
        own = {text: [] for text in self.texts}  # type: dict[str, list[int]]
        for column, text in enumerate(self.texts):
            own[text].append(column)
        for row, text in enumerate(texts):
            found[row, own.get(text, [])] = -np.inf
        return np.asarray(found)


@dataclass(frozen=True, eq=False)
class NeighbourAnnotator:
    """The nearest gold rows vote with their labels."""

    task: LabelTask
    model: str
    nearby: Nearby
    count: int
    name: str = "neighbours"
    size: float = 1.0

    def ask(self, texts: Sequence[str], gateway: Gateway) -> tuple[Scores, Why]:
        """Return (n, k) logarithms of the neighbours' weighted shares."""
        rows = gateway.embed(self.model, texts, columns=self.task.inputs).astype(np.float64)
        cosines = self.nearby.cosines(texts, rows)
        count = min(self.count, cosines.shape[1])
        nearest = np.argsort(-cosines, axis=1, kind="stable")[:, :count]
        best = np.take_along_axis(cosines, nearest, axis=1)
        top = np.where(np.isfinite(best[:, :1]), best[:, :1], 0.0)
        power = np.exp(SHARPNESS * (best - top))
        classes = len(self.task.classes)
        shares = np.full((len(texts), classes), PRIOR / classes)
        for column in range(count):
            np.add.at(
                shares, (np.arange(len(texts)), self.nearby.codes[nearest[:, column]]),
                power[:, column],
            )  # fmt: skip
        return np.log(shares / shares.sum(axis=1, keepdims=True)), {}

    def settled(self, raw: Scores) -> NeighbourAnnotator:
        """Return the annotator on the scale of the others."""
        return replace(self, size=spread(even(raw)))

    def scores(self, raw: Scores) -> Scores:
        """Return (n, k)."""
        return even(raw, self.size)


@dataclass(frozen=True, eq=False)
class ExampleAnnotator:
    """The language model, shown the nearest gold rows, no class much more often than others."""

    model: ModelAnnotator
    embed: str
    nearby: Nearby
    count: int
    name: str = "examples"

    def ask(self, texts: Sequence[str], gateway: Gateway) -> tuple[Scores, Why]:
        """Return what the model says after the examples."""
        task = self.model.task
        rows = gateway.embed(self.embed, texts, columns=task.inputs).astype(np.float64)
        cosines = self.nearby.cosines(texts, rows)
        shown = [self._examples(row) for row in cosines]
        return self.model.ask_with(texts, shown, gateway)

    def settled(self, raw: Scores) -> ExampleAnnotator:
        """Return the annotator that knows what the model likes to say after examples."""
        return replace(self, model=self.model.settled(raw))

    def scores(self, raw: Scores) -> Scores:
        """Return (n, k)."""
        return self.model.scores(raw)

    def _examples(self, cosines: Scores) -> tuple[Example, ...]:
        classes = self.model.task.classes
        most = max(1, -(-self.count // len(classes)))
        chosen: list[int] = []
        taken = np.zeros(len(classes), dtype=int)
        for column in np.argsort(-cosines, kind="stable"):
            code = self.nearby.codes[column]
            if np.isfinite(cosines[column]) and taken[code] < most:
                chosen.append(int(column))
                taken[code] += 1
            if len(chosen) == self.count:
                break
        # The nearest comes last: what a small model reads last it follows most.
        return tuple(
            Example(self.nearby.texts[column], classes[self.nearby.codes[column]].words)
            for column in reversed(chosen)
        )
