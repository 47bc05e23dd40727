"""Jobs on this machine: one after the other while they are short, else side by side."""

from __future__ import annotations

import os
import threading
import time
from collections.abc import Callable, Iterator, Sequence
from functools import cache, partial
from typing import TypeVar

Job = TypeVar("Job")
Result = TypeVar("Result")

PULSE_SECONDS = 1.0
WORTH_SECONDS = 5.0
"""Work expected to take longer than this is worth starting processes for."""


def worker_count() -> int:
    """Return how many processes to use: the cores this process may run on.

    ``ASSAY_WORKERS`` names another number.
    """
    given = os.environ.get("ASSAY_WORKERS", "")
    if given.isdecimal() and int(given) > 0:
        return int(given)
    if hasattr(os, "sched_getaffinity"):
        return len(os.sched_getaffinity(0))
    return os.cpu_count() or 1


def run_jobs(
    function: Callable[[Job], Result],
    jobs: Sequence[Job],
    *,
    portable: Callable[[Job], Job] = lambda job: job,
    workers: int | None = None,
) -> Iterator[Result]:
    """Yield ``function(job)`` for each job, in order.

    The first job runs here and is timed; the rest run in processes when that is worth it, and
    give the same results. An error of a job is raised here.

    Parameters
    ----------
    function
        Defined at the top of a module, so that another process can import it.
    portable
        Makes a job fit to be sent to another process.
    workers
        Most processes; by default :func:`worker_count`.
    """
    workers = worker_count() if workers is None else workers
    if not jobs:
        return
    began = time.perf_counter()
    yield function(jobs[0])
    expected = (time.perf_counter() - began) * (len(jobs) - 1)
    if workers < 2 or len(jobs) < 3 or expected < WORTH_SECONDS:
        yield from map(function, jobs[1:])
        return
    from joblib import Parallel, delayed

    side_by_side = Parallel(n_jobs=workers, backend="loky", return_as="generator")
    work = delayed(partial(_work, function, os.getpid()))
    yield from side_by_side(work(portable(job)) for job in jobs[1:])


def _work(function: Callable[[Job], Result], parent: int, job: Job) -> Result:
    die_with(parent)
    return function(job)


@cache
def die_with(parent: int) -> None:
    """End this process soon after its ``parent``: a killed run leaves no workers behind."""

    def watch() -> None:
        while os.getppid() == parent:
            time.sleep(PULSE_SECONDS)
        os._exit(1)

    threading.Thread(target=watch, daemon=True).start()
