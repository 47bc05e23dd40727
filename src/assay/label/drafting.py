"""Drafts of class descriptions and edge-case rules: by telling words, and by a language model."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from itertools import islice

import numpy as np
from pydantic import BaseModel, Field

from assay.label.shown import visible
from assay.label.task import LabelTask
from assay.llm import Gateway, Prompt

TERMS = 3
MOST_CLASSES = 4
MOST_PAIRS = 2
SHOWN_ROWS = 5
SHOWN_CHARACTERS = 300
LONGEST_DRAFT = 160
FEWEST_MENTIONS = 3
_WORD = re.compile(r"[^\W\d_]{3,}")
_UNSAFE = re.compile(r"[^\w\s,.;:'\u2019()/&%-]")


@dataclass(frozen=True)
class Misread:
    """A checked row that annotators got wrong."""

    text: str
    truth: str
    said: str


@dataclass(frozen=True)
class Draft:
    """A suggested change of what annotators are told.

    Attributes
    ----------
    origin
        ``rule:terms``, or the language model's name.
    descriptions
        By class, its new description.
    rule
        A sentence for the guidelines; may be empty.
    """

    name: str
    origin: str
    descriptions: Mapping[str, str] = field(default_factory=dict)
    rule: str = ""

    def apply(self, task: LabelTask) -> LabelTask:
        """Return the task with the change."""
        classes = tuple(
            each.model_copy(update={"description": self.descriptions[each.name]})
            if each.name in self.descriptions
            else each
            for each in task.classes
        )
        told = "\n".join(filter(None, (task.guidelines, self.rule)))
        return task.model_copy(update={"classes": classes, "guidelines": told})


class Description(BaseModel):
    """What a language model is asked for: a class in few words."""

    description: str = Field(min_length=3, max_length=LONGEST_DRAFT)


class EdgeCase(BaseModel):
    """What a language model is asked for: which of two classes, and when."""

    rule: str = Field(min_length=10, max_length=LONGEST_DRAFT)


def drafts_by_rule(task: LabelTask, texts: Sequence[str], labels: Sequence[str]) -> Iterator[Draft]:
    """Yield one draft: each class's description, and the words that set its rows apart."""
    found = telling_terms(task.class_names, texts, labels)
    descriptions = {
        each.name: ", ".join([each.words, *found[each.name]])
        for each in task.classes
        if found[each.name]
    }
    if descriptions:
        yield Draft("telling words added to the descriptions", "rule:terms", descriptions)


def telling_terms(
    names: Sequence[str], texts: Sequence[str], labels: Sequence[str], count: int = TERMS
) -> dict[str, list[str]]:
    """Return for each class the words whose log odds against the other classes are highest.

    Rows that hold a word are counted, not its repeats; half a row is added to each side.
    """
    held: dict[str, Counter[str]] = {name: Counter() for name in names}
    sizes = Counter(labels)
    for text, label in zip(texts, labels, strict=True):
        held[label].update(set(map(str.lower, _WORD.findall(text))))
    everywhere = sum(held.values(), Counter())
    found = {}
    for name in names:
        others = len(labels) - sizes[name]
        odds = {
            word: np.log((own + 0.5) / (sizes[name] - own + 0.5))
            - np.log((everywhere[word] - own + 0.5) / (others - everywhere[word] + own + 0.5))
            for word, own in held[name].items()
            if own >= FEWEST_MENTIONS
        }
        ranked = sorted(odds, key=lambda word: (-odds[word], word))
        found[name] = [word for word in ranked if odds[word] > 1][:count]
    return found


def drafts_by_model(
    task: LabelTask,
    misread: Sequence[Misread],
    gateway: Gateway,
    model: str,
    notes: list[str],
) -> Iterator[Draft]:
    """Yield a description for each class that is most often missed, and rules for pairs.

    Rows enter as the prompt's text, which is data; what comes back is one short line without
    markup, and is used by nobody before the gate has kept it.
    """
    missed = Counter(each.truth for each in misread)
    for name, _ in missed.most_common(MOST_CLASSES):
        rows = [each.text for each in misread if each.truth == name]
        told = (
            f"People sort texts into {', '.join(task.class_names)}. The texts below all belong "
            f"to {name}, yet were taken for another. Describe {name} in at most eight words "
            f"that fit all texts of that kind."
        )
        line = _line(_asked(told, rows, task, gateway, model, Description, notes))
        if line:
            yield Draft(f"a new description of {name}", model, {name: line})
    confused = Counter((each.truth, each.said) for each in misread)
    for (truth, said), _ in islice(confused.most_common(), MOST_PAIRS):
        rows = [each.text for each in misread if (each.truth, each.said) == (truth, said)]
        told = (
            f"The texts below belong to {truth}, yet were taken for {said}. Write one sentence "
            f"that tells when a text is {truth} and not {said}."
        )
        line = _line(_asked(told, rows, task, gateway, model, EdgeCase, notes))
        if line:
            yield Draft(f"a rule for {truth} against {said}", model, rule=line)


def _asked(
    told: str,
    rows: Sequence[str],
    task: LabelTask,
    gateway: Gateway,
    model: str,
    schema: type[BaseModel],
    notes: list[str],
) -> str:
    shown = "\n".join(
        f"- {' '.join(text.split())[:SHOWN_CHARACTERS]}" for text in rows[:SHOWN_ROWS]
    )
    prompt = Prompt(instructions=told, text=shown, columns=task.shown)
    found = gateway.generate(model, [prompt], schema)
    if found[0] is None:
        notes.append(f"{model} gave no draft: {found.why.get(0, 'no valid answer')}")
        return ""
    return str(next(iter(found[0].model_dump().values())))


def _line(drafted: str) -> str:
    """Return a draft as one short line that holds no markup."""
    plain = _UNSAFE.sub(" ", visible(drafted))
    return " ".join(plain.split())[:LONGEST_DRAFT].strip(" .,;:")
