"""Puts how each request went on record, and hands its answer over once that is committed."""

from __future__ import annotations

from collections.abc import Callable, Sequence

from pydantic_core import from_json, to_json

from assay.ledger import Ledger
from assay.ledger.amounts import Amount
from assay.ledger.calls import Call, CallBook
from assay.llm.flights import Flights, put_on_record
from assay.llm.journal import Journal, is_alive
from assay.llm.model import Model, Usage
from assay.llm.questions import Question
from assay.llm.shared import SharedAnswers
from assay.llm.terms import Outcome, Part, Sink, Terms

_SHARED_AT_ONCE = 256


class Record:
    """What one question has on record, and the rows that wait for it.

    ``waiting`` holds, by key, the rows and parts that an answer is for. ``settled`` is told
    after each commit.
    """

    def __init__(
        self,
        model: Model,
        question: Question,
        terms: Terms,
        ledger: Ledger,
        book: CallBook,
        sink: Sink,
        shared: SharedAnswers | None,
        *,
        settled: Callable[[], None],
        broken: Callable[[BaseException], None],
    ) -> None:
        self.waiting: dict[str, list[tuple[int, int]]] = {}
        self.journal = Journal(book, terms.caps, broken=broken)
        self._flights = Flights(ledger.flights, self.journal.owner, book.run)
        self._ledger = ledger
        self._model = model
        self._question = question
        self._terms = terms
        self._book = book
        self._sink = sink
        self._shared = shared
        self._settled = settled
        self._to_share: dict[str, str] = {}
        self._left_behind: dict[str, list[tuple[int, Amount]]] = {}

    def look_back(self) -> None:
        """Find what killed processes had noted, and the intents that they left unsettled."""
        put_on_record(self._ledger, is_alive)
        if self._book.balance().reserved.calls:
            self._left_behind = self._book.left_behind(is_alive)

    def unanswered(self, parts: Sequence[Part]) -> list[Part]:
        """Hand over what is known; return the parts that must be asked, each different one once.

        Nothing here waits, so that an answer cannot be committed between the look into the
        ledger and the look at what is waiting.
        """
        known = self._book.answered([part.key for part in parts])
        if self._shared is not None:
            known |= self._taken_over([part.key for part in parts if part.key not in known])
        new = []
        for part in parts:
            answer = known.get(part.key)
            if answer is not None:
                self._sink.answered(part.row, part.part, from_json(answer), cached=True)
            elif part.key in self.waiting:
                self.waiting[part.key].append((part.row, part.part))
            else:
                self.waiting[part.key] = [(part.row, part.part)]
                new.append(part)
        return new

    def leaves(self, part: Part) -> None:
        """Note that the request of a part leaves now."""
        assert part.intent is not None  # noqa: S101 - it is reserved
        self._flights.left(part.intent)

    def finish(self, part: Part, outcome: Outcome) -> None:
        """Put down how a request went; its rows are told once that is committed."""
        answer = None
        if outcome.status == "answered":
            answer = to_json(outcome.value).decode()
            if part.key in self._left_behind:
                self._settle_left_behind(part, outcome.usage)

        def then() -> None:
            if answer is not None and self._shared is not None:
                self._share(part.key, answer)
            if outcome.status != "invalid":
                self.give(part, outcome)

        self._put_down(self._call(part, outcome, answer), then)

    def give(self, part: Part, outcome: Outcome) -> None:
        """Tell the rows that wait for a part how it ended."""
        for row, number in self.waiting.pop(part.key, ()):
            if outcome.status == "answered":
                self._sink.answered(row, number, outcome.value, cached=False)
            elif outcome.status == "unsent":
                self._sink.unasked(row, outcome.why)
            else:
                self._sink.failed(row, outcome.why)

    async def close(self) -> None:
        """Return when all is committed; raise what stopped it."""
        try:
            await self.journal.settle()
        finally:
            self.journal.close()
            self._flights.close()
            if self._shared is not None:
                self._shared.add(self._to_share)

    def release(self, part: Part) -> None:
        """Settle a reservation whose request never left; its rows still wait for another."""
        self._put_down(self._call(part, Outcome("unsent"), None), lambda: None)

    def lose(self, part: Part, usage: Usage, why: str) -> None:
        """Settle a request whose answer does not count, at what it has cost at most.

        A server that replays has been paid once for both.
        """
        lost = Outcome("lost", usage=usage, why=why)
        if self._model.capabilities.replays:
            lost = Outcome("replayed", why=why)
        self._put_down(self._call(part, lost, None), lambda: None)

    def _put_down(self, call: Call, then: Callable[[], None]) -> None:
        """Note a call, which outlives this process, and have it committed."""

        def committed() -> None:
            if call.intent is not None:
                self._flights.settled(call.intent)
            then()
            self._settled()

        self.journal.add(call, committed)
        self._flights.landed(call)

    def _settle_left_behind(self, part: Part, usage: Usage) -> None:
        """Settle what a killed process had reserved for a request that is answered now.

        Only an upper bound is known: the request may have been answered, and paid for, before.
        So it is recorded at the price of the answer that came now.
        """
        for number, worst in self._left_behind.pop(part.key):
            self.journal.unsettled += 1  # it was another process's; now it is ours to settle
            old = Part(part.row, part.part, part.key, part.prompt, worst, number)
            self.lose(
                old, usage, "the process that asked was killed before the answer was on record"
            )

    def _taken_over(self, keys: Sequence[str]) -> dict[str, str]:
        """Return what other projects were answered, and put it on this ledger's record."""
        assert self._shared is not None  # noqa: S101 - the caller looked
        found = self._shared.find(keys)
        self._book.write(
            Call(key, self._model.name, self._question.name, "shared", 0, 0, 0, 0.0, answer=answer)
            for key, answer in found.items()
        )
        return found

    def _share(self, key: str, answer: str) -> None:
        self._to_share[key] = answer
        if len(self._to_share) >= _SHARED_AT_ONCE:
            assert self._shared is not None  # noqa: S101 - the caller looked
            self._shared.add(self._to_share)
            self._to_share = {}

    def _call(self, part: Part, outcome: Outcome, answer: str | None) -> Call:
        return Call(
            key=part.key,
            model=self._model.name,
            question=self._question.name,
            capability=self._terms.capability,
            status=outcome.status,
            tokens_in=outcome.usage.tokens_in,
            tokens_out=outcome.usage.tokens_out,
            money=self._terms.price.of(outcome.usage),
            seconds=outcome.seconds,
            answer=answer,
            why=outcome.why or None,
            intent=part.intent,
            released=part.worst,
        )
