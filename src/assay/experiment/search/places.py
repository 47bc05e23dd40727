"""Where a search's fits are done: on this machine, or on a Ray cluster."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from contextlib import AbstractContextManager, contextmanager
from dataclasses import dataclass

from assay.engine import worker_count
from assay.errors import InputError
from assay.experiment.search.memory import SHARE, allowed_bytes
from assay.experiment.search.pool import Limits, Pool
from assay.experiment.search.processes import working

Working = Callable[[int, Limits, Sequence[str]], AbstractContextManager[Pool]]


@dataclass(frozen=True)
class Place:
    """Where fits are done.

    Attributes
    ----------
    workers
        Fits side by side.
    memory
        Bytes that one of so many may hold; None where that cannot be known.
    working
        Opens a pool.
    """

    workers: int
    memory: int | None
    working: Working


@contextmanager
def place_of(engine: str, workers: int | None) -> Iterator[Place]:
    """Yield the place that an engine names, with so many workers or all that it has room for.

    Raises
    ------
    InputError
        When the Ray cluster has fewer processors than workers.
    """
    if engine == "local":
        count = workers or worker_count()
        yield Place(count, allowed_bytes(count), working)
        return
    from assay.engine.cluster import (
        cluster_workers,
        connected,
        free_processors,
        memory_per_processor,
    )
    from assay.experiment.search.cluster import working_on_cluster

    with connected():
        most = cluster_workers()
        if workers is not None and workers > most:
            raise InputError(
                "A worker takes a processor of the Ray cluster, and it has fewer.",
                given=f"workers = {workers}",
                allowed=f"at most {most}",
                next_step="ask for fewer workers, or add machines to the cluster",
            )
        memory = memory_per_processor()
        share = None if memory is None else int(SHARE * memory)
        yield Place(workers or free_processors(), share, working_on_cluster)
