"""Anthropic's message batches: the requests in one body, the results in one file."""

from __future__ import annotations

import json
from collections.abc import AsyncIterator, Mapping
from datetime import datetime
from typing import Any, BinaryIO
from urllib.parse import quote

from pydantic_core import from_json

from assay.llm.batch.server import Door, Result, State
from assay.llm.batch.spool import Frame, Spool
from assay.llm.model import RowError
from assay.llm.transport import Connection

MOST_ROWS = 100_000
MOST_BYTES = 256_000_000
_BATCHES = "/messages/batches"
_HEAD, _TAIL = b'{"requests": [', b"]}"
_STATUS = {
    "invalid_request_error": 400,
    "authentication_error": 401,
    "permission_error": 403,
    "not_found_error": 404,
    "request_too_large": 413,
    "rate_limit_error": 429,
    "overloaded_error": 529,
    "api_error": 500,
}


class AnthropicBatches:
    """Batches at Anthropic. They carry no metadata of ours, only each row's id."""

    finds_by_token = False

    def __init__(self, connection: Connection) -> None:
        self._door = Door(connection)

    def frame(self) -> Frame:
        """Return a list of requests."""
        room = MOST_BYTES - len(_HEAD) - len(_TAIL)
        return Frame(_HEAD, b",\n", _TAIL, "application/json", MOST_ROWS, room)

    def request(self, custom_id: str, path: str, body: bytes) -> bytes:
        """Return one item of the list."""
        return b'{"custom_id": ' + json.dumps(custom_id).encode() + b', "params": ' + body + b"}"

    async def submit(self, spool: Spool, path: str, token: str, run: str) -> str:
        """Send the list."""
        return str((await self._door.upload(_BATCHES, spool))["id"])

    async def find(self, token: str, rows: int, since: datetime) -> list[str]:
        """Return the batches of as many rows; only their results tell whose they are."""
        found = []
        async for batch in self._newest_first():
            if datetime.fromisoformat(str(batch["created_at"])) < since:
                break
            if _state(batch).total == rows:
                found.append(str(batch["id"]))
        return found

    async def state(self, remote: str) -> State:
        """Return the batch's state."""
        return _state(await self._door.json("GET", _path(remote)))

    async def cancel(self, remote: str) -> State:
        """Ask for the batch to be canceled."""
        return _state(await self._door.json("POST", f"{_path(remote)}/cancel", body=b"{}"))

    async def download(self, state: State, into: BinaryIO) -> None:
        """Write the results."""
        for path in state.results:
            await self._door.download(path, into)

    def result(self, line: bytes) -> Result:
        """Return one row's result."""
        found = from_json(line)
        if not isinstance(found, dict) or not isinstance(found.get("result"), dict):
            raise ValueError("not a result")
        custom_id, result = str(found.get("custom_id")), found["result"]
        kind = result.get("type")
        if kind == "succeeded" and isinstance(result.get("message"), dict):
            return Result(custom_id, result["message"])
        if kind in ("canceled", "expired"):
            how = "was canceled" if kind == "canceled" else "expired"
            why = f"the batch {how} before this row's turn"
            return Result(custom_id, RowError(why), unasked=why)
        told = result.get("error")
        inner = told.get("error") if isinstance(told, dict) else None
        name = inner.get("type") if isinstance(inner, dict) else None
        return Result(custom_id, self._door.refusal(_STATUS.get(str(name), 400), told))

    async def _newest_first(self) -> AsyncIterator[Mapping[str, Any]]:
        after = ""
        while True:
            page = await self._door.json("GET", f"{_BATCHES}?limit=100{after}")
            for batch in page.get("data") or []:
                yield batch
            if not page.get("has_more") or not page.get("last_id"):
                return
            after = f"&after_id={quote(str(page['last_id']), safe='')}"


def _path(remote: str) -> str:
    return f"{_BATCHES}/{quote(remote, safe='')}"


def _state(batch: Mapping[str, Any]) -> State:
    """Return the state; results are read at our own address, wherever ``results_url`` points.

    The key goes with every request, and must not follow an address that came over the wire.
    """
    counts = batch.get("request_counts") or {}
    total = sum(int(each or 0) for each in counts.values())
    ended = batch.get("processing_status") == "ended"
    kept = bool(batch.get("results_url"))
    return State(
        word=str(batch.get("processing_status")),
        ended=ended,
        done=total - int(counts.get("processing") or 0),
        total=total,
        gone=ended and not kept,
        results=(f"{_path(str(batch.get('id')))}/results",) if kept else (),
    )
