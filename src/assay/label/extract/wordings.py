"""Asks for objects in several wordings, and lets them vote."""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from assay.label.extract.agreeing import Agreed, agreed
from assay.label.extract.schema import model_of, spans_of
from assay.label.spec import Gold, LabelSettings
from assay.label.task import LabelTask
from assay.llm import Example, Gateway, Generated, Prompt

WORDINGS = (
    "Extract the fields from the text.",
    "Read the text and fill in the form. Say only what the text says.",
    "Which values does the text give for these fields? Take them from the text alone.",
)
"""Each is asked about every row, and has a vote on each field."""


@dataclass(frozen=True)
class Wordings:
    """Asks for objects in several wordings.

    Attributes
    ----------
    task, settings
        What is asked, and how.
    examples
        Shown with every wording.
    """

    task: LabelTask
    settings: LabelSettings
    examples: tuple[Example, ...] = ()

    @property
    def names(self) -> tuple[str, ...]:
        """The fields."""
        return tuple((self.task.fields or {})["properties"])

    @property
    def spans(self) -> tuple[str, ...]:
        """The fields whose words are taken from the text."""
        return spans_of(self.task.fields or {})

    def ask(self, texts: Sequence[str], gateway: Gateway) -> tuple[list[Agreed], dict[int, str]]:
        """Ask every wording about every text; return what they come to, and why some do not."""
        asked = [self._answers(wording, texts, gateway) for wording in WORDINGS]
        found, why = [], {}
        for row, text in enumerate(texts):
            said = [each[row] for each in asked]
            answers = [each.model_dump(mode="json") for each in said if each is not None]
            if answers:
                one = agreed(answers, text, self.names, set(self.spans))
            else:
                reason = next((each.why[row] for each in asked if row in each.why), "no answer")
                one = Agreed(None, (0.0,) * len(self.names), why=reason)
            found.append(one)
            if one.label is None:
                why[row] = one.why
        return found, why

    def _answers(self, wording: str, texts: Sequence[str], gateway: Gateway) -> Generated:
        columns = self.task.shown if self.examples else self.task.inputs
        told = _told(self.task, wording, self.spans)
        prompts = [Prompt(told, text, self.examples, columns=columns) for text in texts]
        return gateway.generate(self.settings.models[0], prompts, model_of(self.task.fields or {}))


def examples_of(gold: Gold, spans: Sequence[str]) -> tuple[Example, ...]:
    """Return gold rows as worked examples, each text once."""
    said = [
        {name: words_of(each) if name in spans else each for name, each in label.items()}
        for label in gold.labels
    ]
    unique = dict(zip(gold.texts, said, strict=True))
    return tuple(Example(text, json.dumps(label, ensure_ascii=False))
                 for text, label in unique.items())  # fmt: skip


def _told(task: LabelTask, wording: str, spans: Sequence[str]) -> str:
    described = [
        f"- {name}: {each['description']}" if each.get("description") else f"- {name}"
        for name, each in (task.fields or {})["properties"].items()
    ]
    copied = f"Copy {', '.join(spans)} word for word from the text." if spans else ""
    return "\n".join(filter(None, [wording, task.guidelines, "Fields:", *described, copied]))


def words_of(value: Any) -> Any:
    """Return a span's words, without its place."""
    if isinstance(value, list):
        return [words_of(each) for each in value]
    return value["text"] if isinstance(value, dict) and "text" in value else value
