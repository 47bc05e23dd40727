"""Replaces identifiers by placeholders before a prompt leaves, and puts them back in the answer."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import replace
from typing import Any

import numpy as np
from numpy.typing import NDArray

from assay.llm.model import Capabilities, Model, Reply, Usage
from assay.llm.privacy import finders
from assay.llm.privacy.finders import Finder, without_overlaps
from assay.llm.prompt import Example, Prompt

VERSION = 1
"""Part of the cache key: an answer to a redacted prompt is an answer to another question."""

_PLACEHOLDER = re.compile(r"<[A-Z][A-Z0-9_]*_\d+>")


class Redactor:
    """Finds what must not leave.

    Parameters
    ----------
    patterns
        The user's own identifiers, kind to regular expression.
    names
        Whether names of people and places are looked for too; needs the extra ``privacy``.
    """

    def __init__(self, patterns: Mapping[str, str] | None = None, *, names: bool = True) -> None:
        self._finders: list[Finder] = [*finders.own(patterns or {}), *finders.SECRETS]
        self._finders += finders.IDENTIFIERS
        if names:
            from assay.llm.privacy import names as people

            self._finders.append(people.find)

    def begin(self) -> Redaction:
        """Return a redaction for one prompt: within it, one value has one placeholder."""
        return Redaction(self._finders)


class Redaction:
    """One prompt's placeholders."""

    def __init__(self, found_by: Sequence[Finder]) -> None:
        self._found_by = found_by
        self._placeholder: dict[tuple[str, str], str] = {}
        self._value: dict[str, str] = {}

    def hide(self, text: str) -> str:
        """Return ``text`` with identifiers replaced."""
        spans = without_overlaps(span for find in self._found_by for span in find(text))
        pieces, end = [], 0
        for span in spans:
            pieces.append(text[end : span.start])
            pieces.append(self._named(span.kind, text[span.start : span.end]))
            end = span.end
        return "".join([*pieces, text[end:]])

    def hide_prompt(self, prompt: Prompt) -> Prompt:
        """Return the prompt with identifiers replaced in every part."""
        examples = [Example(self.hide(e.text), self.hide(e.answer)) for e in prompt.examples]
        return replace(
            prompt,
            instructions=self.hide(prompt.instructions),
            text=self.hide(prompt.text),
            examples=tuple(examples),
        )

    def restore(self, value: Any) -> Any:
        """Return a JSON value with every known placeholder turned back."""
        if isinstance(value, str):
            return _PLACEHOLDER.sub(lambda match: self._value.get(match[0], match[0]), value)
        if isinstance(value, list):
            return [self.restore(each) for each in value]
        if isinstance(value, dict):
            return {name: self.restore(each) for name, each in value.items()}
        return value

    def _named(self, kind: str, value: str) -> str:
        known = self._placeholder.get((kind, value))
        if known is None:
            number = 1 + sum(each == kind for each, _ in self._placeholder)
            known = f"<{kind}_{number}>"
            self._placeholder[kind, value] = known
            self._value[known] = value
        return known


class RedactedModel:
    """A remote model that sees placeholders only."""

    def __init__(self, model: Model, redactor: Redactor) -> None:
        self.name = model.name
        self.capabilities: Capabilities = model.capabilities
        self.parameters: Mapping[str, Any] = {**model.parameters, "redacted": VERSION}
        self.connection = getattr(model, "connection", None)
        self._model = model
        self._redactor = redactor

    def worst(self, prompt: Prompt, question: str, extra: str) -> Usage:
        """Return the model's own bound, with room for placeholders longer than what they hide."""
        bound = self._model.worst(prompt, question, extra)
        return replace(bound, tokens_in=2 * bound.tokens_in)

    async def choose(self, prompt: Prompt, options: Sequence[str], part: int) -> Reply:
        """Ask about the redacted prompt."""
        return await self._model.choose(self._redactor.begin().hide_prompt(prompt), options, part)

    async def generate(self, prompt: Prompt, schema: Mapping[str, Any], correction: str) -> Reply:
        """Ask about the redacted prompt, and put the identifiers back into the answer."""
        redaction = self._redactor.begin()
        hidden = redaction.hide_prompt(prompt)
        reply = await self._model.generate(hidden, schema, redaction.hide(correction))
        return Reply(redaction.restore(reply.value), reply.usage)

    async def embed(self, texts: Sequence[str]) -> tuple[NDArray[np.float32], Usage]:
        """Embed the redacted texts."""
        return await self._model.embed([self._redactor.begin().hide(text) for text in texts])

    async def close(self) -> None:
        """Close the model."""
        await self._model.close()


def recall(
    redactor: Redactor, texts: Sequence[str], plants: Mapping[str, Callable[[int], str]]
) -> dict[str, float]:
    """Return, by kind, the share of planted identifiers that did not survive redaction.

    Parameters
    ----------
    texts
        The user's own texts; one identifier is planted into each, kind after kind.
    plants
        Makes the i-th identifier of a kind.
    """
    found: dict[str, float] = {}
    for kind, make in plants.items():
        hidden = 0
        for index, text in enumerate(texts):
            value = make(index)
            planted = _plant(text, value, index)
            hidden += value not in redactor.begin().hide(planted)
        found[kind] = hidden / len(texts) if texts else float("nan")
    return found


def _plant(text: str, value: str, index: int) -> str:
    """Put a value between two words, at a place that moves with the index."""
    words: Iterable[str] = text.split()
    listed = list(words)
    place = (index * 7919) % (len(listed) + 1)
    return " ".join([*listed[:place], value, *listed[place:]])
