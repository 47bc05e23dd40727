"""How many requests may be in flight: more while all goes well, fewer when the server is not.

Additive increase, multiplicative decrease (Chiu & Jain 1989), with a fast start; the same
control that shares the internet fairly. Where a server tells its limits, they are not run into:
no more are in flight than it still allows, and none until it allows more.
"""

from __future__ import annotations

import asyncio
import time

START = 64
_SLOW = 4.0
"""Latency beyond this many times the best seen means that requests queue at the server."""


LONGEST_PAUSE = 60.0
"""Seconds; where a server allows nothing for longer, it is tried again all the same."""
_LOOK_AGAIN = 0.02


class Pace:
    """Lets worker ``i`` go on while ``i`` is below the present limit."""

    def __init__(self, most: int) -> None:
        self.most = most
        self.limit = float(min(most, START))
        self.in_flight = 0
        self._left = float("inf")
        self._left_until = 0.0
        self._fast = True
        self._best = float("inf")
        self._latency = 0.0
        self._lowered = 0.0
        self._paused_until = 0.0
        self._waiting: dict[int, asyncio.Future[None]] = {}

    def is_open(self, worker: int) -> bool:
        """Whether this worker may send a request now, told without waiting."""
        return worker < self.limit and not self._paused_until

    @property
    def hold(self) -> float:
        """Seconds after which to look again whether a request may leave; 0 where it may now."""
        if self._paused_until:
            pause = self._paused_until - time.monotonic()
            if pause > 0:
                return pause
            self._paused_until = 0.0
        if self._left < self.in_flight + 1:  # the server may not have counted those in flight
            reset = self._left_until - time.monotonic()
            if reset > 0:
                return min(reset, _LOOK_AGAIN) if self.in_flight else reset
            self._left = float("inf")
        return 0.0

    async def turn(self, worker: int) -> None:
        """Return when this worker may send a request."""
        while True:
            pause = self._paused_until - time.monotonic() if self._paused_until else 0.0
            if pause > 0:
                await asyncio.sleep(pause)
                continue
            self._paused_until = 0.0
            if worker < self.limit:
                return
            future = asyncio.get_running_loop().create_future()
            self._waiting[worker] = future
            await future

    def succeeded(self, seconds: float) -> None:
        """Note an answer and how long it took."""
        self._best = min(self._best * 1.0005, seconds)
        self._latency = seconds if not self._latency else 0.9 * self._latency + 0.1 * seconds
        if self._latency > _SLOW * self._best + 0.02:
            self._fast = False
            if self._latency > 2 * _SLOW * self._best + 0.02:
                self._lower(0.9)
            return
        self._raise(1.0 if self._fast else 1.0 / self.limit)

    def congested(self, wait: float | None = None) -> None:
        """Note that the server is overloaded, and for how long it asks to be left alone."""
        self._fast = False
        self._lower(0.5)
        if wait:
            self._paused_until = max(self._paused_until, time.monotonic() + wait)

    def allowed(self, requests: float, reset: float) -> None:
        """Note how many more requests the server allows, and that it allows all in ``reset`` s."""
        now = time.monotonic()
        if requests <= self._left or now > self._left_until:
            self._left, self._left_until = requests, now + min(reset, LONGEST_PAUSE)

    def _raise(self, step: float) -> None:
        if self.limit < self.most:
            self.limit = min(self.limit + step, float(self.most))
            if self._waiting:
                self._wake()

    def _lower(self, factor: float) -> None:
        now = time.monotonic()
        if now - self._lowered > self._latency:  # once for each round trip
            self._lowered = now
            self.limit = max(1.0, self.limit * factor)

    def _wake(self) -> None:
        for worker in [each for each in self._waiting if each < self.limit]:
            future = self._waiting.pop(worker)
            if not future.done():
                future.set_result(None)
