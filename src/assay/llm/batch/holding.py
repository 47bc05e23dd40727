"""Who has a batch in hand: one question of one process at a time, for two would settle it twice.

Whether a process of this machine still runs can be seen. One elsewhere, perhaps in a container
that is gone, must show itself: while it waits it writes a beat into the ledger.
"""

from __future__ import annotations

import socket
import threading
import time
from datetime import UTC, datetime, timedelta
from typing import ClassVar

from assay.ledger import Ledger
from assay.ledger.batches import Batch, BatchBook
from assay.llm.journal import OWNER, is_alive

BEAT_SECONDS = 120.0
QUIET = timedelta(minutes=6)
"""A holder elsewhere that is quiet for so long is gone."""


class Holding:
    """The batches that one question has in hand."""

    _taken: ClassVar[set[str]] = set()
    _lock: ClassVar[threading.Lock] = threading.Lock()

    def __init__(self, ledger: Ledger) -> None:
        self._ledger = ledger
        self._mine: set[str] = set()
        self._beaten = time.monotonic()

    def take(self, batch: Batch) -> bool:
        """Take a batch that an earlier process left; False where another has it in hand."""
        return self.begin(batch.token) and BatchBook(self._ledger).take(
            batch, OWNER, lambda holder: self._at_work(holder, batch)
        )

    def begin(self, token: str) -> bool:
        """Take a batch of our own; False where another question of this process has it."""
        with self._lock:
            if token in self._taken - self._mine:
                return False
            self._taken.add(token)
            self._mine.add(token)
            return True

    def still(self, batch: Batch) -> bool:
        """Whether nobody has taken it from us, as from a machine that slept for long."""
        return BatchBook(self._ledger).holder(batch.token) == OWNER

    def beat(self) -> None:
        """Show that we are at work, now and then."""
        if time.monotonic() - self._beaten > BEAT_SECONDS:
            self._beaten = time.monotonic()
            self._ledger.record("event", {"what": "beat"}, key=f"beat:{OWNER}")

    def let_go(self) -> None:
        """Let go of all."""
        with self._lock:
            self._taken.difference_update(self._mine)

    def _at_work(self, holder: str, batch: Batch) -> bool:
        if not is_alive(holder):
            return False
        if holder.startswith(f"{socket.gethostname()}:"):
            return True
        beat = self._ledger.find("event", f"beat:{holder}")
        seen = batch.held if beat is None else max(batch.held, beat.time)
        return datetime.now(UTC) - seen < QUIET
