"""Replaces identifiers by placeholders before a prompt leaves, and puts them back in the answer."""

from __future__ import annotations

import copy
import hashlib
import re
import threading
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import replace
from itertools import islice
from typing import Any

import numpy as np
from numpy.typing import NDArray

from assay.llm.model import Capabilities, Model, Reply, Usage
from assay.llm.privacy import finders
from assay.llm.privacy.ahead import Ahead
from assay.llm.privacy.finders import Finder, Span, without_overlaps
from assay.llm.privacy.schemas import hidden_schema, strings_of
from assay.llm.prompt import Example, Prompt

VERSION = 3
"""Part of the cache key: an answer to a redacted prompt is an answer to another question."""

REMEMBERED = 20_000
"""Texts whose findings are remembered: what prompts share is looked through once."""

_PLACEHOLDER = re.compile(r"<[A-Z][A-Z0-9_]*_\d+>")
Spans = tuple[Span, ...]


class Redactor:
    """Finds what must not leave; threads may share it.

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
        self._names = names
        self._known: dict[bytes, Spans] = {}
        self._lock = threading.Lock()
        looked_for = sorted((patterns or {}).items())
        self.version = f"{VERSION}:{hashlib.sha256(repr(looked_for).encode()).hexdigest()[:8]}"

    def find(self, texts: Sequence[str]) -> list[Spans]:
        """Return where identifiers stand in each text; equal texts are looked through once."""
        keys = [_key(text) for text in texts]
        with self._lock:
            found = {key: self._known[key] for key in keys if key in self._known}
            new = {key: text for key, text in zip(keys, texts, strict=True) if key not in found}
            if new:
                found |= zip(new, self._look_through(list(new.values())), strict=True)
                self._remember({key: found[key] for key in new})
        return [found[key] for key in keys]

    def find_by_pattern(self, text: str) -> Iterable[Span]:
        """Return where identifiers other than names of people and places stand; may overlap."""
        return (span for find in self._finders for span in find(text))

    def knows(self, text: str) -> bool:
        """Whether the findings in a text are remembered."""
        return _key(text) in self._known

    def begin(self) -> Redaction:
        """Return a redaction for one prompt: within it, one value has one placeholder."""
        return Redaction(self)

    def _look_through(self, texts: Sequence[str]) -> list[Spans]:
        named: Sequence[Sequence[Span]] = [()] * len(texts)
        if self._names:
            from assay.llm.privacy import names

            named = names.find(texts)
        return [
            tuple(without_overlaps([*self.find_by_pattern(text), *people]))
            for text, people in zip(texts, named, strict=True)
        ]

    def _remember(self, found: Mapping[bytes, Spans]) -> None:
        """Keep findings; the oldest go first."""
        self._known.update(found)
        for key in list(islice(self._known, max(0, len(self._known) - REMEMBERED))):
            del self._known[key]


def _key(text: str) -> bytes:
    return hashlib.blake2b(text.encode("utf-8", "surrogatepass"), digest_size=16).digest()


class Redaction:
    """One prompt's placeholders."""

    def __init__(self, redactor: Redactor) -> None:
        self._redactor = redactor
        self._placeholder: dict[tuple[str, str], str] = {}
        self._value: dict[str, str] = {}

    def hide(self, text: str) -> str:
        """Return ``text`` with identifiers replaced."""
        (spans,) = self._redactor.find([text])
        return self._replaced(text, spans)

    def hide_known(self, text: str) -> str:
        """Return ``text`` with identifiers replaced, and with them what was found elsewhere."""
        (spans,) = self._redactor.find([text])
        return self._replaced(text, without_overlaps([*spans, *self._known_in(text)]))

    def hide_prompt(self, prompt: Prompt) -> Prompt:
        """Return the prompt with identifiers replaced in every part."""
        examples = [Example(self.hide(e.text), self.hide(e.answer)) for e in prompt.examples]
        return replace(
            prompt,
            instructions=self.hide(prompt.instructions),
            text=self.hide(prompt.text),
            examples=tuple(examples),
        )

    def hide_schema(self, schema: Mapping[str, Any]) -> dict[str, Any]:
        """Return the schema with identifiers replaced, those that the prompt held too.

        A field must be answered by its name, and a word alone is easily taken for a person's: in
        names only patterns, and what was found elsewhere, are looked for.
        """
        return hidden_schema(schema, text=self.hide_known, name=self._hide_name)

    def restore(self, value: Any) -> Any:
        """Return a JSON value with every known placeholder turned back."""
        if isinstance(value, str):
            return _PLACEHOLDER.sub(lambda match: self._value.get(match[0], match[0]), value)
        if isinstance(value, list):
            return [self.restore(each) for each in value]
        if isinstance(value, dict):
            return {self.restore(name): self.restore(each) for name, each in value.items()}
        return value

    def _hide_name(self, name: str) -> str:
        spans = [*self._redactor.find_by_pattern(name), *self._known_in(name)]
        return self._replaced(name, without_overlaps(spans))

    def _known_in(self, text: str) -> Iterable[Span]:
        """Return where values that have a placeholder stand as whole words."""
        for kind, value in self._placeholder:
            for found in re.finditer(rf"(?<!\w){re.escape(value)}(?!\w)", text):
                yield Span(found.start(), found.end(), kind)

    def _replaced(self, text: str, spans: Iterable[Span]) -> str:
        pieces, end = [], 0
        for span in spans:
            pieces.append(text[end : span.start])
            pieces.append(self._named(span.kind, text[span.start : span.end]))
            end = span.end
        return "".join([*pieces, text[end:]])

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
        self.parameters: Mapping[str, Any] = {**model.parameters, "redacted": redactor.version}
        self.connection = getattr(model, "connection", None)
        self._model = model
        self._redactor = redactor
        self._ahead = Ahead(redactor)

    def worst(self, prompt: Prompt, question: str, extra: str) -> Usage:
        """Return the model's own bound, with room for placeholders longer than what they hide."""
        bound = self._model.worst(prompt, question, extra)
        return replace(bound, tokens_in=2 * bound.tokens_in)

    def over(self, connection: Any) -> RedactedModel:
        """Return this model at the end of another connection."""
        other = copy.copy(self)
        other._model = self._model.over(connection)  # type: ignore[attr-defined]
        return other

    async def choose(self, prompt: Prompt, options: Sequence[str], part: int) -> Reply:
        """Ask about the redacted prompt."""
        _, hidden = await self._hidden(prompt)
        return await self._model.choose(hidden, options, part)

    async def generate(self, prompt: Prompt, schema: Mapping[str, Any], correction: str) -> Reply:
        """Ask about the redacted prompt and schema; put the identifiers back into the answer."""
        redaction, hidden = await self._hidden(prompt)
        await self._ahead.look([*strings_of(schema), correction])
        form = redaction.hide_schema(schema)
        reply = await self._model.generate(hidden, form, redaction.hide_known(correction))
        return Reply(redaction.restore(reply.value), reply.usage, reply.allowances)

    async def embed(self, texts: Sequence[str]) -> tuple[NDArray[np.float32], Usage]:
        """Embed the redacted texts."""
        await self._ahead.look(texts)
        return await self._model.embed([self._redactor.begin().hide(text) for text in texts])

    async def close(self) -> None:
        """Close the model."""
        self._ahead.close()
        await self._model.close()

    async def _hidden(self, prompt: Prompt) -> tuple[Redaction, Prompt]:
        texts = [prompt.instructions, prompt.text]
        texts += [part for each in prompt.examples for part in (each.text, each.answer)]
        await self._ahead.look(texts)
        redaction = self._redactor.begin()
        return redaction, redaction.hide_prompt(prompt)
