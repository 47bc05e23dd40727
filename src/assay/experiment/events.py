"""What a search tells while it works, for progress displays."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from assay.experiment.search.entrant import Entrant


@dataclass(frozen=True)
class Noted:
    """Something that the user should know before the search: a leak, a sample."""

    text: str


@dataclass(frozen=True)
class Tried:
    """A stage of one recipe ended; ``best`` is whether it now leads."""

    entrant: Entrant
    best: bool


@dataclass(frozen=True)
class Working:
    """``done`` of ``total`` steps of ``what`` are over."""

    what: str
    done: float
    total: float


Event = Noted | Tried | Working
Listener = Callable[[Event], None]


def ignore(event: Event) -> None:
    """Listen to nothing."""
