"""A second, identical request beside one that takes long: the first answer counts."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from dataclasses import replace
from typing import Any

from assay.llm.model import AskError, Reply, Usage
from assay.llm.record import Record
from assay.llm.stopping import Stop
from assay.llm.terms import Part

WHY = "a second request was answered first"


async def hedged(
    send: Callable[[Part], Awaitable[Reply]],
    part: Part,
    record: Record,
    stop: Stop,
    seconds: float,
) -> Reply:
    """Return the first answer to ``part``, asked a second time after so many seconds.

    The second request is reserved as the first is. What it cost is recorded as ``lost``: the
    tokens that the slower answer took where they are known, else those of the answer that
    counts, for a request that was left may be paid for all the same.
    """
    first = asyncio.ensure_future(send(part))
    try:
        await asyncio.wait({first}, timeout=seconds)
        if first.done() or stop.is_set:
            return await first
        again = replace(part, intent=None)
        if not await _reserved(again, first, record):
            return await first
        second = asyncio.ensure_future(send(again))
        try:
            return await _first_answer(first, second, again, record)
        finally:
            second.cancel()
    finally:
        first.cancel()


async def _reserved(again: Part, first: asyncio.Future[Reply], record: Record) -> bool:
    """Whether the second request may leave; not where the first is answered before it may."""
    reserved: asyncio.Future[bool] = asyncio.get_running_loop().create_future()

    def told(part: Part, reached: str | None) -> None:
        if not reserved.done():
            reserved.set_result(reached is None)
        elif reached is None:
            record.release(part)

    record.journal.reserve(again, told)
    either: set[asyncio.Future[Any]] = {first, reserved}
    await asyncio.wait(either, return_when=asyncio.FIRST_COMPLETED)
    if not reserved.done():
        reserved.cancel()
        return False
    return reserved.result()


async def _first_answer(
    first: asyncio.Future[Reply], second: asyncio.Future[Reply], again: Part, record: Record
) -> Reply:
    done, waiting = await asyncio.wait({first, second}, return_when=asyncio.FIRST_COMPLETED)
    if waiting and all(each.exception() is not None for each in done):
        done, waiting = await asyncio.wait({first, second})
    answered = [each for each in (first, second) if each in done and each.exception() is None]
    left = second if not answered or answered[0] is first else first
    if answered:
        reply = answered[0].result()
        record.lose(again, _usage(left, reply.usage), WHY)
        return reply
    record.lose(again, _usage(left, Usage()), "it failed, as the first did")
    return first.result()  # raises what it raised


def _usage(left: asyncio.Future[Reply], otherwise: Usage) -> Usage:
    """Return what a request that does not count has cost, as far as is known."""
    if not left.done():
        return otherwise
    error = left.exception()
    if error is None:
        return left.result().usage
    return error.usage if isinstance(error, AskError) else Usage()
