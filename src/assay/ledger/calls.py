"""The ledger's book of language-model calls: intents, answers, and what they cost.

An intent is written before a request leaves and holds the most that it can cost; the call
that answers it releases that and holds what it did cost. Both belong to a run, which is the
scope of a budget: every process that works on the run reserves from the same caps.
"""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

import sqlalchemy as sa

from assay.ledger.amounts import NO_CAPS, NOTHING, Amount, Caps
from assay.ledger.database import translated
from assay.ledger.entry import run_number
from assay.ledger.ledger import Ledger
from assay.ledger.schema import calls, intents
from assay.ledger.statements import FastStatements, driver_cursor

_LOOKED_UP = 400
"""Keys in one query; every SQLite allows at least 999 parameters."""


@dataclass(frozen=True, slots=True)
class Intent:
    """A request that is about to leave, and the most that it can cost."""

    key: str
    worst: Amount


@dataclass(frozen=True, slots=True)
class Call:
    """One answer or failure, and what it cost.

    ``intent`` is the number that :meth:`CallBook.reserve` gave, ``released`` what it held.
    """

    key: str
    model: str
    question: str
    status: str
    tokens_in: int
    tokens_out: int
    money: int
    seconds: float
    answer: str | None = None
    why: str | None = None
    capability: str | None = None
    intent: int | None = None
    released: Amount = NOTHING


@dataclass(frozen=True, slots=True)
class Balance:
    """What a run has spent, and what is reserved for requests not yet settled."""

    spent: Amount = NOTHING
    reserved: Amount = NOTHING


class CallBook:
    """Reads and writes the calls of one run; threads may share it."""

    def __init__(self, ledger: Ledger, run: str) -> None:
        self._engine = ledger.engine
        self._fast = FastStatements(ledger.engine.dialect.name)
        self.run = run
        self._run = run_number(run)
        self._lock = threading.Lock()
        self._balance = Balance()
        self._seen = (0, 0)

    def answered(self, keys: Sequence[str]) -> dict[str, str]:
        """Return the recorded answer (JSON) of each key that has one, whatever its run."""
        return _answered(self._engine, self._fast, keys)

    def reserve(
        self, wanted: Sequence[Intent], caps: Caps, owner: str
    ) -> tuple[list[int], str | None]:
        """Write the intents that fit under the caps, first come first served.

        Returns
        -------
        numbers
            One for each intent that fitted: those of the first ``len(numbers)`` wanted.
        reached
            The cap that the next one would break, or None when all fitted.
        """
        return self.commit((), wanted, caps, owner)

    def write(self, finished: Iterable[Call]) -> None:
        """Commit calls, all or none; once it returns they survive a crash."""
        self.commit(finished, (), Caps(), "")

    def commit(
        self, finished: Iterable[Call], wanted: Sequence[Intent], caps: Caps, owner: str
    ) -> tuple[list[int], str | None]:
        """Write calls, and then reserve as :meth:`reserve` does, in one transaction."""
        now = self._fast.now()
        rows = [self._row(each, now) for each in finished]
        if not rows and not wanted:
            return [], None
        with self._lock, translated("written"), self._writing() as cursor:
            self._fast.insert(cursor, "calls", rows)
            fitting, reached = wanted, None
            if wanted and caps != NO_CAPS:
                fitting, reached = self._fitting(cursor, wanted, caps)
            return self._insert_intents(cursor, fitting, owner), reached

    def make_up(self, owner: str, found: Sequence[Call], left: set[int] | None) -> None:
        """Write, for a process that was killed, what it had not committed, once only.

        Parameters
        ----------
        owner
            The name under which it reserved.
        found
            How those requests went that ended; among them may be those of an earlier process,
            which this one settled.
        left
            The intents whose requests left. All its others are released; where it is None, that
            is not known, and none is.
        """
        with self._lock, translated("written"), self._writing() as cursor:
            unsettled = self._fast.unsettled(cursor, self._run)
            landed = [each for each in found if each.intent in unsettled]
            ended = {each.intent for each in landed}
            own = {number for number, (whose, *_) in unsettled.items() if whose == owner}
            never = [] if left is None else sorted(own - ended - left)
            landed += [_unsent(number, *unsettled[number][1:]) for number in never]
            now = self._fast.now()
            self._fast.insert(cursor, "calls", [self._row(each, now) for each in landed])

    def balance(self) -> Balance:
        """Return what the run has spent and reserved, by all its processes."""
        with self._lock, translated("read"), driver_cursor(self._engine, writes=False) as cursor:
            return self._read_balance(cursor)

    def left_behind(self, alive: Callable[[str], bool]) -> dict[str, list[tuple[int, Amount]]]:
        """Return, by key, the intents of processes that died before they were settled.

        Whether those requests were answered, and paid for, only the server knows.
        """
        settled = sa.select(calls.c.intent).where(
            calls.c.run == self._run, calls.c.intent.is_not(None)
        )
        query = sa.select(
            intents.c.n, intents.c.key, intents.c.owner, intents.c.money, intents.c.tokens
        ).where(intents.c.run == self._run, intents.c.n.not_in(settled))
        found: dict[str, list[tuple[int, Amount]]] = {}
        with translated("read"), self._engine.connect() as connection:
            for number, key, owner, money, tokens in connection.execute(query):
                if not alive(owner):
                    found.setdefault(key, []).append((number, Amount(money, tokens, 1)))
        return found

    def _row(self, call: Call, now: Any) -> tuple[Any, ...]:
        return (
            now,
            call.key,
            self._run,
            call.model,
            call.question,
            call.capability,
            call.status,
            call.answer,
            call.why,
            call.tokens_in,
            call.tokens_out,
            call.money,
            call.seconds,
            call.intent,
            call.released.money,
            call.released.tokens,
            call.released.calls,
        )

    def _fitting(
        self, cursor: Any, wanted: Sequence[Intent], caps: Caps
    ) -> tuple[Sequence[Intent], str | None]:
        """Return the first intents that fit together, and the cap that the next one breaks."""
        balance = self._read_balance(cursor)
        total = balance.spent + balance.reserved
        for number, intent in enumerate(wanted):
            total = total + intent.worst
            reached = caps.reached_by(total)
            if reached is not None:
                return wanted[:number], reached
        return wanted, None

    def _insert_intents(self, cursor: Any, fitting: Sequence[Intent], owner: str) -> list[int]:
        """Insert with numbers of our own: the transaction is the only one that writes."""
        if not fitting:
            return []
        last = self._fast.last_intent(cursor)
        numbers = list(range(last + 1, last + 1 + len(fitting)))
        now = self._fast.now()
        rows = [
            (number, now, each.key, self._run, owner, each.worst.money, each.worst.tokens)
            for number, each in zip(numbers, fitting, strict=True)
        ]
        self._fast.insert(cursor, "intents", rows)
        return numbers

    @contextmanager
    def _writing(self) -> Iterator[Any]:
        try:
            with driver_cursor(self._engine, writes=True) as cursor:
                yield cursor
        except BaseException:
            self._balance, self._seen = Balance(), (0, 0)  # it may hold what is rolled back
            raise

    def _read_balance(self, cursor: Any) -> Balance:
        """Add what was written since the last look; one writer at a time leaves no gaps."""
        seen_calls, seen_intents = self._seen
        spent, released, last_call = self._fast.sum_calls(cursor, self._run, seen_calls)
        reserved, last_intent = self._fast.sum_intents(cursor, self._run, seen_intents)
        self._seen = (max(seen_calls, last_call), max(seen_intents, last_intent))
        old = self._balance
        self._balance = Balance(old.spent + spent, old.reserved + reserved - released)
        return self._balance


def _unsent(intent: int, key: str, worst: Amount) -> Call:
    why = "the process was killed before the request left"
    return Call(key, "", "", "unsent", 0, 0, 0, 0.0, why=why, intent=intent, released=worst)


def recorded_answers(ledger: Ledger, keys: Sequence[str]) -> dict[str, str]:
    """Return the recorded answer (JSON) of each key that has one; needs no run."""
    return _answered(ledger.engine, FastStatements(ledger.engine.dialect.name), keys)


def _answered(engine: sa.Engine, fast: FastStatements, keys: Sequence[str]) -> dict[str, str]:
    found: dict[str, str] = {}
    with translated("read"), engine.connect() as connection:
        for start in range(0, len(keys), _LOOKED_UP):
            some = tuple(keys[start : start + _LOOKED_UP])
            found.update(map(tuple, connection.exec_driver_sql(fast.answered(len(some)), some)))
    return found
