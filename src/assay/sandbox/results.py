"""Reads what a program handed out, trusting nothing of it."""

from __future__ import annotations

import json
from collections.abc import Collection
from typing import Any

from assay.sandbox.arrow import read_arrow
from assay.sandbox.flatbuffer import DamagedError
from assay.sandbox.spec import Value

MAX_JSON_BYTES = 4 * 2**20
"""Of one JSON result; parsed, it may take twenty times as much memory."""
_MAX_HEAD_BYTES = 1024


def read_results(data: bytes, wanted: Collection[str]) -> dict[str, Value]:
    """Return the results by name.

    Raises
    ------
    DamagedError
        When one is missing, unasked for, twice there, too large, damaged, or neither a plain
        Arrow table nor JSON.
    """
    found: dict[str, Value] = {}
    place = 0
    while place < len(data):
        name, kind, size, place = _head(data, place)
        if name not in wanted or name in found:
            raise DamagedError(f"`{name}` was not asked for, or came twice")
        if not 0 <= size <= len(data) - place:
            raise DamagedError(f"`{name}` ends too early")
        found[name] = _value(name, kind, data[place : place + size])
        place += size
    missing = [name for name in wanted if name not in found]
    if missing:
        raise DamagedError(f"`{missing[0]}` is missing")
    return found


def _head(data: bytes, place: int) -> tuple[str, str, int, int]:
    end = data.find(b"\n", place, place + _MAX_HEAD_BYTES)
    head = _json(data[place:end]) if end >= 0 else None
    if not isinstance(head, dict):
        raise DamagedError("a result is not announced")
    name, kind, size = head.get("name"), head.get("kind"), head.get("bytes")
    if not isinstance(name, str) or not isinstance(kind, str) or type(size) is not int:
        raise DamagedError("a result is not announced")
    return name, kind, size, end + 1


def _value(name: str, kind: str, payload: bytes) -> Value:
    try:
        if kind == "arrow":
            return read_arrow(payload)
        if kind == "json":
            if len(payload) > MAX_JSON_BYTES:
                raise DamagedError(f"it is larger than {MAX_JSON_BYTES:,} bytes of JSON")
            parsed: Value = _json(payload)
            return parsed
    except ValueError as error:
        raise DamagedError(f"`{name}`: {error}") from None
    raise DamagedError(f"`{name}` is neither Arrow nor JSON")


def _json(payload: bytes) -> Any:
    try:
        return json.loads(payload.decode(), parse_constant=_refuse)
    except (ValueError, RecursionError) as error:
        raise DamagedError(f"it is not JSON: {error}") from None


def _refuse(constant: str) -> None:
    raise DamagedError(f"{constant} is not JSON")
