"""Made-up identifiers that measure redaction; none belongs to anyone."""

from __future__ import annotations

import base64
import hashlib
from collections.abc import Callable, Iterable, Mapping, Sequence

from assay.llm.privacy.redaction import Redactor

_FIRST = ("Maria", "John", "Aisha", "Peter", "Elena", "David", "Sofia", "Michael", "Anna", "James")
_LAST = ("Fischer", "Okafor", "Hernandez", "Novak", "Thompson", "Rossi", "Kowalski", "Lindqvist")


def _number(kind: str, index: int, digits: int) -> str:
    digest = int.from_bytes(hashlib.sha256(f"{kind}{index}".encode()).digest())
    return str(digest)[:digits]


def _card(index: int) -> str:
    body = "4" + _number("card", index, 14)
    total = 0
    for place, digit in enumerate(reversed(body)):
        total += sum(divmod(2 * int(digit), 10)) if place % 2 == 0 else int(digit)
    return f"{body}{-total % 10}"


def _iban(index: int) -> str:
    account = _number("iban", index, 18)
    check = 98 - int(account + "131400") % 97
    return f"DE{check:02d}{account}"


def _person(index: int) -> str:
    return f"{_FIRST[index % len(_FIRST)]} {_LAST[index // 3 % len(_LAST)]}"


def _secret(index: int) -> str:
    raw = hashlib.sha256(f"secret{index}".encode()).digest()
    return base64.urlsafe_b64encode(raw).decode().rstrip("=")


PLANTS: dict[str, Callable[[int], str]] = {
    "EMAIL": lambda i: f"{_person(i).replace(' ', '.').lower()}{i}@mail{i % 7}.example.com",
    "PHONE": lambda i: f"+49 30 {_number('phone', i, 4)} {_number('line', i, 4)}",
    "IBAN": _iban,
    "CARD": _card,
    "SSN": lambda i: f"{100 + i % 500}-{10 + i % 89}-{1000 + i % 8999}",
    "IP": lambda i: f"203.0.{i % 256}.{1 + i % 254}",
    "SECRET": _secret,
    "PERSON": _person,
}
"""By kind, what makes the i-th identifier."""


def recall(
    redactor: Redactor, texts: Sequence[str], plants: Mapping[str, Callable[[int], str]]
) -> dict[str, float]:
    """Return, by kind, the share of planted identifiers that did not survive redaction.

    Parameters
    ----------
    texts
        The user's own texts; one identifier is planted into each, kind after kind.
    plants
        Makes the i-th identifier of a kind.
    """
    found: dict[str, float] = {}
    for kind, make in plants.items():
        values = [make(index) for index in range(len(texts))]
        planted = [
            _plant(text, value, index)
            for index, (text, value) in enumerate(zip(texts, values, strict=True))
        ]
        redactor.find(planted)  # all at once, which is faster
        hidden = sum(
            value not in redactor.begin().hide(text)
            for value, text in zip(values, planted, strict=True)
        )
        found[kind] = hidden / len(texts) if texts else float("nan")
    return found


def _plant(text: str, value: str, index: int) -> str:
    """Put a value between two words, at a place that moves with the index."""
    words: Iterable[str] = text.split()
    listed = list(words)
    place = (index * 7919) % (len(listed) + 1)
    return " ".join([*listed[:place], value, *listed[place:]])
