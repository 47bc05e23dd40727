"""The questions that can be asked row by row: which option, and which object."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from functools import cached_property
from typing import Any, Protocol

from pydantic import BaseModel, ValidationError

from assay.errors import InputError
from assay.llm.model import InvalidAnswerError, Model, Reply
from assay.llm.prompt import Prompt


class Question(Protocol):
    """One question, asked of many prompts, each in one or more parts."""

    @property
    def name(self) -> str:
        """``choose`` or ``generate``."""
        ...

    @property
    def extra(self) -> str:
        """What is sent beside every prompt."""
        ...

    def extra_of(self, prompt: Prompt) -> str:
        """Return what is sent beside one prompt."""
        ...

    async def ask(self, model: Model, prompt: Prompt, part: int, correction: str) -> Reply:
        """Ask a model one part; raise `AskError` where there is no valid answer."""
        ...


@dataclass(frozen=True)
class Choose:
    """Which of the options."""

    options: tuple[str, ...]
    name: str = "choose"

    def __post_init__(self) -> None:
        if len(self.options) < 2 or len(set(self.options)) < len(self.options):
            raise InputError(
                "options must be at least two different answers.", given=list(self.options)
            )

    @cached_property
    def extra(self) -> str:
        """The options."""
        return json.dumps(self.options)

    def extra_of(self, prompt: Prompt) -> str:
        """Return the prompt's own options, or those of all."""
        return json.dumps(prompt.options) if prompt.options else self.extra

    async def ask(self, model: Model, prompt: Prompt, part: int, correction: str) -> Reply:
        """Ask for the probabilities."""
        return await model.choose(prompt, prompt.options or self.options, part)


@dataclass(frozen=True)
class Generate:
    """An object of a schema."""

    schema: type[BaseModel]
    name: str = "generate"
    json_schema: Mapping[str, Any] = field(init=False, compare=False)

    def __post_init__(self) -> None:
        object.__setattr__(self, "json_schema", self.schema.model_json_schema())

    @cached_property
    def extra(self) -> str:
        """The schema."""
        return json.dumps(self.json_schema, sort_keys=True)

    def extra_of(self, prompt: Prompt) -> str:
        """Return the schema."""
        return self.extra

    async def ask(self, model: Model, prompt: Prompt, part: int, correction: str) -> Reply:
        """Ask for an object, and check it."""
        reply = await model.generate(prompt, self.json_schema, correction)
        try:
            checked = self.schema.model_validate(reply.value)
        except ValidationError as error:
            raise InvalidAnswerError(_told(error), usage=reply.usage) from error
        return Reply(checked.model_dump(mode="json"), reply.usage, reply.allowances)


def _told(error: ValidationError) -> str:
    parts = [
        f"{'.'.join(map(str, each['loc'])) or 'the answer'}: {each['msg']}"
        for each in error.errors(include_url=False, include_input=False)[:5]
    ]
    return "; ".join(parts)


class Keys:
    """Cache keys: SHA-256 of model, question, prompt and parameters, 32 hexadecimal digits.

    What prompts share is hashed once, so that a million keys take seconds.
    """

    def __init__(
        self, model: str, question: str, extra: str, parameters: Mapping[str, Any]
    ) -> None:
        shared = json.dumps([model, question, extra, dict(parameters)], sort_keys=True)
        self._shared = hashlib.sha256(shared.encode())
        self._heads: dict[tuple[Any, ...], Any] = {}

    def of(self, prompt: Prompt, part: int = 0) -> str:
        """Return the key of one part of one prompt."""
        head = (prompt.instructions, prompt.examples, prompt.cue, prompt.options)
        begun = self._heads.get(head)
        if begun is None:
            if len(self._heads) > 64:  # prompts that share nothing: remember none
                self._heads.clear()
            examples = [[each.text, each.answer] for each in prompt.examples]
            begun = self._shared.copy()
            cue = [prompt.cue] if prompt.cue else []
            own = [{"options": prompt.options}] if prompt.options else []
            begun.update(json.dumps([prompt.instructions, examples, *cue, *own]).encode())
            self._heads[head] = begun
        digest = begun.copy()
        digest.update(b"%d:" % part)
        digest.update(prompt.text.encode("utf-8", "surrogatepass"))
        return str(digest.hexdigest()[:32])


def combined(parts: Sequence[Mapping[str, Any]]) -> tuple[list[float], bool]:
    """Return the mean probabilities of a choice's parts, and whether any was floored."""
    sums = [sum(column) for column in zip(*(part["p"] for part in parts), strict=True)]
    total = sum(sums)
    return [each / total for each in sums], any(part.get("floored") for part in parts)
