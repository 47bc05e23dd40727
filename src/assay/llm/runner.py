"""Runs coroutines from ordinary code, also where an event loop is running already."""

from __future__ import annotations

import asyncio
import threading
from collections.abc import Coroutine
from typing import Any, TypeVar

Result = TypeVar("Result")
CLEAN_UP_SECONDS = 30


class LoopThread:
    """An event loop in a thread of its own, started when first used."""

    def __init__(self) -> None:
        self._loop: asyncio.AbstractEventLoop | None = None
        self._thread: threading.Thread | None = None
        self._lock = threading.Lock()

    def run(self, work: Coroutine[Any, Any, Result]) -> Result:
        """Run ``work`` to its end and return its result.

        On Ctrl-C the work is cancelled, given the time to put its answers on record, and
        then the interrupt goes on.
        """
        loop = self._started()
        task: asyncio.Task[Any] | None = None
        finished = threading.Event()

        async def main() -> Result:
            nonlocal task
            task = asyncio.current_task()
            try:
                return await work
            finally:
                finished.set()

        future = asyncio.run_coroutine_threadsafe(main(), loop)
        try:
            return future.result()
        except KeyboardInterrupt:
            if task is not None:
                loop.call_soon_threadsafe(task.cancel)
                finished.wait(CLEAN_UP_SECONDS)
            raise

    def close(self) -> None:
        """Stop the loop and its thread."""
        with self._lock:
            loop, self._loop = self._loop, None
            thread, self._thread = self._thread, None
        if loop is not None and thread is not None:
            loop.call_soon_threadsafe(loop.stop)
            thread.join(CLEAN_UP_SECONDS)

    def _started(self) -> asyncio.AbstractEventLoop:
        with self._lock:
            if self._loop is None:
                self._loop = new_loop()
                self._thread = threading.Thread(
                    target=_serve, args=(self._loop,), name="assay-models", daemon=True
                )
                self._thread.start()
            return self._loop


def new_loop() -> asyncio.AbstractEventLoop:
    """Return uvloop's event loop where that is installed, else asyncio's."""
    try:
        import uvloop
    except ImportError:
        return asyncio.new_event_loop()
    return uvloop.new_event_loop()


def _serve(loop: asyncio.AbstractEventLoop) -> None:
    asyncio.set_event_loop(loop)
    try:
        loop.run_forever()
    finally:
        loop.run_until_complete(loop.shutdown_asyncgens())
        loop.close()
