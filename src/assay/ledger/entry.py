"""What the ledger holds: entries of nine kinds, each under a readable id such as ``trial-17``."""

from __future__ import annotations

import difflib
import json
import math
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from assay.errors import LedgerError

KINDS: tuple[str, ...] = (
    "run",
    "event",
    "call",
    "proposal",
    "trial",
    "evidence",
    "verdict",
    "look",
    "artefact",
)
RECORDABLE: tuple[str, ...] = ("event", "proposal", "trial", "evidence", "verdict", "look")


@dataclass(frozen=True)
class Entry:
    """One recorded fact.

    Attributes
    ----------
    id
        ``KIND-NUMBER``; an artefact's is ``artefact-`` and the first 16 digits of its SHA-256.
    kind
        One of :data:`KINDS`.
    run
        Id of the run that it belongs to.
    time
        When it was recorded, UTC.
    key
        What it can be found by.
    body
        Plain JSON values.
    """

    id: str
    kind: str
    run: str | None
    time: datetime
    key: str | None
    body: dict[str, Any]


def check_kind(kind: str, allowed: tuple[str, ...] = KINDS) -> str:
    """Return ``kind``; raise `LedgerError` naming the nearest kinds when there is none such."""
    if kind in allowed:
        return kind
    near = difflib.get_close_matches(kind, allowed, n=2) or allowed
    raise LedgerError("There is no such kind of entry.", given=kind, allowed=", ".join(near))


def split_id(entry_id: str) -> tuple[str, str]:
    """Return the kind and the rest of an id; raise `LedgerError` when it is not one."""
    kind, dash, rest = str(entry_id).partition("-")
    if not dash or not rest:
        raise LedgerError(
            "This is not a ledger id.",
            given=entry_id,
            allowed="KIND-NUMBER, for example trial-17",
            next_step="list the ids with `assay log`",
        )
    return check_kind(kind), rest


def run_number(run: str) -> int:
    """Return the number of a run's id."""
    kind, rest = split_id(run)
    if kind != "run" or not rest.isdecimal():
        raise LedgerError("This is not a run's id.", given=run, allowed="run-NUMBER")
    return int(rest)


def encode(body: Mapping[str, Any]) -> str:
    """Return ``body`` as JSON; raise `LedgerError` naming the first value that JSON cannot hold."""
    try:
        return json.dumps(body, allow_nan=False, separators=(",", ":"))
    except (TypeError, ValueError) as error:
        where, value = _offender(body, "body") or ("body", error)
        raise LedgerError(
            f"{where} cannot be recorded.",
            given=repr(value),
            allowed="plain JSON values: text, finite numbers, booleans, None, lists, mappings",
        ) from error


def _offender(value: Any, where: str) -> tuple[str, Any] | None:
    if isinstance(value, Mapping):
        pairs = [(f"{where}[{name!r}]", each) for name, each in value.items()]
    elif isinstance(value, (list, tuple)):
        pairs = [(f"{where}[{index}]", each) for index, each in enumerate(value)]
    else:
        plain = value is None or isinstance(value, (str, int))
        finite = isinstance(value, float) and math.isfinite(value)
        return None if plain or finite else (where, value)
    return next(filter(None, (_offender(each, name) for name, each in pairs)), None)
