"""What the steps of asking in batches share: the rows, the batches, and how rows are settled."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from functools import partial

from assay.ledger import Ledger
from assay.ledger.batches import Batch, BatchBook
from assay.ledger.calls import Call, CallBook
from assay.llm.batch.exchange import Asked, Exchange
from assay.llm.batch.holding import Holding
from assay.llm.batch.server import BatchServer
from assay.llm.model import Model, Usage
from assay.llm.prompt import Prompt
from assay.llm.questions import Question
from assay.llm.runner import LoopThread
from assay.llm.shared import SharedAnswers
from assay.llm.terms import Sink, Terms

Tell = Callable[[str, int, int], None]
"""Told the state of the batches, and the requests done and in all."""

AT_ONCE = 256
"""Rows that are made, read or committed together."""


@dataclass(slots=True)
class Wanted:
    """One request to make: a part of the first of the rows that need its answer.

    Attributes
    ----------
    others
        (row, part) of further rows that need it; None where there are none.
    is_needed
        Whether a row waits for it; else only its price is still to be put on record.
    """

    key: str
    row: int
    part: int
    others: list[tuple[int, int]] | None = None
    is_needed: bool = True
    correction: str = ""
    corrections: int = 0

    def add(self, row: int, part: int) -> None:
        """Let another row wait for it."""
        if self.others is None:
            self.others = []
        self.others.append((row, part))

    @property
    def targets(self) -> list[tuple[int, int]]:
        """(row, part) of all rows that wait."""
        return [(self.row, self.part), *(self.others or ())] if self.is_needed else []


@dataclass
class Outstanding:
    """A batch at the provider, and those of its rows that are wanted."""

    batch: Batch
    wanted: dict[str, Wanted]

    @property
    def remote(self) -> str:
        """The provider's name for it."""
        assert self.batch.remote is not None  # noqa: S101 - it was submitted
        return self.batch.remote

    @property
    def is_needed(self) -> bool:
        """Whether a row waits for it."""
        return any(each.is_needed for each in self.wanted.values())


@dataclass
class Job:
    """One question being asked in batches."""

    model: Model
    question: Question
    terms: Terms
    ledger: Ledger
    sink: Sink
    loop: LoopThread
    server: BatchServer
    exchange: Exchange
    tell: Tell
    prompts: Sequence[Prompt]
    shared: SharedAnswers | None = None
    errors: Counter[str] = field(default_factory=Counter)

    def __post_init__(self) -> None:
        self.holding = Holding(self.ledger)

    @property
    def batches(self) -> BatchBook:
        """The ledger's batches."""
        return BatchBook(self.ledger)

    def asked(self, wanted: Wanted) -> Asked:
        """Return the question behind a request."""
        return Asked(self.prompts[wanted.row], wanted.part, wanted.correction)

    def unasked(self, wanted: Wanted, why: str) -> None:
        """Say of the rows that wait for a request why it was not made."""
        for row, _ in wanted.targets:
            self.sink.unasked(row, why)

    def failed(self, wanted: Wanted, why: str) -> None:
        """Say of the rows that wait for a request why it has no answer."""
        for row, _ in wanted.targets:
            self.sink.failed(row, why)


class Settling:
    """Settles the rows of one batch, many in one transaction; a row counts once committed.

    ``held`` are the intents that are still unsettled, by key.
    """

    def __init__(self, job: Job, out: Outstanding) -> None:
        self.held = job.batches.unsettled(out.batch)
        self._job = job
        self._out = out
        self._book = CallBook(job.ledger, out.batch.run)
        self._calls: list[Call] = []
        self._then: list[Callable[[], None]] = []

    def settle(
        self,
        key: str,
        status: str,
        then: Callable[[], None],
        *,
        usage: Usage | None = None,
        money: int | None = None,
        answer: str | None = None,
        why: str | None = None,
    ) -> None:
        """Put the end of a row on record, then call ``then``; the price is that of ``usage``."""
        usage = usage or Usage()
        number, worst = self.held.pop(key)
        self._calls.append(
            Call(
                key=key,
                model=self._job.model.name,
                question=self._job.question.name,
                capability=self._job.terms.capability,
                status=status,
                tokens_in=usage.tokens_in,
                tokens_out=usage.tokens_out,
                money=self._job.terms.price.of(usage) if money is None else money,
                seconds=0.0,  # nobody waits for one row: how long it took tells nothing of it
                answer=answer,
                why=why,
                intent=number,
                released=worst,
            )
        )
        self._then.append(then)
        if len(self._calls) == AT_ONCE:
            self.commit()

    def release(self, status: str, why: str) -> None:
        """Settle all rows that are left: ``unsent`` at no price, ``lost`` at the highest."""
        for key, (_, worst) in list(self.held.items()):
            wanted = self._out.wanted.get(key)
            then = partial(self._job.unasked, wanted, why) if wanted is not None else _nothing
            money = worst.money if status == "lost" else 0
            self.settle(key, status, then, money=money, why=why)

    def commit(self) -> None:
        """Commit what was settled."""
        self._book.write(self._calls)
        then, self._calls, self._then = self._then, [], []
        for each in then:
            each()


def _nothing() -> None:
    """Do nothing once a row is settled that nobody waits for."""
