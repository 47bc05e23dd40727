"""How annotators are asked, whatever the kind of task."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np

from assay.label.reading import CUT
from assay.label.spec import LabelSettings
from assay.label.task import LabelTask
from assay.label.voting import Floats, log_odds
from assay.llm import Gateway, Prompt

YES, NO = "yes", "no"
SHARPNESS = 20.0
"""Cosine similarities lie close together; this brings them to the size of log-odds."""


@dataclass(frozen=True)
class Asker:
    """Asks the annotators of one task.

    Attributes
    ----------
    task, gateway, settings
        What is asked, through which door, and how.
    room
        Most tokens of a text; by default the setting's.
    voter
        The language model that is asked; by default the setting's first.
    """

    task: LabelTask
    gateway: Gateway
    settings: LabelSettings
    room: int | None = None
    voter: str | None = None

    def by_model(self) -> list[Asker]:
        """Return what asks each language model that votes, this one first."""
        return [self, *(replace(self, voter=each) for each in self.settings.voters)]

    def called(self, vote: str) -> str:
        """Return what a vote of its language model is called."""
        return vote if self.voter is None else f"{vote} ({self.voter})"

    def yes_no(self, texts: Sequence[str], question: str) -> tuple[Floats, dict[int, str]]:
        """Return the log-odds of yes, (n,); NaN and a reason where there is no answer."""
        found, why = self.which(texts, question, [YES, NO], cue="Answer")
        return log_odds(np.exp(found[:, 0])), why

    def which(
        self, texts: Sequence[str], question: str, options: Sequence[str], *, cue: str = "Category"
    ) -> tuple[Floats, dict[int, str]]:
        """Return the log-probability of each option, (n, k)."""
        if not texts:
            return np.empty((0, len(options))), {}
        told = "\n".join(filter(None, [self.task.guidelines, question]))
        asked = self.gateway.choose(
            self.voter or self.settings.models[0],
            [Prompt(told, text, columns=self.task.shown, cue=cue) for text in texts],
            options,
            max_text_tokens=self._room,
        )
        return np.log(np.maximum(asked.probabilities, 1e-12)), dict(asked.why)

    def embed(self, texts: Sequence[str]) -> Floats:
        """Return (n, dim) vectors; (0, 1) where there is no text."""
        if not texts:
            return np.empty((0, 1))
        found = self.gateway.embed(self.settings.embed, texts, columns=self.task.inputs)
        return np.asarray(found, dtype=np.float64)

    def similarity(self, vectors: Floats) -> Floats:
        """Return the similarity to each class's words at the size of log-odds, (n, k)."""
        words = [each.words for each in self.task.classes]
        if not len(vectors):
            return np.empty((0, len(words)))
        classes = self.gateway.embed(self.settings.embed, words, columns=(self.task.target,))
        return np.asarray(SHARPNESS * vectors @ classes.astype(np.float64).T)

    def cut_flags(self, texts: Sequence[str]) -> dict[int, str]:
        """Return a flag for each text of which the model reads only the two ends."""
        long = [row for row, text in enumerate(texts) if len(text) > self._room]
        prompts = [Prompt("", texts[row]) for row in long]  # a token is a letter or more
        cut = self.gateway.cuts(self.settings.models[0], prompts, [YES, NO],
                                max_text_tokens=self._room)  # fmt: skip
        return {row: CUT for row, each in zip(long, cut, strict=True) if each}

    @property
    def _room(self) -> int:
        return self.settings.max_text_tokens if self.room is None else self.room


def listed(words: Sequence[str]) -> str:
    """Return classes as lines."""
    return "\n".join(f"- {each}" for each in words)
