"""Waits for batches: looks every second at first, every minute in the end."""

from __future__ import annotations

import time
from collections.abc import Iterator, Sequence

from assay.llm.batch.job import Job
from assay.llm.batch.server import State
from assay.llm.model import HopelessError, TransientError

FIRST_SECONDS = 1.0
LONGEST_SECONDS = 60.0
_GROWTH = 1.25
_UNREACHED = 8
"""This many looks in a row that the provider did not answer end the waiting."""


class Waiting:
    """Looks at batches until they have ended, or the budget's minutes are over."""

    def __init__(self, job: Job, remotes: Sequence[str]) -> None:
        self._job = job
        self._states: dict[str, State] = {each: State("submitted") for each in remotes}
        self._failed_looks = 0
        self._asked_to_wait = 0.0

    def ended(self) -> Iterator[tuple[str, State]]:
        """Yield each batch once it has ended; those left at the deadline are not yielded."""
        pause = FIRST_SECONDS
        left = list(self._states)
        while left:
            for remote in list(left):
                state = self._look(remote)
                self._tell()
                if state is not None and state.ended:
                    left.remove(remote)
                    yield remote, state
            remaining = self._job.terms.deadline - time.monotonic()
            if not left or remaining <= 0:
                return
            self._job.holding.beat()
            time.sleep(min(max(pause, self._asked_to_wait), remaining))
            pause = min(pause * _GROWTH, LONGEST_SECONDS)

    def _look(self, remote: str) -> State | None:
        self._asked_to_wait = 0.0
        try:
            self._states[remote] = self._job.loop.run(self._job.server.state(remote))
        except TransientError as error:
            self._job.errors[error.kind] += 1
            self._failed_looks += 1
            self._asked_to_wait = error.wait or 0.0
            if self._failed_looks < _UNREACHED:
                return None
            raise HopelessError(
                f"{error.problem} Batches go on there; ask again to collect them.", kind=error.kind
            ) from error
        except HopelessError as error:
            if error.kind != "model":
                raise
            self._states[remote] = State("gone", ended=True, gone=True)
        self._failed_looks = 0
        return self._states[remote]

    def _tell(self) -> None:
        states = self._states.values()
        words = ", ".join(sorted({each.word.replace("_", " ") for each in states}))
        count = f"{len(states)} batches" if len(states) > 1 else "batch"
        self._job.tell(
            f"{count} {words}",
            sum(each.done for each in states),
            sum(each.total for each in states),
        )
