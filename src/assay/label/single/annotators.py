"""Annotators: each reads rows and gives every class a score."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from typing import Protocol, Self

import numpy as np

from assay.label.rules import Rule
from assay.label.single.nearness import Shortlist, SimilarityAnnotator, Why, shortlist_of
from assay.label.single.phrases import Phrasebook
from assay.label.single.scores import (
    FEW,
    Codes,
    Scores,
    agreement,
    by_class,
    even,
    listed_or_least,
    logs,
    mean_said,
    spread,
    weight_of,
)
from assay.label.spec import LabelSettings
from assay.label.task import LabelTask
from assay.llm import Example, Gateway, Prompt

CUE = "Category"
UNLISTED = "Classify texts."
_TELLS_NOTHING = {"label", "labels", "target", "class", "y", "gold", "category"}


class Annotator(Protocol):
    """Reads rows; what it answers does not depend on the rows beside them."""

    @property
    def name(self) -> str:
        """What its votes are called."""
        ...

    def ask(self, texts: Sequence[str], gateway: Gateway) -> tuple[Scores, Why]:
        """Return what it says of each row, (n, m), NaN where nothing, and why."""
        ...

    def settled(self, raw: Scores) -> Self:
        """Return the annotator with what it says too often taken from these answers."""
        ...

    def scores(self, raw: Scores) -> Scores:
        """Return (n, k) scores of the classes, on one scale; 0 says nothing."""
        ...


@dataclass(frozen=True, eq=False)
class ModelAnnotator:
    """A language model, asked row by row.

    A model on this machine is asked how likely each phrase is to follow the row; what it
    likes to say anyway is taken off phrase by phrase, and the phrases of a class are added up:
    batch calibration (Zhou et al. 2024), which takes classes for equally frequent; gold says how
    frequent they are. Other models choose among the classes. A model that answers otherwise when it
    is asked in other words counts for less, by the rule that weighs the student.
    """

    task: LabelTask
    model: str
    wordings: tuple[str, ...]
    max_text_tokens: int
    phrases: tuple[str, ...]
    owner: Codes
    name: str = "model"
    centre: Scores = field(default_factory=lambda: np.zeros(1))
    size: float = 1.0
    shortlist: Shortlist | None = None

    @classmethod
    def of(
        cls, task: LabelTask, model: str, gateway: Gateway, settings: LabelSettings
    ) -> ModelAnnotator:
        """Return an annotator that has not been asked yet."""
        told = instructions(task)
        if not gateway.is_here(model):
            short = shortlist_of(task, settings)
            if short is not None:
                told = "\n\n".join(filter(None, [task.guidelines, UNLISTED]))
            words = tuple(each.words for each in task.classes)
            return cls(task, model, (told,), settings.max_text_tokens, words,
                       np.arange(len(words)), shortlist=short)  # fmt: skip
        book = Phrasebook(task.classes)
        owner = np.array(book.owner, dtype=np.intp)
        # A second wording costs little here, and errs otherwise than the first.
        wordings = (told, task.guidelines)
        return cls(task, model, wordings, settings.max_text_tokens, book.phrases, owner)

    def ask(self, texts: Sequence[str], gateway: Gateway) -> tuple[Scores, Why]:
        """Return the logarithm of each phrase's probability, wording after wording."""
        return self.ask_with(texts, [()] * len(texts), gateway)

    def ask_with(
        self, texts: Sequence[str], examples: Sequence[tuple[Example, ...]], gateway: Gateway
    ) -> tuple[Scores, Why]:
        """Ask with worked examples before each row."""
        if self.shortlist is not None and texts:
            return self._ask_shortlisted(
                self.shortlist.of(texts, gateway), texts, examples, gateway
            )
        said = []
        why: dict[int, str] = {}
        for wording in self.wordings:
            prompts = [
                Prompt(wording, text, shown, columns=self.task.shown, cue=cue_of(self.task))
                for text, shown in zip(texts, examples, strict=True)
            ]
            asked = gateway.choose(
                self.model, prompts, self.phrases, max_text_tokens=self.max_text_tokens
            )
            said.append(logs(asked.probabilities))
            why.update(asked.why)
        return np.concatenate(said, axis=1), why

    def _ask_shortlisted(
        self,
        lists: Codes,
        texts: Sequence[str],
        examples: Sequence[tuple[Example, ...]],
        gateway: Gateway,
    ) -> tuple[Scores, Why]:
        """Ask which of the (n, l) classes listed for each row; minus infinity for the others."""
        options = [tuple(self.phrases[code] for code in row) for row in lists]
        prompts = [
            Prompt(self.wordings[0], text, tuple(each for each in shown if each.answer in some),
                   columns=self.task.shown, cue=cue_of(self.task))
            for text, shown, some in zip(texts, examples, options, strict=True)
        ]  # fmt: skip
        asked = gateway.choose(self.model, prompts, options, max_text_tokens=self.max_text_tokens)
        said = np.full((len(texts), len(self.phrases)), -np.inf)
        np.put_along_axis(said, lists, logs(asked.probabilities), axis=1)
        said[np.isnan(said).any(axis=1)] = np.nan
        return said, asked.why

    def settled(self, raw: Scores) -> ModelAnnotator:
        """Return the annotator that knows what the model likes to say, and how steadily."""
        new = replace(self, centre=mean_said(raw), size=1.0)
        return replace(new, size=spread(new.scores(raw)) / new._steadiness(raw))

    def scores(self, raw: Scores) -> Scores:
        """Return (n, k)."""
        return np.asarray(np.mean(self._by_wording(raw), axis=0) / self.size)

    def _by_wording(self, raw: Scores) -> list[Scores]:
        classes = len(self.task.classes)
        wordings = np.split(raw - self.centre, len(self.wordings), axis=1)
        return [even(listed_or_least(by_class(each, self.owner, classes))) for each in wordings]

    def _steadiness(self, raw: Scores) -> float:
        """Return how much the model counts by the agreement of its wordings; 1 with few rows."""
        found = raw[np.isfinite(raw).all(axis=1)]
        if len(self.wordings) == 1 or len(found) == 0:
            return 1.0
        first, *others = (each.argmax(axis=1) for each in self._by_wording(found))
        classes = len(self.task.classes)
        agreed = float(np.mean([agreement(first, other, classes) for other in others]))
        return (len(found) * weight_of(agreed) + FEW) / (len(found) + FEW)


@dataclass(frozen=True, eq=False)
class RuleAnnotator:
    """One of the user's own rules."""

    task: LabelTask
    rule: Rule

    @property
    def name(self) -> str:
        """``rule:NAME``."""
        return self.rule.called

    def ask(self, texts: Sequence[str], gateway: Gateway) -> tuple[Scores, Why]:
        """Return the rule's scores; 0 where it abstains."""
        return self.rule.votes(texts, self.task), {}

    def settled(self, raw: Scores) -> RuleAnnotator:
        """Return itself: a rule says what its author meant."""
        return self

    def scores(self, raw: Scores) -> Scores:
        """Return (n, k)."""
        return raw


def label_free(
    task: LabelTask, model: str, gateway: Gateway, settings: LabelSettings
) -> list[Annotator]:
    """Return the annotators that need no label.

    The user's rules speak first: one that fails does so before a model is paid.
    """
    rules = [RuleAnnotator(task, rule) for rule in settings.rules]
    asked = ModelAnnotator.of(task, model, gateway, settings)
    others = [
        replace(ModelAnnotator.of(task, each, gateway, settings), name=f"model ({each})")
        for each in settings.voters
    ]
    return [*rules, asked, *others, SimilarityAnnotator(task, settings.embed)]


def instructions(task: LabelTask) -> str:
    """Return what a model is told before the row."""
    listed = ", ".join(each.words for each in task.classes)
    told = f"Classify texts into {listed}."
    return f"{task.guidelines}\n\n{told}" if task.guidelines else told


def cue_of(task: LabelTask) -> str:
    """Return what the answer is called: the label's own name where that says something."""
    name = task.target.replace("_", " ").strip()
    return CUE if name.lower() in _TELLS_NOTHING else name[:1].upper() + name[1:]
