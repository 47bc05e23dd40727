"""Tells how far a question has come."""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping

from assay.llm.results import Progress


class Teller:
    """Turns counts of rows into :class:`Progress`, with rate, spending and time to go."""

    def __init__(
        self,
        what: str,
        progress: Callable[[Progress], None] | None,
        spent: Callable[[], float],
        errors: Mapping[str, int],
    ) -> None:
        self._what = what
        self._progress = progress
        self._spent = spent
        self._errors = errors
        self._began = time.monotonic()

    def __call__(self, done: int, cached: int, total: int) -> None:
        """Tell that so many rows are done, of which so many came from the ledger."""
        if self._progress is None:
            return
        asked, seconds = done - cached, time.monotonic() - self._began
        rate = asked / seconds if seconds > 0 else 0.0
        self._progress(
            Progress(
                what=self._what,
                done=done,
                total=total,
                rate=rate,
                money=self._spent(),
                eta=(total - done) / rate if rate else None,
                errors=dict(self._errors),
            )
        )
