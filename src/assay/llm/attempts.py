"""Asks for one part of one row: again while the server is unwell, not when it is hopeless."""

from __future__ import annotations

import random
import time
from collections import Counter

from assay.llm import telemetry
from assay.llm.hedging import hedged
from assay.llm.model import (
    AskError,
    HopelessError,
    InvalidAnswerError,
    Model,
    Reply,
    TransientError,
)
from assay.llm.pace import Pace
from assay.llm.questions import Question
from assay.llm.record import Record
from assay.llm.stopping import Stop
from assay.llm.terms import Outcome, Part, Terms

UNREACHED = 8
"""This many requests in a row that no server answered stop the question."""


class Attempts:
    """Asks a model one question, part by part, and counts what goes wrong in ``errors``."""

    def __init__(
        self,
        model: Model,
        question: Question,
        terms: Terms,
        pace: Pace,
        stop: Stop,
        record: Record,
        errors: Counter[str],
    ) -> None:
        self._model = model
        self._question = question
        self._limits = terms.limits
        self._deadline = terms.deadline
        self._pace = pace
        self._stop = stop
        self._record = record
        self._errors = errors
        self._traced = telemetry.is_on()
        self._unreached = 0

    async def ask(self, part: Part) -> Outcome:
        """Return how it went in the end."""
        for attempt in range(1, self._limits.attempts + 1):
            await self._hold()
            if self._stop.is_set:
                return Outcome("unsent", why=self._stop.why)
            began = time.monotonic()
            if began > self._deadline:
                return Outcome("unsent", why="the budget's cap on minutes was reached")
            try:
                reply = await self._answer(part)
            except TransientError as error:
                self._note(error)
                if attempt == self._limits.attempts or self._stop.is_set:
                    return _failed(part, error, began)
                await self._sleep(self._wait(attempt, error))
            except AskError as error:
                self._errors[error.kind] += 1
                if isinstance(error, HopelessError):
                    self._stop.set(error)
                return _failed(part, error, began)
            else:
                seconds = time.monotonic() - began
                self._unreached = 0
                self._pace.succeeded(seconds)
                if reply.allowances:
                    self._heed(reply)
                return Outcome("answered", reply.value, reply.usage, seconds)
        raise AssertionError("the last attempt returns")

    async def _hold(self) -> None:
        """Wait while the server wants to be left alone, or allows no more."""
        while seconds := self._pace.hold:
            if self._stop.is_set or time.monotonic() > self._deadline:
                return
            await self._sleep(seconds)

    async def _sleep(self, seconds: float) -> None:
        """Sleep, but no longer than until the stop or the deadline."""
        await self._stop.sleep(min(seconds, max(0.0, self._deadline - time.monotonic())))

    async def _answer(self, part: Part) -> Reply:
        seconds = self._limits.hedge_after
        if seconds is None:
            return await self._request(part)
        return await hedged(self._request, part, self._record, self._stop, seconds)

    async def _request(self, part: Part) -> Reply:
        self._record.leaves(part)
        self._pace.in_flight += 1
        try:
            return await self._traced_request(part)
        finally:
            self._pace.in_flight -= 1

    async def _traced_request(self, part: Part) -> Reply:
        if not self._traced:
            return await self._question.ask(self._model, part.prompt, part.part, part.correction)
        with telemetry.request(self._model.name, self._question.name) as span:
            reply = await self._question.ask(self._model, part.prompt, part.part, part.correction)
            span.answered(reply.usage)
            return reply

    def _heed(self, reply: Reply) -> None:
        """Keep within the limit that allows the fewest requests like this one."""
        tokens = reply.usage.tokens_in + reply.usage.tokens_out
        least = min(reply.allowances, key=lambda each: each.requests(tokens))
        self._pace.allowed(least.requests(tokens), least.reset)

    def _note(self, error: TransientError) -> None:
        self._errors[error.kind] += 1
        self._pace.congested(error.wait)
        self._unreached = 0 if error.reached else self._unreached + 1
        if self._unreached >= UNREACHED:
            self._stop.set(HopelessError(str(error), kind=error.kind))

    def _wait(self, attempt: int, error: TransientError) -> float:
        """Return the seconds until the next attempt: what the server asked for, else jittered."""
        if error.wait is not None:
            return error.wait + random.uniform(0, 0.1)  # noqa: S311 - jitter
        limits = self._limits
        longest = min(limits.longest_wait, limits.first_wait * 2 ** (attempt - 1))
        return random.uniform(longest / 2, longest)  # noqa: S311


def _failed(part: Part, error: AskError, began: float) -> Outcome:
    invalid = isinstance(error, InvalidAnswerError)
    why = error.problem
    if error.kind == "too long":
        why = f"{why} The row's text has {len(part.prompt.text):,} characters."
    return Outcome(
        "invalid" if invalid else "failed",
        usage=error.usage,
        seconds=time.monotonic() - began,
        why=why,
        correction=error.correction if isinstance(error, InvalidAnswerError) else "",
    )
