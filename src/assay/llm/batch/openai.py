"""OpenAI's batches: a file of requests, a batch of it, files of results."""

from __future__ import annotations

import json
import secrets
from collections.abc import AsyncIterator, Mapping
from datetime import datetime
from typing import Any, BinaryIO
from urllib.parse import quote

from pydantic_core import from_json

from assay.llm.batch.server import Door, Result, State
from assay.llm.batch.spool import Frame, Spool
from assay.llm.model import RowError
from assay.llm.transport import Connection

MOST_ROWS = 50_000
MOST_BYTES = 200_000_000
_ENDED = {"completed", "failed", "expired", "cancelled"}
_NEVER_ASKED = {"batch_expired": "expired", "batch_cancelled": "cancelled"}


class OpenAIBatches:
    """Batches at OpenAI, and at the servers that copy it."""

    finds_by_token = True

    def __init__(self, connection: Connection) -> None:
        self._door = Door(connection)

    def frame(self) -> Frame:
        """Return a form with the file in it, in the words of the web's file uploads."""
        mark = f"assay-{secrets.token_hex(16)}"
        field = f"--{mark}\r\nContent-Disposition: form-data; name="
        head = (
            f'{field}"purpose"\r\n\r\nbatch\r\n{field}"file"; filename="assay.jsonl"\r\n'
            "Content-Type: application/jsonl\r\n\r\n"
        )
        return Frame(
            head.encode(),
            b"",
            f"\r\n--{mark}--\r\n".encode(),
            f"multipart/form-data; boundary={mark}",
            MOST_ROWS,
            MOST_BYTES,
        )

    def request(self, custom_id: str, path: str, body: bytes) -> bytes:
        """Return a line."""
        head = {"custom_id": custom_id, "method": "POST", "url": _endpoint(path)}
        return json.dumps(head)[:-1].encode() + b', "body": ' + body + b"}\n"

    async def submit(self, spool: Spool, path: str, token: str, run: str) -> str:
        """Upload the file and make a batch of it; the token travels as metadata."""
        file = await self._door.upload("/files", spool)
        body = {
            "input_file_id": file["id"],
            "endpoint": _endpoint(path),
            "completion_window": "24h",
            "metadata": {"assay_run": run, "assay_batch": token},
        }
        made = await self._door.json("POST", "/batches", body=json.dumps(body).encode())
        return str(made["id"])

    async def find(self, token: str, rows: int, since: datetime) -> list[str]:
        """Return the batch whose metadata has the token."""
        async for batch in self._newest_first():
            if batch.get("created_at", 0) < since.timestamp():
                break
            if (batch.get("metadata") or {}).get("assay_batch") == token:
                return [str(batch["id"])]
        return []

    async def state(self, remote: str) -> State:
        """Return the batch's state."""
        return _state(await self._door.json("GET", f"/batches/{quote(remote, safe='')}"))

    async def cancel(self, remote: str) -> State:
        """Ask for the batch to be cancelled."""
        path = f"/batches/{quote(remote, safe='')}/cancel"
        return _state(await self._door.json("POST", path, body=b"{}"))

    async def download(self, state: State, into: BinaryIO) -> None:
        """Write the answers, then the errors."""
        for path in state.results:
            await self._door.download(path, into)

    def result(self, line: bytes) -> Result:
        """Return one row's result."""
        found = _mapping(from_json(line))
        custom_id, error = str(found.get("custom_id")), found.get("error")
        response = found.get("response")
        if isinstance(error, dict) and error.get("code") in _NEVER_ASKED:
            word = _NEVER_ASKED[error["code"]]
            why = f"the batch {'was ' if word == 'cancelled' else ''}{word} before this row's turn"
            return Result(custom_id, RowError(why), unasked=why)
        if not isinstance(response, dict):
            return Result(custom_id, self._door.refusal(400, {"error": error}))
        status, body = int(response.get("status_code") or 0), response.get("body")
        if status == 200 and isinstance(body, dict) and not body.get("error"):
            return Result(custom_id, body)
        return Result(custom_id, self._door.refusal(400 if status == 200 else status, body))

    async def _newest_first(self) -> AsyncIterator[Mapping[str, Any]]:
        after = ""
        while True:
            page = await self._door.json("GET", f"/batches?limit=100{after}")
            for batch in page.get("data") or []:
                yield batch
                after = f"&after={quote(str(batch.get('id')), safe='')}"
            if not page.get("has_more") or not page.get("data"):
                return


def _endpoint(path: str) -> str:
    """Return a path as a batch names it, whatever the server's address."""
    return f"/v1{path}"


def _mapping(value: Any) -> dict[str, Any]:
    if not isinstance(value, dict):
        raise ValueError("not an object")
    return value


def _state(batch: Mapping[str, Any]) -> State:
    counts = batch.get("request_counts") or {}
    word = str(batch.get("status"))
    files = [batch.get("output_file_id"), batch.get("error_file_id")]
    return State(
        word=word,
        ended=word in _ENDED,
        done=int(counts.get("completed") or 0) + int(counts.get("failed") or 0),
        total=int(counts.get("total") or 0),
        whole=word == "completed",
        refused=_why(batch) if word == "failed" else None,
        results=tuple(f"/files/{quote(str(each), safe='')}/content" for each in files if each),
    )


def _why(batch: Mapping[str, Any]) -> str:
    errors = ((batch.get("errors") or {}).get("data")) or [{}]
    first = errors[0]
    return f"{first.get('code') or 'no code'}: {first.get('message') or 'no reason given'}"
