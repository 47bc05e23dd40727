"""What does a search's jobs, wherever it does them: its limits, and how a job ends."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal, Protocol

import numpy as np

from assay.experiment.search.jobs import Context, Job


@dataclass(frozen=True)
class Limits:
    """What one fit may take.

    Attributes
    ----------
    seconds
        Wall time.
    memory
        Bytes that its process may hold; None for no limit.
    """

    seconds: float
    memory: int | None = None

    def allow(self, broken: Broken) -> bool:
        """Return whether they are wider than the limit that was broken."""
        limit = self.seconds if broken.what == "seconds" else self.memory
        return limit is None or limit > broken.limit


@dataclass(frozen=True)
class Broken:
    """A limit that a fit broke.

    Attributes
    ----------
    limit
        Seconds, or bytes.
    """

    what: Literal["seconds", "memory"]
    limit: float

    def __str__(self) -> str:
        if self.what == "seconds":
            return f"it took longer than {self.limit:.3g} s"
        return f"it held more than {self.limit / 2**20:,.0f} MiB"


@dataclass(frozen=True)
class Outcome:
    """A job that is over.

    Attributes
    ----------
    predictions
        For the fold's rows; None where the job failed.
    reason
        Why it failed.
    broken
        The limit that it failed by, where it did.
    """

    job: Job
    seconds: float
    predictions: np.ndarray | None
    reason: str | None = None
    broken: Broken | None = None


class Pool(Protocol):
    """Workers that do one job each at a time."""

    @property
    def limits(self) -> Limits:
        """What one fit may take."""

    def open(self, context: Context) -> None:
        """Tell the workers what every job shares."""

    @property
    def idle(self) -> int:
        """How many jobs could begin now.

        Where none is going on and every worker still starts, this waits for one.
        """

    @property
    def busy(self) -> int:
        """How many jobs are going on."""

    def submit(self, job: Job, *, seconds: float | None = None) -> None:
        """Begin a job; ``seconds`` is its limit in place of the pool's."""

    def wait(self, seconds: float | None = None) -> list[Outcome]:
        """Return the jobs that ended, as soon as one has or ``seconds`` are over.

        Nothing may be returned early, where a worker has started and can be given a job.
        """
