"""Ending a question early: no further request leaves, what was answered is kept."""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import Coroutine
from typing import Any


class Stop:
    """Whether no further request may leave, and the error that says so, where one does."""

    def __init__(self) -> None:
        self.error: BaseException | None = None
        self._event = asyncio.Event()

    @property
    def is_set(self) -> bool:
        """Whether no further request may leave."""
        return self._event.is_set()

    @property
    def why(self) -> str:
        """The reason, for the rows that were not asked."""
        return "it was interrupted" if self.error is None else str(self.error)

    def set(self, error: BaseException | None = None) -> None:
        """Let no further request leave; the first error is the one that is told."""
        self.error = self.error or error
        self._event.set()

    async def sleep(self, seconds: float) -> None:
        """Sleep, but no longer than until the stop."""
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(seconds):
                await self._event.wait()


async def to_the_end(work: Coroutine[Any, Any, None]) -> None:
    """Run ``work`` to its end however often the caller is cancelled meanwhile."""
    task = asyncio.ensure_future(work)
    while not task.done():
        with contextlib.suppress(asyncio.CancelledError):
            await asyncio.shield(task)
    await task
