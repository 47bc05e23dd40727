"""Asks one question of many prompts concurrently: ledger first, intents, requests, answers.

Memory grows with the requests in flight, not with the rows: prompts are read chunk by chunk,
and an answer is handed over as soon as it is committed. Intents are written ahead of the
requests, so that a worker never waits for the ledger.
"""

from __future__ import annotations

import asyncio
import contextlib
import time
from collections import Counter
from collections.abc import Sequence
from dataclasses import replace

from assay.errors import LedgerError
from assay.ledger import Ledger
from assay.ledger.amounts import NOTHING, Amount
from assay.ledger.calls import CallBook
from assay.llm.attempts import Attempts
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
    ledger: Ledger,
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
    await _Asking(model, question, terms, ledger, book, sink, shared, errors).run(prompts)


class _Asking:
    """One question being asked of many prompts. Use it once."""

    def __init__(
        self,
        model: Model,
        question: Question,
        terms: Terms,
        ledger: Ledger,
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
            ledger,
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
        self._ready: asyncio.Queue[Part] = asyncio.Queue()
        self._ahead = 0

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
            while not self._ready.empty():
                self._keep_back(self._ready.get_nowait())
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
                self._want(part)
            while self._ahead >= self._chunk and not self._stop.is_set:
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
        worst = self._model.worst(
            part.prompt, self._question.name, self._question.extra_of(part.prompt)
        )
        return Amount(self._terms.price.of(worst), worst.tokens_in + worst.tokens_out, 1)

    def _want(self, part: Part) -> None:
        """Have the intent of a part written, unless a cap was reached."""
        if self._reached is not None:
            self._leave(part)
        else:
            part.worst = self._worst(part)
            self._ahead += 1
            self._record.journal.reserve(part, self._reserved)

    def _reserved(self, part: Part, reached: str | None) -> None:
        if reached is not None:
            self._ahead -= 1
            self._reach(reached)
            self._leave(part)
        elif self._stop.is_set:
            self._keep_back(part)
        else:
            self._ready.put_nowait(part)

    def _keep_back(self, part: Part) -> None:
        """Release what is reserved for a part whose request will not leave."""
        self._ahead -= 1
        self._record.finish(part, Outcome("unsent", why=self._stop.why))

    async def _work(self, index: int) -> None:
        while True:
            if not self._pace.is_open(index):
                await self._pace.turn(index)
            if self._ready.empty():
                self._record.journal.hurry()
            part = await self._ready.get()
            self._ahead -= 1
            if self._ahead < self._chunk // 2:
                self._news.set()
            try:
                await self._ask(part)
            except Exception as error:  # a defect in a provider must not hang the question
                self._stop_for(error)

    async def _ask(self, part: Part) -> None:
        outcome = await self._attempts.ask(part)
        again = outcome.status == "invalid" and part.corrections < self._terms.limits.corrections
        if outcome.status == "invalid" and not again:
            outcome.status = "failed"
        self._record.finish(part, outcome)
        if again:
            correction = outcome.correction
            self._want(replace(part, corrections=part.corrections + 1, correction=correction))

    def _reach(self, cap: str) -> None:
        """Note that a cap of the budget lets no further request leave."""
        self._reached = self._reached or cap

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
