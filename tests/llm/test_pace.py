from __future__ import annotations

import asyncio
import time

from assay.llm.pace import START, Pace


def test_it_grows_while_all_is_well_and_halves_when_it_is_not() -> None:
    pace = Pace(500)
    assert pace.limit == START
    for _ in range(1000):
        pace.succeeded(0.05)
    assert pace.limit == 500
    pace.congested()
    assert pace.limit == 250
    pace.congested()  # the same round trip: once is enough
    assert pace.limit == 250
    before = pace.limit
    for _ in range(int(before)):
        pace.succeeded(0.05)
    assert before < pace.limit < before + 2  # one more for each round trip


def test_rising_latency_lowers_it() -> None:
    pace = Pace(500)
    for _ in range(500):
        pace.succeeded(0.001)
    assert pace.limit == 500
    for _ in range(100):
        pace.succeeded(1.0)
    assert pace.limit < 500


def test_it_never_starves() -> None:
    pace = Pace(4)
    pace._latency = -1.0
    for _ in range(50):
        pace.congested()
    assert pace.limit == 1


def test_a_pause_holds_every_worker_and_a_higher_limit_lets_them_go() -> None:
    async def run() -> float:
        pace = Pace(4)
        pace.limit = 1.0
        waiting = asyncio.create_task(pace.turn(2))
        await asyncio.sleep(0)
        assert not waiting.done()
        pace._fast = True
        pace.succeeded(0.01)
        pace.succeeded(0.01)
        await asyncio.wait_for(waiting, 1)
        pace.congested(wait=0.2)
        began = time.monotonic()
        await pace.turn(0)
        return time.monotonic() - began

    assert asyncio.run(run()) >= 0.19
