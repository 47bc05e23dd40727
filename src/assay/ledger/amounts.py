"""Amounts of money, tokens and calls, and caps on them."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Amount:
    """Money in 1e-12 US dollars, tokens, and calls; a cap of None is no cap."""

    money: int = 0
    tokens: int = 0
    calls: int = 0

    def __add__(self, other: Amount) -> Amount:
        return Amount(
            self.money + other.money, self.tokens + other.tokens, self.calls + other.calls
        )

    def __sub__(self, other: Amount) -> Amount:
        return Amount(
            self.money - other.money, self.tokens - other.tokens, self.calls - other.calls
        )


NOTHING = Amount()


@dataclass(frozen=True, slots=True)
class Caps:
    """The most that a run may spend; None is no cap."""

    money: int | None = None
    tokens: int | None = None
    calls: int | None = None

    def reached_by(self, amount: Amount) -> str | None:
        """Return which cap ``amount`` goes beyond, or None."""
        for name in ("money", "tokens", "calls"):
            cap = getattr(self, name)
            if cap is not None and getattr(amount, name) > cap:
                return name
        return None


NO_CAPS = Caps()
