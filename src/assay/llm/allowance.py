"""What servers say about their limits: how much more they allow, and when they allow it again."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import datetime
from email.utils import parsedate_to_datetime

_OPENAI = "x-ratelimit-{1}-{0}"
_ANTHROPIC = "anthropic-ratelimit-{0}-{1}"
_PAIRS = tuple(
    (form.format(unit, "remaining"), form.format(unit, "reset"), "tokens" in unit)
    for form, units in (
        (_OPENAI, ("requests", "tokens")),
        (_ANTHROPIC, ("requests", "tokens", "input-tokens", "output-tokens")),
        ("ratelimit-{1}", ("requests",)),
    )
    for unit in units
)
"""Header of what remains, header of when all is allowed again, whether it counts tokens."""
_DURATION = re.compile(r"(\d+(?:\.\d+)?)(ms|h|m|s)")
_SECONDS = {"h": 3600.0, "m": 60.0, "s": 1.0, "ms": 0.001}


@dataclass(frozen=True, slots=True)
class Allowance:
    """What one limit still allows: so many requests or tokens, and all again in ``reset`` s."""

    left: float
    reset: float
    of_tokens: bool = False

    def requests(self, tokens: int) -> float:
        """Return how many requests of so many tokens it allows."""
        return self.left / max(tokens, 1) if self.of_tokens else self.left


def allowances(headers: Mapping[str, str]) -> tuple[Allowance, ...]:
    """Return the limits that a response tells; those that cannot be understood are left out."""
    return tuple(_allowances(headers))


def wait_of(headers: Mapping[str, str]) -> float | None:
    """Return the seconds that a refusal asks to be left alone for; None where it does not say."""
    milliseconds = headers.get("retry-after-ms")
    if milliseconds is not None:
        try:
            return max(0.0, float(milliseconds) / 1000)
        except ValueError:
            pass
    given = headers.get("Retry-After")
    told = None if given is None else _seconds(given, headers)
    if told is not None:
        return told
    spent = [each.reset for each in _allowances(headers) if each.left < 1]
    return max(spent, default=None)


def _allowances(headers: Mapping[str, str]) -> Iterator[Allowance]:
    for remaining, reset, of_tokens in _PAIRS:
        left = headers.get(remaining)
        if left is None:
            continue
        seconds = _seconds(headers.get(reset, ""), headers)
        try:
            number = float(left)
        except ValueError:
            continue
        if seconds is not None and number >= 0:
            yield Allowance(number, seconds, of_tokens)


def _seconds(given: str, headers: Mapping[str, str]) -> float | None:
    """Return the seconds of ``12``, ``6m0s``, ``20ms``, an HTTP date or an RFC 3339 time.

    A time is compared with the server's own ``Date``, so that a wrong clock here does not
    matter.
    """
    given = given.strip()
    parts = _DURATION.findall(given)
    if parts and "".join(number + unit for number, unit in parts) == given:
        return sum(float(number) * _SECONDS[unit] for number, unit in parts)
    try:
        return max(0.0, float(given))
    except ValueError:
        pass
    try:
        now = parsedate_to_datetime(headers["Date"])
        until = _time(given)
        return max(0.0, (until - now).total_seconds())
    except (ValueError, KeyError, TypeError):
        return None


def _time(given: str) -> datetime:
    try:
        return datetime.fromisoformat(given)
    except ValueError:
        return parsedate_to_datetime(given)
