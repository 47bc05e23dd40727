"""Takes a live question apart: the request that it would send, and the reply to a response.

The question is asked of the model as ever, only that its connection stands still where a live
one would wait for the server. So a batch's requests and answers pass through the very code,
redaction included, that live ones pass through.
"""

from __future__ import annotations

import hashlib
from collections.abc import Coroutine, Generator, Mapping
from dataclasses import dataclass
from typing import Any, Protocol

from assay.llm.model import AskError, Model, Reply, RowError
from assay.llm.prompt import Prompt
from assay.llm.questions import Question


class Redirectable(Protocol):
    """A model that can be asked through another connection."""

    def over(self, connection: Any) -> Model:
        """Return this model at the end of ``connection``."""
        ...


@dataclass(frozen=True, slots=True)
class Sent:
    """A request as it would leave: its path and its JSON."""

    path: str
    body: bytes

    @property
    def digest(self) -> str:
        """12 hexadecimal digits of the SHA-256 of the body."""
        return hashlib.sha256(self.body).hexdigest()[:12]

    def __await__(self) -> Generator[Sent, Mapping[str, Any], Mapping[str, Any]]:
        return (yield self)


class _StandingStill:
    """In the place of a connection."""

    async def post(
        self, path: str, body: bytes, *, headers: Mapping[str, str] | None = None
    ) -> Mapping[str, Any]:
        return await Sent(path, body)


class Exchange:
    """Requests and replies of one question to one model."""

    def __init__(self, question: Question, model: Redirectable) -> None:
        self._question = question
        self._model = model.over(_StandingStill())

    def request(self, prompt: Prompt, part: int, correction: str) -> Sent:
        """Return the request; raise `RowError` where the prompt makes none."""
        asked = self._question.ask(self._model, prompt, part, correction)
        try:
            return _advance(asked)
        finally:
            asked.close()

    def reply(
        self,
        prompt: Prompt,
        part: int,
        correction: str,
        digest: str,
        response: Mapping[str, Any] | AskError,
    ) -> Reply:
        """Return the reply; raise the `AskError` that a live question would raise.

        Parameters
        ----------
        digest
            Of the request that was answered. Where today's differs (another version of Assay,
            other patterns of redaction) the answer is one to another question.
        """
        asked = self._question.ask(self._model, prompt, part, correction)
        try:
            if _advance(asked).digest != digest:
                raise RowError(
                    "The request is worded differently since it was submitted.", kind="changed"
                )
            if isinstance(response, AskError):
                asked.throw(response)
            else:
                asked.send(response)
        except StopIteration as finished:
            return finished.value  # type: ignore[no-any-return]
        finally:
            asked.close()
        raise RowError("The model asks more than once for one row.", kind="malformed")


def _advance(asked: Coroutine[Any, Any, Reply]) -> Sent:
    sent = asked.send(None)
    assert isinstance(sent, Sent), "a model must only wait for its connection"  # noqa: S101
    return sent
