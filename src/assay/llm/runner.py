"""Runs coroutines from ordinary code, also where an event loop is running already."""

from __future__ import annotations

import asyncio
import threading
import time
from collections.abc import Callable, Coroutine
from typing import Any, TypeVar

Result = TypeVar("Result")
CLEAN_UP_SECONDS = 30
_LOOK_UP_SECONDS = 0.25
"""A signal that another thread took in is seen when this one next wakes, so it must wake."""


class LoopThread:
    """An event loop in a thread of its own, started when first used."""

    def __init__(self) -> None:
        self._loop: asyncio.AbstractEventLoop | None = None
        self._thread: threading.Thread | None = None
        self._lock = threading.Lock()

    def run(self, work: Coroutine[Any, Any, Result]) -> Result:
        """Run ``work`` to its end and return its result.

        Ctrl-C cancels the work and waits until it has put its answers on record; a further
        Ctrl-C cancels it again, which cuts that short. Then `KeyboardInterrupt` is raised.
        """
        loop = self._started()
        task: asyncio.Task[Result] | None = None
        ended = threading.Event()

        def start() -> None:
            nonlocal task
            task = loop.create_task(work)
            task.add_done_callback(lambda _: ended.set())

        def cancel() -> None:
            if task is not None:
                task.cancel()
            else:  # interrupted before it began
                work.close()
                ended.set()

        try:
            loop.call_soon_threadsafe(start)
            while not ended.wait(_LOOK_UP_SECONDS):
                pass
        except KeyboardInterrupt:
            _see_off(ended, lambda: loop.call_soon_threadsafe(cancel))
            raise
        assert task is not None  # noqa: S101 - it has ended
        return task.result()

    def close(self) -> None:
        """End what still runs, and the loop and its thread."""
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


def _see_off(ended: threading.Event, cancel: Callable[[], object]) -> None:
    """Cancel, and wait for the end; cancel again for each further Ctrl-C."""
    give_up = time.monotonic() + CLEAN_UP_SECONDS
    wanted = True
    while not ended.is_set() and time.monotonic() < give_up:
        try:
            if wanted:
                cancel()
                wanted = False
            ended.wait(_LOOK_UP_SECONDS)
        except KeyboardInterrupt:
            wanted = True


def _serve(loop: asyncio.AbstractEventLoop) -> None:
    asyncio.set_event_loop(loop)
    try:
        loop.run_forever()
    finally:
        if left := asyncio.all_tasks(loop):
            for task in left:
                task.cancel()
            loop.run_until_complete(asyncio.wait(left, timeout=CLEAN_UP_SECONDS))
        loop.run_until_complete(loop.shutdown_asyncgens())
        loop.close()
