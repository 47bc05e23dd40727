"""Takes a live question apart: the request that it would send, and the reply to a response.

The question is asked of the model as ever, only that another connection stands at its end: one
that notes the request and goes no further, or one that has the response already. So a batch's
requests and answers pass through the very code, redaction included, that live ones pass through.
"""

from __future__ import annotations

import asyncio
import hashlib
from collections.abc import Coroutine, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Protocol, TypeVar

from assay.llm.model import AskError, Model, Reply, RowError
from assay.llm.prompt import Prompt
from assay.llm.questions import Question

Given = TypeVar("Given")


class Redirectable(Protocol):
    """A model that can be asked through another connection."""

    def over(self, connection: Any) -> Model:
        """Return this model at the end of ``connection``."""
        ...


@dataclass(frozen=True, slots=True)
class Asked:
    """One question: a part of a prompt, and what was wrong with the answer before."""

    prompt: Prompt
    part: int
    correction: str


@dataclass(frozen=True, slots=True)
class Sent:
    """A request as it would leave: its path and its JSON."""

    path: str
    body: bytes

    @property
    def digest(self) -> str:
        """12 hexadecimal digits of the SHA-256 of the body."""
        return hashlib.sha256(self.body).hexdigest()[:12]


@dataclass(frozen=True, slots=True)
class Received:
    """A response, and the digest of the request that it answers."""

    digest: str
    response: Mapping[str, Any] | AskError


class Exchange:
    """Requests and replies of one question to one model; many at once, for models that wait."""

    def __init__(self, question: Question, model: Redirectable) -> None:
        self._question = question
        self._model = model
        self._noting = model.over(_Noting())

    async def requests(self, asked: Sequence[Asked]) -> list[Sent | AskError]:
        """Return each request, or why the prompt makes none."""
        return await _together([self._request(each) for each in asked])

    async def replies(
        self, asked: Sequence[Asked], received: Sequence[Received]
    ) -> list[Reply | AskError]:
        """Return each reply, or the error that a live question would raise.

        Where a request is worded differently today (another version of Assay, other patterns of
        redaction) the response is one to another question, and no reply.
        """
        pairs = zip(asked, received, strict=True)
        return await _together([self._reply(one, response) for one, response in pairs])

    async def _request(self, asked: Asked) -> Sent:
        try:
            await self._question.ask(self._noting, asked.prompt, asked.part, asked.correction)
        except _NotedError as noted:
            return noted.sent
        raise AssertionError("a model asks through its connection")

    async def _reply(self, asked: Asked, received: Received) -> Reply:
        model = self._model.over(_Answering(received))
        return await self._question.ask(model, asked.prompt, asked.part, asked.correction)


class _NotedError(Exception):
    """Carries a request out of the model that made it."""

    def __init__(self, sent: Sent) -> None:
        self.sent = sent


class _Noting:
    async def post(self, path: str, body: bytes, **_: Any) -> Mapping[str, Any]:
        raise _NotedError(Sent(path, body))


class _Answering:
    allowances = ()

    def __init__(self, received: Received) -> None:
        self._received = received

    async def post(self, path: str, body: bytes, **_: Any) -> Mapping[str, Any]:
        if Sent(path, body).digest != self._received.digest:
            raise RowError(
                "The request is worded differently since it was submitted.", kind="changed"
            )
        if isinstance(self._received.response, AskError):
            raise self._received.response
        return self._received.response


async def _together(work: Sequence[Coroutine[Any, Any, Given]]) -> list[Given | AskError]:
    """Return each result or `AskError`, in order; raise anything else."""
    found: list[Given | AskError] = []
    for each in await asyncio.gather(*work, return_exceptions=True):
        if isinstance(each, BaseException) and not isinstance(each, AskError):
            raise each
        found.append(each)
    return found
