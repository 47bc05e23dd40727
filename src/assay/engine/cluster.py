"""Work on a Ray cluster: a pool of actors on Ray Data, results in the order of the work."""

from __future__ import annotations

import logging
import os
import pickle
import socket
from collections.abc import Callable, Iterator, Sequence
from contextlib import AbstractContextManager, contextmanager
from importlib.util import find_spec
from typing import Any, TypeVar

import numpy as np

from assay.errors import AssayError, MissingExtraError

Item = TypeVar("Item")
Result = TypeVar("Result")
Work = Callable[[Item], Result]
MakeWorker = Callable[[], AbstractContextManager[Work[Item, Result]]]

ADDRESS = "RAY_ADDRESS"

ANSWER_SECONDS = 5.0
"""So long a cluster may take to take a connection."""

RETRIES = 9
"""How often an item is begun again after its worker was lost. A lost worker can cost the items
that wait for it two tries; without a bound, one that ends every worker would be tried for ever.
"""


def require_ray() -> None:
    """Raise a `MissingExtraError` where Ray is not installed."""
    if find_spec("ray") is None:
        raise MissingExtraError("Ray, which spreads work over machines,", "ray")


def _require_the_cluster() -> None:
    """Raise where nothing answers at ``RAY_ADDRESS``: Ray itself would try for minutes."""
    address = os.environ.get(ADDRESS, "")
    host, _, port = address.rpartition("://")[2].rpartition(":")
    if not (host and port.isdecimal()):  # none, "auto" or "local"
        return
    try:
        socket.create_connection((host.strip("[]"), int(port)), ANSWER_SECONDS).close()
    except OSError as error:
        raise AssayError(
            "The Ray cluster does not answer.",
            given=f"{ADDRESS}={address}: {error.strerror or error}",
            allowed="the address of a running cluster, or none for one on this machine",
            next_step=f"start it with ray start --head, or unset {ADDRESS}",
        ) from error


def cluster_workers() -> int:
    """Return how many actors the cluster has room for: its processors."""
    with connected() as ray:
        return max(1, int(ray.cluster_resources().get("CPU", 1)))


def free_processors() -> int:
    """Return how many processors of the cluster nobody uses now, at least one."""
    with connected() as ray:
        return max(1, int(ray.available_resources().get("CPU", 1)))


def memory_per_processor() -> int | None:
    """Return the bytes that Ray has for each processor, on the machine that has the least."""
    with connected() as ray:
        found = [each["Resources"] for each in ray.nodes() if each["Alive"]]
    shares = [
        each["memory"] / each["CPU"] for each in found if each.get("CPU") and "memory" in each
    ]
    return int(min(shares)) if shares else None


def cluster_machines() -> int:
    """Return over how many machines the nodes of the cluster are spread."""
    with connected() as ray:
        alive = (each for each in ray.nodes() if each["Alive"])
        return len({each["NodeManagerHostname"] for each in alive})


def run_on_cluster(
    make: MakeWorker[Item, Result], items: Sequence[Item], *, workers: int
) -> Iterator[Result]:
    """Yield the result of each item, in order, from a pool of actors.

    ``RAY_ADDRESS`` names a running cluster; without it one is started on this machine, and
    stopped at the end. An actor that is lost is made anew, and its items are begun again.

    Parameters
    ----------
    make
        Called once in each actor; yields what does the work and cleans up at the end. It is
        pickled, and so are items and results.
    workers
        Actors.

    Raises
    ------
    MissingExtraError
        When Ray is not installed.
    AssayError
        What an item's work raised, or that its worker was lost again and again.
    """
    with connected(), _lost_told():
        import ray.data as ray_data

        context = ray_data.DataContext.get_current().copy()
        context.execution_options.preserve_order = True
        context.enable_progress_bars = False
        packed = [{"item": pickle.dumps(item)} for item in items]
        with ray_data.DataContext.current(context):
            rows = ray_data.from_items(packed, override_num_blocks=max(1, len(packed)))
            done = rows.map_batches(
                _Actor,
                fn_constructor_args=(make,),
                batch_size=1,
                num_cpus=1,
                compute=ray_data.ActorPoolStrategy(size=workers),
                max_task_retries=RETRIES,
            )
            for row in done.iter_rows():
                result = pickle.loads(row["result"])  # noqa: S301 - written by our own actor
                if isinstance(result, AssayError):
                    raise result
                yield result


@contextmanager
def _lost_told() -> Iterator[None]:
    """Say in plain words that workers were lost once too often."""
    from ray.exceptions import RayActorError

    try:
        yield
    except RayActorError as error:
        raise AssayError(
            "The workers on the Ray cluster were lost again and again, at the same piece of work.",
            given=f"{1 + RETRIES} tries, the last ended by {type(error).__name__}",
            next_step="see in Ray's logs what ended them (often too little memory), then give the "
            "same command again: what is recorded is not done twice",
        ) from error


class _Actor:
    """Does the work of one item at a time; what it opened lasts as long as it does."""

    def __init__(self, make: MakeWorker[Any, Any]) -> None:
        self._context = make()
        self._work = self._context.__enter__()

    def __call__(self, batch: dict[str, Any]) -> dict[str, Any]:
        """Return the pickled results of a batch of pickled items."""
        results = np.empty(len(batch["item"]), dtype=object)
        for place, item in enumerate(batch["item"]):
            results[place] = pickle.dumps(self._done(pickle.loads(item)))  # noqa: S301 - as above
        return {"result": results}

    def _done(self, item: Any) -> Any:
        try:
            return self._work(item)
        except AssayError as error:
            return error


@contextmanager
def connected() -> Iterator[Any]:
    """Yield Ray, connected; what was not running before is stopped again.

    Work inside one block shares one start of a cluster on this machine, which takes seconds.

    Raises
    ------
    AssayError
        When nothing answers at the address in ``RAY_ADDRESS``.
    """
    require_ray()
    import ray

    started = not ray.is_initialized()
    if started:
        _require_the_cluster()
        ray.init(
            include_dashboard=False,
            log_to_driver=False,
            logging_level=logging.ERROR,
            configure_logging=False,
        )
    try:
        yield ray
    finally:
        if started:
            ray.shutdown()
