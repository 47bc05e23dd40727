"""What a provider of batches must do, and HTTP to it."""

from __future__ import annotations

from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass
from datetime import datetime
from typing import Any, BinaryIO, Protocol

import aiohttp
from pydantic_core import from_json

from assay.llm.batch.spool import Frame, Spool
from assay.llm.model import AskError, HopelessError, TransientError
from assay.llm.transport import Connection

_PIECE = 2**20
_UNHURRIED = aiohttp.ClientTimeout(total=None, sock_connect=15, sock_read=120)
"""Files of hundreds of megabytes may take long; silence may not."""


@dataclass(frozen=True, slots=True)
class State:
    """How far a batch has come.

    Attributes
    ----------
    word
        The provider's word for it.
    ended
        Whether nothing more will happen.
    done, total
        Requests; providers may count none before the end.
    whole
        Whether an ended batch asked every row; else those without a result cost nothing.
    refused
        Why the provider took none of it.
    gone
        Whether the results are kept no longer.
    results
        Paths of the results.
    """

    word: str
    ended: bool = False
    done: int = 0
    total: int = 0
    whole: bool = True
    refused: str | None = None
    gone: bool = False
    results: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Result:
    """The result of one row: a response, or why there is none.

    ``unasked`` is set where the row was never asked, and cost nothing.
    """

    custom_id: str
    response: Mapping[str, Any] | AskError
    unasked: str | None = None


class BatchServer(Protocol):
    """A provider of batches."""

    finds_by_token: bool
    """Whether :meth:`find` is sure; else its batches must be compared by their rows' ids."""

    def frame(self) -> Frame:
        """Return what stands around the requests of one file."""
        ...

    def request(self, custom_id: str, path: str, body: bytes) -> bytes:
        """Return one request as it stands in the file."""
        ...

    async def submit(self, spool: Spool, path: str, token: str, run: str) -> str:
        """Submit a sealed file; return the provider's name of the batch."""
        ...

    async def find(self, token: str, rows: int, since: datetime) -> list[str]:
        """Return the batches that may be the one of ``token``, not older than ``since``."""
        ...

    async def state(self, remote: str) -> State:
        """Return how far a batch has come."""
        ...

    async def cancel(self, remote: str) -> State:
        """Ask that a batch be stopped; what was answered by then is paid for."""
        ...

    async def download(self, state: State, into: BinaryIO) -> None:
        """Write the results, one JSON object a line."""
        ...

    def result(self, line: bytes) -> Result:
        """Return one result; raise ValueError where the line is none."""
        ...


class Door:
    """Files and JSON through a model's connection: its key, its allowed hosts, its proxy."""

    def __init__(self, connection: Connection) -> None:
        self._connection = connection
        self.base = connection.base

    async def json(self, method: str, path: str, *, body: bytes | None = None) -> dict[str, Any]:
        """Send JSON and return JSON."""
        async with self._sent(method, path, data=body) as response:
            return _object(await response.read())

    async def upload(self, path: str, spool: Spool) -> dict[str, Any]:
        """Send a sealed file and return JSON."""
        headers = {"Content-Type": spool.frame.content_type, "Content-Length": str(spool.seal())}
        async with self._sent(
            "POST", path, data=spool.content(), headers=headers, timeout=_UNHURRIED
        ) as response:
            return _object(await response.read())

    async def download(self, path: str, into: BinaryIO) -> None:
        """Write what is at ``path``, and end its last line."""
        last = b"\n"
        async with self._sent("GET", path, timeout=_UNHURRIED) as response:
            async for piece in response.content.iter_chunked(_PIECE):
                into.write(piece)
                last = piece[-1:]
        if last != b"\n":
            into.write(b"\n")

    def refusal(self, status: int, body: Any) -> AskError:
        """Return the error that a live response of that status would be."""
        return self._connection.refusal(status, body)

    @asynccontextmanager
    async def _sent(
        self, method: str, path: str, **sent: Any
    ) -> AsyncIterator[aiohttp.ClientResponse]:
        host = self._connection.host
        try:
            async with self._connection.send(method, path, **sent) as response:
                yield response
        except aiohttp.ClientSSLError as error:
            raise HopelessError(
                f"The TLS connection to {host} failed: {type(error).__name__}.", kind="tls"
            ) from error
        except (aiohttp.ClientError, TimeoutError) as error:
            raise TransientError(
                f"The connection to {host} broke: {type(error).__name__}.",
                kind="broken",
                reached=False,
            ) from error


def _object(raw: bytes) -> dict[str, Any]:
    try:
        found = from_json(raw)
    except ValueError:
        found = None
    if not isinstance(found, dict):
        raise TransientError(
            "The server answered with something that is no JSON object.", kind="not JSON"
        )
    return found
