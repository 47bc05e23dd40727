"""The same jobs on a Ray cluster: each worker is an actor that minds one process beside it.

The process, and not the actor, does the fits, so that limits and crashes cost on any machine what
they cost on this one. An actor that is lost, with its machine or alone, costs the job it had.
"""

from __future__ import annotations

import threading
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from typing import Any

from assay.engine.cluster import connected
from assay.errors import AssayError, shorten
from assay.experiment.search.jobs import Context, Job
from assay.experiment.search.pool import Limits, Outcome
from assay.experiment.search.processes import ProcessPool
from assay.scratch import Scratch

LOOK = 0.2
"""Seconds between looks at whether the search is over."""

START_SECONDS = 120.0
"""So long the first worker may take to start: a free processor, Ray's process, and imports."""

CLOSE_SECONDS = 5.0

LOST = "its worker on the Ray cluster was lost"


class ClusterPool:
    """So many actors, one processor each; use :func:`working_on_cluster`."""

    def __init__(self, workers: int, limits: Limits, ahead: Sequence[str] = ()) -> None:
        self.limits = limits
        self._workers = [_Worker(limits, tuple(ahead)) for _ in range(workers)]

    def open(self, context: Context) -> None:
        """Tell the workers what every job shares, and wait until one of them is there."""
        import ray

        shared = ray.put(context)
        for each in self._workers:
            each.open(shared)
        self._await_one()

    @property
    def idle(self) -> int:
        """How many jobs could begin now.

        Where every worker was lost this waits for one: a search would take none for its end.
        """
        if not self.busy and not any(each.is_open for each in self._workers):
            self._await_one()
        return len(self._free())

    @property
    def busy(self) -> int:
        """How many jobs are going on."""
        return sum(each.job is not None for each in self._workers)

    def submit(self, job: Job, *, seconds: float | None = None) -> None:
        """Begin a job; there must be an idle worker.

        ``seconds`` is its limit in place of the pool's.
        """
        self._free()[0].begin(job, seconds)

    def wait(self, seconds: float | None = None) -> list[Outcome]:
        """Return the jobs that ended, as soon as one has or ``seconds`` are over."""
        import ray

        doing = {each.doing: each for each in self._workers if each.job is not None}
        if not doing:
            return []
        done, _ = ray.wait(list(doing), timeout=seconds)
        return [doing[each].outcome() for each in done]

    def close(self) -> None:
        """End every worker."""
        import ray

        ending = [each.actor.close.remote() for each in self._workers]
        ray.wait(ending, num_returns=len(ending), timeout=CLOSE_SECONDS)
        for each in self._workers:
            ray.kill(each.actor)

    def _free(self) -> list[_Worker]:
        return [each for each in self._workers if each.job is None and each.is_open]

    def _await_one(self) -> None:
        import ray

        opening = [each.opened for each in self._workers]
        if not ray.wait(opening, timeout=START_SECONDS)[0]:
            raise AssayError(
                f"No processor of the Ray cluster came free in {START_SECONDS:.0f} s.",
                next_step="search when it is less busy, or on this machine: engine local",
            )


class _Worker:
    """One actor and what it is doing, seen from the search."""

    def __init__(self, limits: Limits, ahead: tuple[str, ...]) -> None:
        self._made_of = limits, ahead
        self._shared: Any = None
        self._start()

    def _start(self) -> None:
        import ray

        # Two calls at once, so that it hears of the end while a fit goes on.
        options = {"num_cpus": 1, "max_concurrency": 2, "max_restarts": 0}
        minder: Any = ray.remote(_Minder)
        self.actor: Any = minder.options(**options).remote(*self._made_of)
        self.job: Job | None = None
        self.doing: Any = None
        self._open = False

    def open(self, shared: Any) -> None:
        """Hand the actor what every job shares."""
        self._shared = shared
        self.opened = self.actor.open.remote(shared)

    @property
    def is_open(self) -> bool:
        """Whether the actor is there; one that cannot start ends the search."""
        import ray

        if not self._open and ray.wait([self.opened], timeout=0)[0]:
            try:
                ray.get(self.opened)
            except ray.exceptions.RayError as error:
                raise AssayError(
                    "The search's workers cannot start on the Ray cluster.",
                    given=shorten(str(error).strip().splitlines()[-1]),
                    next_step="install Assay on all its machines, in one version",
                ) from error
            self._open = True
        return self._open

    def begin(self, job: Job, seconds: float | None) -> None:
        """Send a job."""
        self.job, self._began = job, time.monotonic()
        self.doing = self.actor.do.remote(job, seconds)

    def outcome(self) -> Outcome:
        """Return how the job ended; a lost actor is replaced."""
        import ray

        job = self.job
        assert job is not None  # noqa: S101 - only a busy worker is asked
        try:
            found = ray.get(self.doing)
        except ray.exceptions.RayError:
            elapsed, shared = time.monotonic() - self._began, self._shared
            ray.kill(self.actor)
            self._start()
            self.open(shared)
            return Outcome(job, elapsed, None, LOST)
        self.job = None
        if isinstance(found, AssayError):
            raise found
        return found  # type: ignore[no-any-return]


class _Minder:
    """Minds one process, on the machine where Ray has put it."""

    def __init__(self, limits: Limits, ahead: Sequence[str]) -> None:
        self._home = Scratch("experiment")
        self._pool = ProcessPool(self._home.path, 1, limits, ahead)
        self._over = threading.Event()
        self._turn = threading.Lock()

    def open(self, context: Context) -> None:
        """Tell the process what every job shares."""
        self._pool.open(context)

    def do(self, job: Job, seconds: float | None) -> Outcome | AssayError:
        """Return how a job ended, or why none can be done."""
        with self._turn:
            try:
                self._pool.submit(job, seconds=seconds)
                while not self._over.is_set():
                    for outcome in self._pool.wait(LOOK):
                        return outcome
            except AssayError as error:
                return error
        return Outcome(job, 0.0, None, "the search is over")

    def close(self) -> None:
        """End the process and remove what it wrote."""
        self._over.set()
        with self._turn:
            self._pool.close()
            self._home.remove()


@contextmanager
def working_on_cluster(
    workers: int, limits: Limits, ahead: Sequence[str] = ()
) -> Iterator[ClusterPool]:
    """Yield a pool; its workers are gone afterwards.

    ``ahead`` names modules that the workers import before they are ready.
    """
    with connected():
        pool = ClusterPool(workers, limits, ahead)
        try:
            yield pool
        finally:
            pool.close()
