"""Writes calls to the ledger in batches, off the event loop, and says when they are safe."""

from __future__ import annotations

import asyncio
import os
import socket
import time
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor

from assay.ledger.amounts import Caps
from assay.ledger.calls import Call, CallBook, Intent

BATCH_SECONDS = 0.03
"""How long a batch is collected; an answer is safe at most 50 ms after it came."""

OWNER = f"{socket.gethostname()}:{os.getpid()}:{time.time_ns()}"


def is_alive(owner: str) -> bool:
    """Whether the process that wrote an intent may still be running; on other hosts it may."""
    if owner == OWNER:
        return True
    host, _, rest = owner.partition(":")
    process = int(rest.partition(":")[0])
    if host != socket.gethostname():
        return True
    if process == os.getpid():  # the number was given again, to us
        return False
    try:
        os.kill(process, 0)
    except ProcessLookupError:
        return False
    except OSError:
        return True
    return True


class Journal:
    """A batching writer in front of a :class:`CallBook`; used from one event loop.

    ``broken`` is told when a batch could not be committed.
    """

    def __init__(self, book: CallBook, broken: Callable[[BaseException], None]) -> None:
        self._book = book
        self._broken = broken
        self._thread = ThreadPoolExecutor(1, thread_name_prefix="assay-journal")
        self._pending: list[tuple[Call, Callable[[], None]]] = []
        self._flusher: asyncio.Task[None] | None = None

    async def reserve(self, wanted: Sequence[Intent], caps: Caps) -> tuple[list[int], str | None]:
        """Write the intents that fit; see :meth:`CallBook.reserve`."""
        loop = asyncio.get_running_loop()
        return await loop.run_in_executor(self._thread, self._book.reserve, wanted, caps, OWNER)

    def add(self, call: Call, then: Callable[[], None]) -> None:
        """Queue a call; ``then`` runs on the loop once it is committed."""
        self._pending.append((call, then))
        if self._flusher is None or self._flusher.done():
            self._flusher = asyncio.get_running_loop().create_task(self._flush())

    async def settle(self) -> None:
        """Return once everything added is committed; raise what stopped it."""
        while self._flusher is not None:
            await self._flusher
            if not self._pending:
                return

    def close(self) -> None:
        """End the writing thread."""
        self._thread.shutdown(wait=True)

    async def _flush(self) -> None:
        loop = asyncio.get_running_loop()
        while self._pending:
            await asyncio.sleep(BATCH_SECONDS)
            batch, self._pending = self._pending, []
            calls = [call for call, _ in batch]
            try:
                await loop.run_in_executor(self._thread, self._book.write, calls)
            except BaseException as error:
                self._broken(error)
                raise
            for _, then in batch:
                then()
