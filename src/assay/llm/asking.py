"""Asks one question of many prompts concurrently: ledger first, intents, requests, answers.

Memory grows with the requests in flight, not with the rows: prompts are read chunk by chunk,
and an answer leaves as soon as it is committed.
"""

from __future__ import annotations

import asyncio
import contextlib
import random
import time
from collections import Counter
from collections.abc import Sequence

from pydantic_core import from_json, to_json

from assay.errors import LedgerError
from assay.ledger.amounts import Amount
from assay.ledger.calls import Call, CallBook, Intent
from assay.llm import telemetry
from assay.llm.journal import Journal, is_alive
from assay.llm.model import (
    AskError,
    HopelessError,
    InvalidAnswerError,
    Model,
    Reply,
    TransientError,
    Usage,
)
from assay.llm.pace import Pace
from assay.llm.prompt import Prompt
from assay.llm.questions import Keys, Question
from assay.llm.shared import SharedAnswers
from assay.llm.terms import Part, Sink, Terms

UNREACHED = 8
"""This many requests in a row that no server answered stop the question."""

GRACE_SECONDS = 3.0


class Asking:
    """One question being asked of many prompts. Use it once."""

    def __init__(
        self,
        model: Model,
        question: Question,
        terms: Terms,
        book: CallBook,
        sink: Sink,
        shared: SharedAnswers | None = None,
    ) -> None:
        self.errors: Counter[str] = Counter()
        self._model = model
        self._question = question
        self._terms = terms
        self._book = book
        self._journal = Journal(book, broken=self._stop)
        self._sink = sink
        self._shared = shared
        self._to_share: dict[str, str] = {}
        self._keys = Keys(model.name, question.name, question.extra, model.parameters)
        self._parts = model.capabilities.parts if question.name == "choose" else 1
        self._pace = Pace(terms.limits.in_flight)
        self._chunk = max(16, terms.limits.in_flight)
        self._queue: asyncio.Queue[Part] = asyncio.Queue()
        self._room = asyncio.Event()
        self._open: dict[str, list[tuple[int, int]]] = {}
        self._traced = telemetry.is_on()
        self._unsettled = 0
        self._unreached = 0
        self._hopeless: BaseException | None = None
        self._left_behind: dict[str, list[tuple[int, Amount]]] = {}

    async def run(self, prompts: Sequence[Prompt]) -> None:
        """Ask all; return when every answer is committed.

        Raises
        ------
        HopelessError
            When no request can succeed. What was answered before is kept.
        LedgerError
            When answers could not be recorded.
        """
        workers = [
            asyncio.create_task(self._work(index)) for index in range(self._terms.limits.in_flight)
        ]
        try:
            if self._book.balance().reserved.calls:
                self._left_behind = self._book.left_behind(is_alive)
            await self._produce(prompts)
            while self._open and self._hopeless is None:
                await self._wait_for_room()
        finally:
            self._release_unsent()
            if self._hopeless is not None:
                await self._last_answers()
            for worker in workers:
                worker.cancel()
            await asyncio.gather(*workers, return_exceptions=True)
            try:
                await self._journal.settle()
            finally:
                self._journal.close()
                self._share(at_once=True)
        if self._hopeless is not None:
            raise self._hopeless

    async def _last_answers(self) -> None:
        """Give requests that have left a moment to be answered: they are paid for."""
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(GRACE_SECONDS):
                while self._unsettled and not isinstance(self._hopeless, LedgerError):
                    await self._wait_for_room()

    async def _produce(self, prompts: Sequence[Prompt]) -> None:
        total = len(prompts)
        for start in range(0, total, self._chunk):
            rows = range(start, min(start + self._chunk, total))
            waiting = self._unanswered(prompts, rows)
            reached = await self._enqueue(waiting)
            if reached is not None:
                await self._leave(prompts, range(rows.stop, total), waiting, reached)
                return
            while self._queue.qsize() >= self._chunk and self._hopeless is None:
                await self._wait_for_room()
            if self._hopeless is not None:
                return
            if not waiting:
                await asyncio.sleep(0)  # all from the ledger: let others run

    def _unanswered(self, prompts: Sequence[Prompt], rows: range) -> list[Part]:
        """Hand over what the ledger knows; return the parts that must be asked, each once.

        Nothing here waits, so that an answer cannot be committed between the look into the
        ledger and the look at what is in flight.
        """
        parts = [
            Part(row, number, self._keys.of(prompt, number), prompt, Amount())
            for row in rows
            for prompt in (prompts[row],)
            for number in range(self._parts)
        ]
        known = self._book.answered([part.key for part in parts])
        if self._shared is not None:
            known |= self._taken_over([part.key for part in parts if part.key not in known])
        ask = []
        for part in parts:
            answer = known.get(part.key)
            if answer is not None:
                self._sink.answered(part.row, part.part, from_json(answer), cached=True)
            elif part.key in self._open:
                self._open[part.key].append((part.row, part.part))
            else:
                self._open[part.key] = [(part.row, part.part)]
                worst = self._model.worst(part.prompt, self._question.name, self._question.extra)
                tokens = worst.tokens_in + worst.tokens_out
                part.worst = Amount(self._terms.price.of(worst), tokens, 1)
                ask.append(part)
        return ask

    def _taken_over(self, keys: Sequence[str]) -> dict[str, str]:
        """Return what other projects were answered, and put it on this ledger's record."""
        assert self._shared is not None  # noqa: S101 - the caller looked
        found = self._shared.find(keys)
        self._book.write(
            Call(key, self._model.name, self._question.name, "shared", 0, 0, 0, 0.0, answer=answer)
            for key, answer in found.items()
        )
        return found

    def _share(self, *, at_once: bool = False) -> None:
        if self._shared is not None and len(self._to_share) > (0 if at_once else 255):
            self._shared.add(self._to_share)
            self._to_share = {}

    async def _enqueue(self, parts: list[Part]) -> str | None:
        """Reserve and queue parts in order, removing them; return the cap that stopped it."""
        while parts:
            if time.monotonic() > self._terms.deadline:
                return "minutes"
            intents = [Intent(part.key, part.worst) for part in parts]
            numbers, reached = await self._journal.reserve(intents, self._terms.caps)
            for number in numbers:
                part = parts.pop(0)
                part.intent = number
                self._unsettled += 1
                self._queue.put_nowait(part)
            if reached is None:
                return None
            if self._unsettled == 0:
                return reached
            # What is in flight reserved its worst case; settling it may make room.
            await self._wait_for_room()
            if self._hopeless is not None:
                return None
        return None

    async def _wait_for_room(self) -> None:
        self._room.clear()
        await self._room.wait()

    async def _work(self, index: int) -> None:
        while True:
            if not self._pace.is_open(index):
                await self._pace.turn(index)
            part = await self._queue.get()
            if self._queue.qsize() < self._chunk // 2:
                self._room.set()
            try:
                await self._ask(part)
            except asyncio.CancelledError:
                raise
            except LedgerError as error:
                self._stop(error)
            except Exception as error:  # a defect in a provider must not hang the question
                self._stop(error)

    async def _ask(self, part: Part) -> None:
        limits = self._terms.limits
        for attempt in range(limits.attempts):
            if self._hopeless is not None or time.monotonic() > self._terms.deadline:
                why = str(self._hopeless or "the budget's cap on minutes was reached")
                return self._finish(part, "unsent", 0.0, why=why)
            began = time.monotonic()
            try:
                reply = await self._request(part)
            except HopelessError as error:
                self._finish(
                    part, "failed", time.monotonic() - began, usage=error.usage, error=error
                )
                return self._stop(error)
            except TransientError as error:
                self._note(error)
                if attempt + 1 == limits.attempts or self._hopeless is not None:
                    return self._finish(part, "failed", time.monotonic() - began, error=error)
                await asyncio.sleep(self._wait(attempt, error))
            except InvalidAnswerError as error:
                self.errors[error.kind] += 1
                seconds = time.monotonic() - began
                if part.corrections == limits.corrections:
                    return self._finish(part, "failed", seconds, usage=error.usage, error=error)
                return await self._correct(part, error, seconds)
            except AskError as error:
                self.errors[error.kind] += 1
                seconds = time.monotonic() - began
                return self._finish(part, "failed", seconds, usage=error.usage, error=error)
            else:
                seconds = time.monotonic() - began
                self._unreached = 0
                self._pace.succeeded(seconds)
                return self._finish(part, "answered", seconds, reply=reply)
        return None

    async def _request(self, part: Part) -> Reply:
        if not self._traced:
            return await self._question.ask(self._model, part.prompt, part.part, part.correction)
        with telemetry.request(self._model.name, self._question.name) as span:
            reply = await self._question.ask(self._model, part.prompt, part.part, part.correction)
            span.answered(reply.usage)
            return reply

    def _note(self, error: TransientError) -> None:
        self.errors[error.kind] += 1
        self._pace.congested(error.wait)
        self._unreached = 0 if error.reached else self._unreached + 1
        if self._unreached >= UNREACHED:
            self._stop(HopelessError(str(error), kind=error.kind))

    def _wait(self, attempt: int, error: TransientError) -> float:
        """Return the seconds until the next attempt: what the server asked for, else jittered."""
        if error.wait is not None:
            return error.wait + random.uniform(0, 0.1)  # noqa: S311 - jitter
        limits = self._terms.limits
        longest = min(limits.longest_wait, limits.first_wait * 2**attempt)
        return random.uniform(longest / 2, longest)  # noqa: S311

    async def _correct(self, part: Part, error: InvalidAnswerError, seconds: float) -> None:
        """Record the invalid answer, which was paid for, and queue the row with what was wrong."""
        again = Part(part.row, part.part, part.key, part.prompt, part.worst)
        again.correction = error.correction
        again.corrections = part.corrections + 1
        numbers, reached = await self._journal.reserve(
            [Intent(again.key, again.worst)], self._terms.caps
        )
        if reached is not None:
            return self._finish(part, "failed", seconds, usage=error.usage, error=error)
        again.intent = numbers[0]
        self._unsettled += 1
        call = self._call(part, "invalid", seconds, error.usage, why=str(error))
        self._journal.add(call, self._settled)
        self._queue.put_nowait(again)
        return None

    def _finish(
        self,
        part: Part,
        status: str,
        seconds: float,
        *,
        reply: Reply | None = None,
        usage: Usage | None = None,
        error: AskError | None = None,
        why: str | None = None,
    ) -> None:
        """Journal how a part ended, and tell the sink once that is committed."""
        usage = reply.usage if reply is not None else usage or Usage()
        why = error.problem if error is not None else why
        answer = None if reply is None else to_json(reply.value).decode()
        call = self._call(part, status, seconds, usage, answer=answer, why=why)
        if reply is not None and part.key in self._left_behind:
            self._settle_left_behind(part, usage)

        def then() -> None:
            self._settled()
            if answer is not None and self._shared is not None:
                self._to_share[part.key] = answer
                self._share()
            for row, number in self._open.pop(part.key, ()):
                if reply is not None:
                    self._sink.answered(row, number, reply.value, cached=False)
                elif status == "unsent":
                    self._sink.unasked(row, why or "")
                else:
                    self._sink.failed(row, why or "")

        self._journal.add(call, then)

    def _settle_left_behind(self, part: Part, usage: Usage) -> None:
        """Settle what a killed process had reserved for a request that is answered now.

        A server that replays has been paid once. Of another only an upper bound is known: the
        request may have been answered, and paid for, before. So the record says ``lost``, at
        the price of the answer that came now.
        """
        replays = self._model.capabilities.replays
        for number, worst in self._left_behind.pop(part.key):
            old = Part(part.row, part.part, part.key, part.prompt, worst, number)
            why = "the process that asked was killed before the answer was on record"
            cost, status = (Usage(), "replayed") if replays else (usage, "lost")
            self._unsettled += 1
            self._journal.add(self._call(old, status, 0.0, cost, why=why), self._settled)

    def _call(
        self,
        part: Part,
        status: str,
        seconds: float,
        usage: Usage,
        *,
        answer: str | None = None,
        why: str | None = None,
    ) -> Call:
        return Call(
            key=part.key,
            model=self._model.name,
            question=self._question.name,
            capability=self._terms.capability,
            status=status,
            tokens_in=usage.tokens_in,
            tokens_out=usage.tokens_out,
            money=self._terms.price.of(usage),
            seconds=seconds,
            answer=answer,
            why=why,
            intent=part.intent,
            released=part.worst,
        )

    def _settled(self) -> None:
        self._unsettled -= 1
        self._room.set()

    def _stop(self, error: BaseException) -> None:
        self._hopeless = self._hopeless or error
        self._room.set()

    def _release_unsent(self) -> None:
        """Give back what was reserved for requests that never left."""
        why = "" if self._hopeless is None else str(self._hopeless)
        while not self._queue.empty():
            part = self._queue.get_nowait()
            self._finish(part, "unsent", 0.0, why=why or "stopped")

    async def _leave(
        self, prompts: Sequence[Prompt], rows: range, left: Sequence[Part], reached: str
    ) -> None:
        """Answer the remaining rows from the ledger where it can; say of the others why not."""
        why = f"the budget's cap on {reached} was reached"
        while True:
            for part in left:
                for row, _ in self._open.pop(part.key, ()):
                    self._sink.unasked(row, why)
            if not rows:
                return
            some, rows = rows[: self._chunk], rows[self._chunk :]
            left = self._unanswered(prompts, some)
            await asyncio.sleep(0)
