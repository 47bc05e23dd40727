"""What the gateway asks of a language model, and the ways in which a model fails."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Literal, Protocol, runtime_checkable

import numpy as np
from numpy.typing import NDArray
from pydantic import BaseModel

from assay.errors import ModelError
from assay.llm.allowance import Allowance
from assay.llm.prompt import Prompt

How = Literal["exact", "log-probabilities", "samples"]


@dataclass(frozen=True, slots=True)
class Usage:
    """Tokens that a request read and wrote."""

    tokens_in: int = 0
    tokens_out: int = 0

    def __add__(self, other: Usage) -> Usage:
        return Usage(self.tokens_in + other.tokens_in, self.tokens_out + other.tokens_out)


NO_USAGE = Usage()


@dataclass(frozen=True, slots=True)
class Price:
    """Price of one token in 1e-12 US dollars; of what is read, and of what is written."""

    read: int = 0
    write: int = 0

    def of(self, usage: Usage) -> int:
        """Return what ``usage`` costs, in 1e-12 US dollars."""
        return self.read * usage.tokens_in + self.write * usage.tokens_out


@dataclass(frozen=True)
class Capabilities:
    """What a model can do.

    Attributes
    ----------
    choose
        How a choice gets its probabilities; None where the model cannot choose.
    parts
        Requests that one choice is averaged over: orders of the options, or samples.
    generate, embed
        Whether it can write objects, and embed texts.
    replays
        Whether a repeated request with the same idempotency key is answered once and paid once.
    """

    choose: How | None = None
    parts: int = 1
    generate: bool = False
    embed: bool = False
    replays: bool = False


@dataclass(frozen=True, slots=True)
class Reply:
    """One answer: a plain JSON value, the tokens that it took, what the server still allows."""

    value: Any
    usage: Usage = Usage()
    allowances: tuple[Allowance, ...] = ()


@runtime_checkable
class Model(Protocol):
    """A language model that is asked row by row, concurrently.

    ``parameters`` are what decides the answer beside the prompt; with the name they are part
    of the cache key.
    """

    name: str
    capabilities: Capabilities
    parameters: Mapping[str, Any]

    def worst(self, prompt: Prompt, question: str, extra: str) -> Usage:
        """Return the most tokens that one request can take; ``extra`` is sent beside it."""
        ...

    async def choose(self, prompt: Prompt, options: Sequence[str], part: int) -> Reply:
        """Reply with ``{"p": [probability of each option], "floored": [option numbers]}``."""
        ...

    async def generate(self, prompt: Prompt, schema: Mapping[str, Any], correction: str) -> Reply:
        """Reply with an object of a JSON schema; ``correction`` says what was wrong before."""
        ...

    async def embed(self, texts: Sequence[str]) -> tuple[NDArray[np.float32], Usage]:
        """Return (n, d) vectors."""
        ...

    async def close(self) -> None:
        """Free connections."""
        ...


@runtime_checkable
class BulkModel(Protocol):
    """A language model on this machine that is asked many rows at once."""

    name: str

    def choose(
        self,
        prompts: Sequence[Prompt],
        options: Sequence[str],
        *,
        on_batch: Any = None,
        max_text_tokens: int | None = None,
    ) -> NDArray[np.float64]:
        """Return (n, k) probabilities; tell ``on_batch`` of each finished batch."""
        ...

    def generate(self, prompt: Prompt, schema: type[BaseModel]) -> BaseModel:
        """Return an object of ``schema``."""
        ...


@runtime_checkable
class Embedder(Protocol):
    """A model on this machine that embeds texts."""

    name: str

    def embed(self, texts: Sequence[str]) -> NDArray[np.float32]:
        """Return (n, d) vectors of unit length."""
        ...


class AskError(ModelError):
    """A request failed; ``usage`` is what it cost all the same."""

    def __init__(self, problem: str, *, kind: str = "failed", usage: Usage | None = None) -> None:
        super().__init__(problem)
        self.kind = kind
        self.usage = usage or Usage()


class RowError(AskError):
    """One row cannot be answered (malformed, refused, too long); the others can."""


class InvalidAnswerError(AskError):
    """The answer breaks the schema; ``correction`` tells the model what was wrong."""

    def __init__(self, correction: str, *, usage: Usage | None = None) -> None:
        super().__init__(f"The answer was not valid: {correction}", kind="invalid", usage=usage)
        self.correction = correction


class TransientError(AskError):
    """The server is busy or unwell; asking again may help.

    ``wait`` is how many seconds the server asked for, None where it did not say.
    ``reached`` is whether the server answered at all.
    """

    def __init__(
        self, problem: str, *, kind: str, wait: float | None = None, reached: bool = True
    ) -> None:
        super().__init__(problem, kind=kind)
        self.wait = wait
        self.reached = reached


class HopelessError(AskError):
    """No request to this model can succeed: wrong key, no such model, host not allowed."""


@dataclass(frozen=True)
class Limits:
    """How hard a model may be asked.

    Attributes
    ----------
    in_flight
        Most requests at once.
    attempts
        Requests for one row before it fails, where the server is unwell.
    corrections
        How often an invalid answer is asked again with the error.
    first_wait, longest_wait
        Seconds between two attempts, doubling from the first to the longest; a server that
        says how long goes first.
    hedge_after
        Seconds after which a request that is still unanswered is sent a second time, beside
        the first and beyond ``in_flight``; the first answer counts, and both are paid for.
        None for never.
    """

    in_flight: int = 64
    attempts: int = 6
    corrections: int = 2
    first_wait: float = field(default=0.5)
    longest_wait: float = field(default=60.0)
    hedge_after: float | None = None
