"""What does a search's jobs, wherever it does them: its limits, and how a job ends."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Protocol

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


@dataclass(frozen=True)
class Outcome:
    """A job that is over.

    Attributes
    ----------
    predictions
        For the fold's rows; None where the job failed.
    reason
        Why it failed.
    """

    job: Job
    seconds: float
    predictions: np.ndarray | None
    reason: str | None = None


class Pool(Protocol):
    """Workers that do one job each at a time."""

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
