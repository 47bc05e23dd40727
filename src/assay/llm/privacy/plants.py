"""Made-up identifiers for measuring redaction; none belongs to anyone."""

from __future__ import annotations

import base64
import hashlib
from collections.abc import Callable

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
