"""Figures as text: as many digits as the interval warrants, and one scale for many intervals."""

from __future__ import annotations

import math
from collections.abc import Iterable
from dataclasses import dataclass

from assay.evidence import Evidence

SMALL = 10
"""Figures below this, shares among them, have at least three decimals."""
MOST_DECIMALS = 6


def decimals(fact: Evidence) -> int:
    """Return so many decimals that the interval's half-width has two digits."""
    interval = fact.interval
    largest = max(abs(fact.estimate), abs(interval.low), abs(interval.high))
    least = 3 if largest < SMALL else 0
    half = (interval.high - interval.low) / 2
    if not (half > 0 and math.isfinite(half)):
        return max(least, 3)
    return min(max(least, 1 - math.floor(math.log10(half))), MOST_DECIMALS)


def signed(fact: Evidence) -> bool:
    """Return whether ``fact`` is a difference."""
    return fact.name.startswith(("gain", "change"))


def estimate_text(fact: Evidence) -> str:
    """Return the estimate, with its sign where it is a difference."""
    return _text(fact.estimate, fact)


def span(fact: Evidence) -> str:
    """Return the interval in words."""
    return f"{_text(fact.interval.low, fact)} to {_text(fact.interval.high, fact)}"


def gain_text(fact: Evidence) -> str:
    """Return the estimate with its interval, for a sentence."""
    return f"{estimate_text(fact)} ({fact.interval.level:.0%} interval {span(fact)})"


def effect_text(fact: Evidence) -> str:
    """Return the estimate and its interval with three decimals and their signs."""
    low, high = fact.interval.low, fact.interval.high
    return f"{fact.estimate:+.3f} [{low:+.3f}, {high:+.3f}]"


def duration(seconds: float) -> str:
    """Return a time in the two largest units that it has."""
    if seconds < 59.5:
        return f"{seconds:.1f} s" if seconds < 10 else f"{seconds:.0f} s"
    minutes, rest = divmod(round(seconds), 60)
    hours, minutes = divmod(minutes, 60)
    return f"{hours} h {minutes} min" if hours else f"{minutes} min {rest} s"


def _text(value: float, fact: Evidence) -> str:
    sign = "+" if signed(fact) else ""
    return f"{value:{sign},.{decimals(fact)}f}"


@dataclass(frozen=True)
class Scale:
    """A line of values from ``low`` to ``high``; calling it gives the place, 0 to 1."""

    low: float
    high: float

    @classmethod
    def over(cls, facts: Iterable[Evidence], *others: float) -> Scale:
        """Return the scale that holds every interval and the other values, with some room."""
        values = [
            bound for fact in facts for bound in (fact.interval.low, fact.interval.high)
        ] + list(others)
        low, high = min(values), max(values)
        room = 0.05 * ((high - low) or abs(high) or 1.0)
        return cls(low - room, high + room)

    def __call__(self, value: float) -> float:
        """Return the place of ``value``, 0 at ``low`` and 1 at ``high``."""
        return (value - self.low) / (self.high - self.low)

    def __contains__(self, value: float) -> bool:
        return self.low <= value <= self.high

    def ticks(self, about: int = 5) -> list[float]:
        """Return round values on the scale, about so many."""
        return ticks(self.low, self.high, about)


def ticks(low: float, high: float, about: int = 5) -> list[float]:
    """Return round numbers within [low, high], about so many."""
    if high <= low:
        return [low]
    rough = (high - low) / about
    magnitude = 10.0 ** math.floor(math.log10(rough))
    step = next(m * magnitude for m in (1, 2, 2.5, 5, 10) if m * magnitude >= rough)
    first = math.ceil(low / step - 1e-9)
    return [number * step for number in range(first, math.floor(high / step + 1e-9) + 1)]
