"""Writes calls and intents to the ledger in groups, off the event loop.

While one group is being committed the next one collects: alone, an answer is committed at once;
under load, a group holds what came during the last commit.
"""

from __future__ import annotations

import asyncio
import os
import socket
import threading
import time
from collections import deque
from collections.abc import Callable, Sequence
from queue import SimpleQueue

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


_Call = tuple[Call, Callable[[], None]]
_Wanted = tuple[Part, "asyncio.Future[None]"]


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
        self._loop = asyncio.get_running_loop()
        self._queue: deque[_Call | _Wanted] = deque()
        self._left = 0
        self._blocked: list[_Wanted] = []
        self._error: BaseException | None = None
        self._quiet = asyncio.Event()
        self._quiet.set()
        self._signals: SimpleQueue[bool] = SimpleQueue()
        self._thread = threading.Thread(target=self._write, name="assay-journal", daemon=True)
        self._thread.start()

    async def reserve(self, part: Part) -> None:
        """Return once the part has its intent on record, after the calls that were added before.

        Raises
        ------
        CapReachedError
            When it does not fit under the caps although everything in flight is settled.
        """
        reserved = self._loop.create_future()
        self._put((part, reserved))
        await reserved

    def add(self, call: Call, then: Callable[[], None]) -> None:
        """Queue a call; ``then`` runs on the loop once it is committed."""
        self._put((call, then))

    async def settle(self) -> None:
        """Return once everything added is committed; raise what stopped it."""
        await self._quiet.wait()
        if self._error is not None:
            raise self._error

    def close(self) -> None:
        """End the writing thread."""
        self._signals.put(False)
        self._thread.join()
        _asking.discard(self._owner)

    def _put(self, item: _Call | _Wanted) -> None:
        self._queue.append(item)
        self._left += 1
        if self._quiet.is_set() and self._error is None:
            self._quiet.clear()
            self._signals.put(True)

    def _write(self) -> None:
        """Commit group after group: what came while the last one was committed."""
        while self._signals.get():
            while self._queue:
                calls, wanted = self._collected()
                try:
                    numbers, reached = self._book.commit(
                        [call for call, _ in calls],
                        [Intent(part.key, part.worst) for part, _ in wanted],
                        self._caps,
                        self._owner,
                    )
                except BaseException as error:
                    self._loop.call_soon_threadsafe(self._fail, error)
                    return
                self._loop.call_soon_threadsafe(self._committed, calls, wanted, numbers, reached)

    def _collected(self) -> tuple[list[_Call], list[_Wanted]]:
        calls: list[_Call] = []
        wanted: list[_Wanted] = []
        while self._queue:
            item = self._queue.popleft()
            if isinstance(item[0], Call):
                calls.append(item)
            else:
                wanted.append(item)
        return calls, wanted

    def _committed(
        self,
        calls: Sequence[_Call],
        wanted: Sequence[_Wanted],
        numbers: Sequence[int],
        reached: str | None,
    ) -> None:
        """Tell, on the loop, everyone whose part or call is committed."""
        self._left -= len(calls) + len(wanted)
        self.unsettled += len(numbers) - sum(call.intent is not None for call, _ in calls)
        for number, (part, reserved) in zip(numbers, wanted, strict=False):
            part.intent = number
            if reserved.done():
                self._unused(part)
            else:
                reserved.set_result(None)
        for _, then in calls:
            then()
        blocked = self._blocked + list(wanted[len(numbers) :])
        self._blocked = [each for each in blocked if not each[1].done()]
        if self._blocked and calls:  # what was settled may have made room
            self._queue.extendleft(reversed(self._blocked))
            self._left += len(self._blocked)
            self._blocked = []
        elif self._blocked and reached is not None and not self.unsettled:
            self._refuse(reached)
        if self._queue:
            self._signals.put(True)
        elif not self._left:
            self._quiet.set()

    def _refuse(self, reached: str) -> None:
        blocked, self._blocked = self._blocked, []
        for _, reserved in blocked:
            if not reserved.done():
                reserved.set_exception(CapReachedError(reached))

    def _fail(self, error: BaseException) -> None:
        self._error = error
        self._quiet.set()
        self._broken(error)
