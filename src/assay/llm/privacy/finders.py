"""Finds identifiers and secrets by pattern, checksum and entropy."""

from __future__ import annotations

import math
import re
from collections import Counter
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass

_MIN_ENTROPY_OF_LETTERS = 4.2
MIN_ENTROPY = 3.5
"""Bits a character; English words have about 2.6, random base64 above 4."""


@dataclass(frozen=True, order=True)
class Span:
    """Where an identifier stands, and of which kind it is."""

    start: int
    end: int
    kind: str


Finder = Callable[[str], Iterable[Span]]


def by_pattern(
    kind: str, pattern: str, accept: Callable[[str], bool] | None = None, flags: int = 0
) -> Finder:
    """Return a finder of a regular expression; its group ``x``, where named, is what is found."""
    compiled = re.compile(pattern, flags)
    group: int | str = "x" if "x" in compiled.groupindex else 0

    def find(text: str) -> Iterable[Span]:
        for match in compiled.finditer(text):
            if accept is None or accept(match[group]):
                yield Span(match.start(group), match.end(group), kind)

    return find


def luhn(digits: str) -> bool:
    """Whether the last digit is the check digit of a card number."""
    numbers = [int(each) for each in digits if each.isdigit()]
    doubled = [sum(divmod(2 * each, 10)) for each in numbers[-2::-2]]
    return len(numbers) >= 13 and (sum(numbers[-1::-2]) + sum(doubled)) % 10 == 0


def iban(text: str) -> bool:
    """Whether the check digits of an IBAN are right."""
    plain = re.sub(r"\s", "", text).upper()
    moved = plain[4:] + plain[:4]
    return 15 <= len(plain) <= 34 and int("".join(str(int(c, 36)) for c in moved)) % 97 == 1


def entropy(text: str) -> float:
    """Return the Shannon entropy of the characters of ``text``, in bits a character."""
    counts = Counter(text).values()
    return -sum(n / len(text) * math.log2(n / len(text)) for n in counts)


def random_looking(text: str) -> bool:
    """Whether ``text`` looks drawn at random: letters with digits, or cases mixed without order."""
    bits = entropy(text)
    with_digits = any(c.isdigit() for c in text) and any(c.isalpha() for c in text)
    with_cases = any(c.isupper() for c in text) and any(c.islower() for c in text)
    return (with_digits and bits >= MIN_ENTROPY) or (with_cases and bits >= _MIN_ENTROPY_OF_LETTERS)


SECRETS: tuple[Finder, ...] = (
    by_pattern(
        "SECRET", r"-----BEGIN [A-Z ]*PRIVATE KEY-----.*?(-----END [A-Z ]*PRIVATE KEY-----|\Z)",
        flags=re.S,
    ),
    by_pattern("SECRET", r"\b(?:AKIA|ASIA)[A-Z0-9]{16}\b"),
    by_pattern("SECRET", r"\bgh[pousr]_[A-Za-z0-9]{20,}\b"),
    by_pattern("SECRET", r"\b(?:sk|pk|rk)[-_][A-Za-z0-9_-]{16,}"),
    by_pattern("SECRET", r"\bxox[abprs]-[A-Za-z0-9-]{10,}"),
    by_pattern("SECRET", r"\bAIza[A-Za-z0-9_-]{30,}"),
    by_pattern("SECRET", r"\beyJ[A-Za-z0-9_-]{8,}\.[A-Za-z0-9_-]{8,}\.[A-Za-z0-9_-]*"),
    by_pattern("SECRET", r"://[^/\s:@]+:(?P<x>[^/\s:@]+)@"),
    by_pattern(
        "SECRET",
        r"(?i)\b(?:password|passwd|pwd|secret|token|api[_-]?key)\b[\"']?\s*[:=]\s*[\"']?(?P<x>[^\s\"',;]{4,})",
    ),
    by_pattern("SECRET", r"(?<![\w/+-])[A-Za-z0-9_/+-]{24,}={0,2}(?![\w/+=-])", random_looking),
)  # fmt: skip

IDENTIFIERS: tuple[Finder, ...] = (
    by_pattern("EMAIL", r"\b[\w.+%-]+@[\w-]+(?:\.[\w-]+)*\.[A-Za-z]{2,}\b"),
    by_pattern(
        "IBAN",
        r"\b[A-Z]{2}\d{2}(?:[A-Z0-9]{11,30}|(?: [A-Z0-9]{4}){2,7}(?: [A-Z0-9]{1,4})?)\b",
        iban,
    ),
    by_pattern(
        "CARD",
        r"(?<![\d-])(?:\d{13,19}|\d{4}(?:[ -]\d{4}){2}[ -]\d{1,7}|\d{4}[ -]\d{6}[ -]\d{5})"
        r"(?![\d-])",
        luhn,
    ),
    by_pattern("SSN", r"(?<![\d-])(?!000|666|9\d\d)\d{3}-(?!00)\d{2}-(?!0000)\d{4}(?![\d-])"),
    by_pattern(
        "IP",
        r"(?<![\d.])(?:(?:25[0-5]|2[0-4]\d|1?\d?\d)\.){3}(?:25[0-5]|2[0-4]\d|1?\d?\d)(?![\d.]\d)",
    ),
    by_pattern("IP", r"(?<![\w:])(?:[0-9a-fA-F]{1,4}:){3,7}(?::?[0-9a-fA-F]{1,4}){1,4}(?![\w:])"),
    by_pattern(
        "PHONE",
        r"(?<![\w.-])(?:\+|00)?\d{1,3}?[ .-]?(?:\(\d{2,4}\)|\d{2,4})[ .-]\d{3,4}[ .-]?\d{3,4}"
        r"(?![\w-])",
    ),
    by_pattern("PHONE", r"(?<![\w.])\+\d[\d ().-]{7,16}\d(?!\w)"),
)


def own(patterns: Mapping[str, str]) -> list[Finder]:
    """Return finders of the user's own patterns."""
    return [by_pattern(kind, pattern) for kind, pattern in patterns.items()]


def without_overlaps(spans: Iterable[Span]) -> list[Span]:
    """Return spans in order; overlapping ones are joined under the kind of the longest."""
    joined: list[Span] = []
    for span in sorted(spans, key=lambda each: (each.start, -each.end)):
        if joined and span.start < joined[-1].end:
            last = joined[-1]
            longer = max(last, span, key=lambda each: each.end - each.start)
            joined[-1] = Span(last.start, max(last.end, span.end), longer.kind)
        elif span.end > span.start:
            joined.append(span)
    return joined
