"""Batches side by side: one thread to a batch, and no thread waits for another inside one.

PyTorch's own threads split every operation and meet after it. A decoder has a thousand short
operations to a batch; on a machine with other work to do, each meeting waits for the slowest.
"""

from __future__ import annotations

from collections.abc import Callable, Generator, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor, as_completed
from contextlib import contextmanager
from dataclasses import dataclass
from typing import TypeVar

import numpy as np
import torch
from numpy.typing import NDArray

Result = TypeVar("Result")
Row = TypeVar("Row")
Indices = NDArray[np.intp]


STEP = 8
"""Rows are padded to a multiple of this many tokens."""


@dataclass(frozen=True)
class Shape:
    """The shape of a batch; it follows from the length of each of its rows alone.

    The last digits of a matrix product depend on the shapes of its factors. With a row's shape
    fixed by itself, its result is the same to the last bit whatever rows are beside it.

    Attributes
    ----------
    rows
        How many it has; where there are fewer, copies fill it up.
    width
        Tokens of each row, padding included.
    """

    rows: int
    width: int

    @classmethod
    def of(cls, length: int, limit: int) -> Shape:
        """Return the shape for rows of ``length`` tokens, ``limit`` tokens to a batch."""
        width = max(1, -(-length // STEP)) * STEP
        return cls(max(1, limit // width), width)


def batches(lengths: Sequence[int], limit: int) -> list[tuple[Shape, Indices]]:
    """Return the indices of rows of like length, longest first, in batches of a shape.

    Parameters
    ----------
    lengths
        Tokens of each row.
    limit
        Most tokens in a batch, padding included, unless one row alone has more.
    """
    order = np.argsort([-length for length in lengths], kind="stable")
    out: list[tuple[Shape, Indices]] = []
    begin = 0
    while begin < len(order):
        shape = Shape.of(lengths[order[begin]], limit)
        end = begin + 1
        while (
            end < min(len(order), begin + shape.rows)
            and Shape.of(lengths[order[end]], limit) == shape
        ):
            end += 1
        out.append((shape, order[begin:end]))
        begin = end
    return out


def filled(batch: Sequence[Row], shape: Shape) -> list[Row]:
    """Return a batch with copies of its first row up to the shape's number of rows."""
    return [*batch, *[batch[0]] * (shape.rows - len(batch))]


def in_parallel(
    work: Callable[[Shape, Indices], Result], given: Sequence[tuple[Shape, Indices]]
) -> Generator[tuple[Indices, Result]]:
    """Yield each batch with ``work``'s result, as they are finished, in any order.

    Closing the iterator, or an error, drops what has not been started.
    """
    threads = torch.get_num_threads()
    pool = ThreadPoolExecutor(threads, initializer=torch.set_num_threads, initargs=(1,))
    try:
        waiting = {pool.submit(work, shape, batch): batch for shape, batch in given}
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
