"""Looks through the texts of requests that wait, together, and off the event loop."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from typing import Protocol

MOST_TEXTS = 256


class Looks(Protocol):
    """What looks through texts, and remembers what it found."""

    def knows(self, text: str) -> bool:
        """Whether a text was looked through before."""
        ...

    def find(self, texts: Sequence[str]) -> object:
        """Look through texts."""
        ...


class Ahead:
    """Has texts looked through in a thread of its own, many at once.

    A model reads a batch several times as fast as its texts one by one, and an event loop that
    looks through texts itself sends nothing meanwhile.
    """

    def __init__(self, redactor: Looks) -> None:
        self._redactor = redactor
        self._waiting: list[tuple[list[str], asyncio.Future[None]]] = []
        self._work: asyncio.Task[None] | None = None
        self._thread: ThreadPoolExecutor | None = None

    async def look(self, texts: Sequence[str]) -> None:
        """Return when every text was looked through."""
        new = [text for text in texts if not self._redactor.knows(text)]
        if not new:
            return
        loop = asyncio.get_running_loop()
        done: asyncio.Future[None] = loop.create_future()
        self._waiting.append((new, done))
        if self._work is None or self._work.done():
            self._work = loop.create_task(self._look_through())
        await done

    def close(self) -> None:
        """Stop the thread."""
        if self._thread is not None:
            self._thread.shutdown()
            self._thread = None

    async def _look_through(self) -> None:
        loop = asyncio.get_running_loop()
        if self._thread is None:
            self._thread = ThreadPoolExecutor(1, thread_name_prefix="assay-redaction")
        await asyncio.sleep(0)  # whoever else is about to wait comes along
        while self._waiting:
            texts, told = self._next()
            error: BaseException | None = None
            try:
                await loop.run_in_executor(self._thread, self._redactor.find, texts)
            except BaseException as raised:
                error = raised
            for done in told:
                if not done.done():
                    done.set_result(None) if error is None else done.set_exception(error)
            if error is not None and not isinstance(error, Exception):
                raise error

    def _next(self) -> tuple[list[str], list[asyncio.Future[None]]]:
        """Take the texts that wait, up to so many; a request's texts stay together."""
        texts: list[str] = []
        told = []
        while self._waiting and len(texts) < MOST_TEXTS:
            more, done = self._waiting.pop(0)
            texts += more
            told.append(done)
        return texts, told
