"""Writes calls and intents to the ledger in groups, off the event loop.

While one group is being committed the next one collects: alone, an answer is committed at once;
under load, a group holds what came during the last commit.
"""

from __future__ import annotations

import asyncio
import os
import socket
import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor

from assay.ledger.amounts import Caps
from assay.ledger.calls import Call, CallBook, Intent
from assay.llm.terms import Part

_asking: set[str] = set()


def new_owner() -> str:
    """Return a name for what writes intents; made anew in each process, also in a forked one."""
    return f"{socket.gethostname()}:{os.getpid()}:{time.time_ns()}"


OWNER = new_owner()


def is_alive(owner: str) -> bool:
    """Whether what wrote an intent may still be waiting for its answer; on other hosts it may."""
    if owner == OWNER or owner in _asking:
        return True
    host, process, *_ = owner.split(":")
    if host != socket.gethostname():
        return True
    if int(process) == os.getpid():  # it has ended, or the number was given again, to us
        return False
    try:
        os.kill(int(process), 0)
    except ProcessLookupError:
        return False
    except OSError:
        return True
    return True


class CapReachedError(Exception):
    """Nothing more fits under the cap that this names, and nothing in flight will make room."""


class Journal:
    """A writer of groups in front of a :class:`CallBook`; used from one event loop.

    Parameters
    ----------
    book
        Where it writes.
    caps
        What requests are let go under.
    unused
        Told of a part whose number nobody waits for any more: its request never left.
    broken
        Told when a group could not be committed.

    Attributes
    ----------
    unsettled
        Requests that were let go and are not yet on record: no more than these are asked again
        when the process is killed.
    """

    def __init__(
        self,
        book: CallBook,
        caps: Caps,
        *,
        unused: Callable[[Part], None],
        broken: Callable[[BaseException], None],
    ) -> None:
        self.unsettled = 0
        self._owner = new_owner()
        _asking.add(self._owner)
        self._book = book
        self._caps = caps
        self._unused = unused
        self._broken = broken
        self._is_broken = False
        self._thread = ThreadPoolExecutor(1, thread_name_prefix="assay-journal")
        self._calls: list[tuple[Call, Callable[[], None]]] = []
        self._wanted: list[tuple[Part, asyncio.Future[None]]] = []
        self._writer: asyncio.Task[None] | None = None

    async def reserve(self, part: Part) -> None:
        """Return once the part has its intent on record, after the calls that were added before.

        Raises
        ------
        CapReachedError
            When it does not fit under the caps although everything in flight is settled.
        """
        reserved = asyncio.get_running_loop().create_future()
        self._wanted.append((part, reserved))
        self._start()
        await reserved

    def add(self, call: Call, then: Callable[[], None]) -> None:
        """Queue a call; ``then`` runs on the loop once it is committed."""
        self._calls.append((call, then))
        self._start()

    async def settle(self) -> None:
        """Return once everything added is committed; raise what stopped it."""
        if self._writer is not None:
            await self._writer

    def close(self) -> None:
        """End the writing thread."""
        self._thread.shutdown(wait=True)
        _asking.discard(self._owner)

    def _start(self) -> None:
        if self._writer is None or (self._writer.done() and not self._is_broken):
            self._writer = asyncio.get_running_loop().create_task(self._write())

    async def _write(self) -> None:
        try:
            while await self._write_group():
                pass
        except BaseException as error:
            self._is_broken = True
            self._broken(error)
            raise

    async def _write_group(self) -> bool:
        """Commit what was collected; return whether there is more that can be."""
        calls, self._calls = self._calls, []
        wanted = [each for each in self._wanted if not each[1].done()]
        self._wanted = []
        numbers, reached = await asyncio.get_running_loop().run_in_executor(
            self._thread,
            self._book.commit,
            [call for call, _ in calls],
            [Intent(part.key, part.worst) for part, _ in wanted],
            self._caps,
            self._owner,
        )
        self.unsettled += len(numbers) - sum(call.intent is not None for call, _ in calls)
        for number, (part, reserved) in zip(numbers, wanted, strict=False):
            part.intent = number
            if reserved.done():
                self._unused(part)
            else:
                reserved.set_result(None)
        for _, then in calls:
            then()
        self._wanted[:0] = wanted[len(numbers) :]
        if reached is not None and self.unsettled == 0:
            self._refuse(reached)
        # What does not fit is tried again when something in flight has been settled.
        return bool(self._calls or (self._wanted and reached is None))

    def _refuse(self, reached: str) -> None:
        wanted, self._wanted = self._wanted, []
        for _, reserved in wanted:
            if not reserved.done():
                reserved.set_exception(CapReachedError(reached))
