"""What a run tells while it works, for progress displays."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from assay.evidence.power import Plan
from assay.improve.spec import Attempt, Skipped
from assay.llm import Progress as Asking
from assay.llm.forecast import Error, Forecast


@dataclass(frozen=True)
class Planned:
    """Before anything is tried: the smallest gains that the rows can show."""

    plan: Plan


@dataclass(frozen=True)
class SourceStarted:
    """A source is asked for proposals."""

    name: str


@dataclass(frozen=True)
class Progress:
    """``done`` of ``total`` steps of ``what`` are finished.

    ``asking`` is what the gateway tells of a question to a model: rate, money, errors.
    """

    what: str
    done: int
    total: int
    asking: Asking | None = None


@dataclass(frozen=True)
class ProposalStarted:
    """A proposal is being screened."""

    name: str
    rationale: str


@dataclass(frozen=True)
class Screened:
    """A proposal has its verdict."""

    attempt: Attempt


@dataclass(frozen=True)
class Passed:
    """A source or a proposal was passed over."""

    skipped: Skipped


@dataclass(frozen=True)
class Confirming:
    """The kept bundle is being confirmed on the vault."""


@dataclass(frozen=True)
class Estimated:
    """What the run will ask of models elsewhere, before anything is sent."""

    forecast: Forecast


@dataclass(frozen=True)
class Settled:
    """How far that was off, model by model."""

    errors: tuple[Error, ...]


Event = (
    Planned
    | SourceStarted
    | Progress
    | ProposalStarted
    | Screened
    | Passed
    | Confirming
    | Estimated
    | Settled
)
Listener = Callable[[Event], None]


def ignore(event: Event) -> None:
    """Listen to nothing."""
