"""What asking is made of: requests to make, the terms they are made under, where answers go."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Protocol

from assay.ledger.amounts import Amount, Caps
from assay.llm.model import NO_USAGE, Limits, Price, Usage
from assay.llm.prompt import Prompt


class Sink(Protocol):
    """Where results go."""

    def answered(self, row: int, part: int, value: Any, *, cached: bool) -> None:
        """Take the answer of one part of a row."""
        ...

    def failed(self, row: int, why: str) -> None:
        """Take the reason why a row has no answer."""
        ...

    def unasked(self, row: int, why: str) -> None:
        """Take the reason why a row was not asked."""
        ...


@dataclass(slots=True)
class Part:
    """One request to make: a part of a row."""

    row: int
    part: int
    key: str
    prompt: Prompt
    worst: Amount
    intent: int | None = None
    correction: str = ""
    corrections: int = 0


@dataclass(slots=True)
class Outcome:
    """How one request went.

    ``status`` is ``answered``, ``failed``, ``invalid`` (and asked again with ``why``),
    ``unsent``, ``lost`` or ``replayed``.
    """

    status: str
    value: Any = None
    usage: Usage = NO_USAGE
    seconds: float = 0.0
    why: str = ""
    correction: str = ""


@dataclass(frozen=True)
class Terms:
    """Under which terms a question is asked."""

    caps: Caps
    price: Price
    limits: Limits
    deadline: float
    capability: str | None = None
