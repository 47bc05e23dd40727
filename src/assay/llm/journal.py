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

_BUSY = 8
_GATHER_SECONDS = 0.02
"""Under load a group is let grow: a commit costs the event loop more than a row in it does."""
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


Told = Callable[[Part, str | None], None]
"""Told that a part's intent is on record, or which cap it does not fit under."""
_Call = tuple[Call, Callable[[], None]]
_Wanted = tuple[Part, Told]


class Journal:
    """A writer of groups in front of a :class:`CallBook`; used from one event loop.

    Parameters
    ----------
    book
        Where it writes.
    caps
        What requests are let go under.
    broken
        Told when a group could not be committed.

    Attributes
    ----------
    owner
        The name that its intents bear.
    unsettled
        Intents on record of which the calls are not.
    """

    def __init__(
        self, book: CallBook, caps: Caps, *, broken: Callable[[BaseException], None]
    ) -> None:
        self.unsettled = 0
        self.owner = new_owner()
        _asking.add(self.owner)
        self._book = book
        self._caps = caps
        self._broken = broken
        self._loop = asyncio.get_running_loop()
        self._queue: deque[_Call | _Wanted] = deque()
        self._left = 0
        self._blocked: list[_Wanted] = []
        self._error: BaseException | None = None
        self._quiet = asyncio.Event()
        self._quiet.set()
        self._hurry = threading.Event()
        self._signals: SimpleQueue[bool] = SimpleQueue()
        self._thread = threading.Thread(target=self._write, name="assay-journal", daemon=True)
        self._thread.start()

    def reserve(self, part: Part, told: Told) -> None:
        """Queue a part's intent, behind the calls that were added before.

        ``told`` hears on the loop that it is on record, or the cap that it does not fit under
        although everything that was reserved is settled.
        """
        self._put((part, told))

    def add(self, call: Call, then: Callable[[], None]) -> None:
        """Queue a call; ``then`` runs on the loop once it is committed."""
        self._put((call, then))

    def hurry(self) -> None:
        """Let the next group be committed at once: somebody waits for it."""
        self._hurry.set()

    async def settle(self) -> None:
        """Return once everything added is committed; raise what stopped it."""
        await self._quiet.wait()
        if self._error is not None:
            raise self._error

    def close(self) -> None:
        """End the writing thread."""
        self._signals.put(False)
        self._thread.join()
        _asking.discard(self.owner)

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
                        self.owner,
                    )
                except BaseException as error:
                    self._loop.call_soon_threadsafe(self._fail, error)
                    return
                self._loop.call_soon_threadsafe(self._committed, calls, wanted, numbers, reached)
                if len(calls) >= _BUSY:
                    self._hurry.wait(_GATHER_SECONDS)
                self._hurry.clear()

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
        for number, (part, told) in zip(numbers, wanted, strict=False):
            part.intent = number
            told(part, None)
        for _, then in calls:
            then()
        self._blocked += wanted[len(numbers) :]
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
        for part, told in blocked:
            told(part, reached)

    def _fail(self, error: BaseException) -> None:
        self._error = error
        self._quiet.set()
        self._broken(error)
