"""Asks one question of many prompts concurrently: ledger first, intents, requests, answers.

Memory grows with the requests in flight, not with the rows: prompts are read chunk by chunk,
and an answer leaves as soon as it is committed. A worker sends its next request only once its
last answer is committed (in the same transaction as the intent of the next), so that what is
not on record is never more than what is in flight.
"""

from __future__ import annotations

import asyncio
import contextlib
import time
from collections import Counter
from collections.abc import Sequence

from assay.errors import LedgerError
from assay.ledger.amounts import NOTHING, Amount
from assay.ledger.calls import CallBook
from assay.llm.attempts import Attempts
from assay.llm.journal import CapReachedError
from assay.llm.model import Model
from assay.llm.pace import Pace
from assay.llm.prompt import Prompt
from assay.llm.questions import Keys, Question
from assay.llm.record import Record
from assay.llm.shared import SharedAnswers
from assay.llm.stopping import Stop, to_the_end
from assay.llm.terms import Outcome, Part, Sink, Terms

_LONGEST_ALARM = 10.0**8

GRACE_SECONDS = 3.0
"""How long requests in flight may still be answered when the question is stopped."""


async def ask(
    model: Model,
    question: Question,
    terms: Terms,
    book: CallBook,
    sink: Sink,
    shared: SharedAnswers | None,
    errors: Counter[str],
    prompts: Sequence[Prompt],
) -> None:
    """Ask a question of all prompts; return when every answer is committed.

    ``errors`` counts the requests that went wrong, by kind. A cancellation lets no further
    request leave, waits a moment for those that have left, and goes on once what they were
    answered is committed; a second one does not wait.

    Raises
    ------
    HopelessError
        When no request can succeed. What was answered before is kept.
    LedgerError
        When answers could not be recorded.
    """
    await _Asking(model, question, terms, book, sink, shared, errors).run(prompts)


class _Asking:
    """One question being asked of many prompts. Use it once."""

    def __init__(
        self,
        model: Model,
        question: Question,
        terms: Terms,
        book: CallBook,
        sink: Sink,
        shared: SharedAnswers | None,
        errors: Counter[str],
    ) -> None:
        self._model = model
        self._question = question
        self._terms = terms
        self._sink = sink
        self._keys = Keys(model.name, question.name, question.extra, model.parameters)
        self._parts = model.capabilities.parts if question.name == "choose" else 1
        self._stop = Stop()
        self._news = asyncio.Event()
        self._reached: str | None = None
        self._pace = Pace(terms.limits.in_flight)
        self._record = Record(
            model,
            question,
            terms,
            book,
            sink,
            shared,
            settled=self._news.set,
            broken=self._stop_for,
        )
        self._attempts = Attempts(
            model, question, terms, self._pace, self._stop, self._record, errors
        )
        self._chunk = max(16, terms.limits.in_flight)
        self._queue: asyncio.Queue[Part] = asyncio.Queue()

    async def run(self, prompts: Sequence[Prompt]) -> None:
        workers = [
            asyncio.create_task(self._work(index)) for index in range(self._terms.limits.in_flight)
        ]
        alarm = self._alarm()
        try:
            self._record.look_back()
            await self._produce(prompts)
            while self._record.waiting and not self._stop.is_set:
                await self._wait_for_news()
        finally:
            self._stop.set()
            alarm.cancel()
            try:
                await self._last_answers()
            finally:
                await to_the_end(self._close(workers))
        if self._stop.error is not None:
            raise self._stop.error

    def _alarm(self) -> asyncio.TimerHandle:
        """Let the cap on minutes be reached when it is time."""
        left = self._terms.deadline - time.monotonic()
        if left <= 0:
            self._reach("minutes")
        longest = min(max(left, 0.0), _LONGEST_ALARM)
        return asyncio.get_running_loop().call_later(longest, self._reach, "minutes")

    async def _last_answers(self) -> None:
        """Give requests that have left a moment to be answered: they are paid for."""
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(GRACE_SECONDS):
                while self._record.journal.unsettled:
                    if isinstance(self._stop.error, LedgerError):
                        return
                    await self._wait_for_news()

    async def _close(self, workers: Sequence[asyncio.Task[None]]) -> None:
        for worker in workers:
            worker.cancel()
        await asyncio.gather(*workers, return_exceptions=True)
        await self._record.close()

    async def _produce(self, prompts: Sequence[Prompt]) -> None:
        total = len(prompts)
        for start in range(0, total, self._chunk):
            rows = range(start, min(start + self._chunk, total))
            new = self._record.unanswered(self._parts_of(prompts, rows))
            for part in new:
                if self._reached is None:
                    part.worst = self._worst(part)
                    self._queue.put_nowait(part)
                else:
                    self._leave(part)
            while self._queue.qsize() >= self._chunk and not self._stop.is_set:
                await self._wait_for_news()
            if self._stop.is_set:
                return
            if not new:
                await asyncio.sleep(0)  # all from the ledger: let others run

    def _parts_of(self, prompts: Sequence[Prompt], rows: range) -> list[Part]:
        return [
            Part(row, number, self._keys.of(prompt, number), prompt, NOTHING)
            for row in rows
            for prompt in (prompts[row],)
            for number in range(self._parts)
        ]

    def _worst(self, part: Part) -> Amount:
        worst = self._model.worst(part.prompt, self._question.name, self._question.extra)
        return Amount(self._terms.price.of(worst), worst.tokens_in + worst.tokens_out, 1)

    async def _work(self, index: int) -> None:
        while True:
            if not self._pace.is_open(index):
                await self._pace.turn(index)
            part = await self._queue.get()
            if self._queue.qsize() < self._chunk // 2:
                self._news.set()
            try:
                await self._ask(part)
            except CapReachedError as reached:
                self._reach(str(reached))
                self._leave(part)
            except Exception as error:  # a defect in a provider must not hang the question
                self._stop_for(error)

    async def _ask(self, part: Part) -> None:
        while not self._stop.is_set:
            await self._record.journal.reserve(part)
            outcome = await self._attempts.ask(part)
            if outcome.status == "invalid" and part.corrections == self._terms.limits.corrections:
                outcome.status = "failed"
            self._record.finish(part, outcome)
            if outcome.status != "invalid":
                return
            part.corrections += 1
            part.correction = outcome.correction

    def _reach(self, cap: str) -> None:
        """Note that a cap of the budget lets no further request leave."""
        self._reached = self._reached or cap
        while not self._queue.empty():
            self._leave(self._queue.get_nowait())

    def _leave(self, part: Part) -> None:
        """Tell the rows of a part that a cap leaves them unanswered."""
        if part.corrections:
            outcome = Outcome("failed", why=f"The answer was not valid: {part.correction}")
        else:
            outcome = Outcome("unsent", why=f"the budget's cap on {self._reached} was reached")
        self._record.give(part, outcome)
        self._news.set()

    def _stop_for(self, error: BaseException) -> None:
        self._stop.set(error)
        self._news.set()

    async def _wait_for_news(self) -> None:
        self._news.clear()
        await self._news.wait()
