"""Budget and Spend: hard caps, and what was spent under them."""

from __future__ import annotations

import math
from dataclasses import dataclass

from assay.errors import InputError
from assay.ledger.amounts import Amount, Caps

PER_DOLLAR = 10**12
"""Money is counted in whole 1e-12 US dollars, so that a million tiny prices add up exactly."""


@dataclass(frozen=True)
class Budget:
    """Hard caps of a run; None is no cap.

    Attributes
    ----------
    money
        US dollars.
    calls
        Requests to models, answered or failed; answers from the ledger are free.
    tokens
        Read and written together.
    minutes
        Since the gateway was made.
    """

    money: float | None = None
    calls: int | None = None
    tokens: int | None = None
    minutes: float | None = None

    def __post_init__(self) -> None:
        for name in ("money", "calls", "tokens", "minutes"):
            cap = getattr(self, name)
            if cap is not None and not (cap >= 0 and math.isfinite(cap)):
                raise InputError(
                    f"budget.{name} is not usable.", given=cap, allowed="0 or more, or None"
                )

    @property
    def caps(self) -> Caps:
        """The caps that processes share through the ledger."""
        money = None if self.money is None else round(self.money * PER_DOLLAR)
        return Caps(money=money, tokens=self.tokens, calls=self.calls)


@dataclass(frozen=True)
class Spend:
    """What a run has spent.

    Attributes
    ----------
    money
        US dollars.
    calls
        Requests, answered or failed.
    cached
        Answers that were in the ledger already; they cost nothing.
    tokens
        Read and written together.
    seconds
        Since the gateway was made.
    unsettled
        US dollars reserved for requests whose answer is not known: those in flight, and those
        that a killed process may have paid for.
    """

    money: float = 0.0
    calls: int = 0
    cached: int = 0
    tokens: int = 0
    seconds: float = 0.0
    unsettled: float = 0.0


def dollars(amount: Amount) -> float:
    """Return the money of ``amount`` in US dollars."""
    return amount.money / PER_DOLLAR
