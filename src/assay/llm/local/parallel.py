"""Batches side by side: one thread to a batch, and no thread waits for another inside one.

PyTorch's own threads split every operation and meet after it. A decoder has a thousand short
operations to a batch; on a machine with other work to do, each meeting waits for the slowest.
"""

from __future__ import annotations

from collections.abc import Callable, Generator, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor, as_completed
from contextlib import contextmanager
from typing import TypeVar

import numpy as np
import torch
from numpy.typing import NDArray

Result = TypeVar("Result")
Indices = NDArray[np.intp]


def batches(lengths: Sequence[int], limit: int) -> list[Indices]:
    """Return the indices of rows of like length, longest first, in batches.

    Parameters
    ----------
    lengths
        Tokens of each row.
    limit
        Most tokens in a batch, padding included, unless one row alone has more. Batches are
        smaller where there would be fewer of them than threads.
    """
    limit = min(limit, max(lengths, default=1) - 1 + sum(lengths) // torch.get_num_threads())
    order = np.argsort([-length for length in lengths], kind="stable")
    out, begin = [], 0
    while begin < len(order):
        end = begin + max(1, limit // max(1, lengths[order[begin]]))
        out.append(order[begin:end])
        begin = end
    return out


def in_parallel(
    work: Callable[[Indices], Result], given: Sequence[Indices]
) -> Generator[tuple[Indices, Result]]:
    """Yield each batch with ``work``'s result, as they are finished, in any order.

    Closing the iterator, or an error, drops what has not been started.
    """
    threads = torch.get_num_threads()
    pool = ThreadPoolExecutor(threads, initializer=torch.set_num_threads, initargs=(1,))
    try:
        waiting = {pool.submit(work, batch): batch for batch in given}
        for done in as_completed(waiting):
            yield waiting.pop(done), done.result()
    finally:
        pool.shutdown(cancel_futures=True)
        torch.set_num_threads(threads)  # new threads would otherwise start with one


@contextmanager
def one_thread() -> Iterator[None]:
    """Keep this thread's operations whole: a single row gains little from more threads."""
    before = torch.get_num_threads()
    torch.set_num_threads(1)
    try:
        yield
    finally:
        torch.set_num_threads(before)
