"""The ledger's book of language-model calls: intents, answers, and what they cost.

An intent is written before a request leaves and holds the most that it can cost; the call
that answers it releases that and holds what it did cost. Both belong to a run, which is the
scope of a budget: every process that works on the run reserves from the same caps.
"""

from __future__ import annotations

import itertools
import threading
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from functools import lru_cache
from typing import Any

import sqlalchemy as sa

from assay.ledger.amounts import NOTHING, Amount, Caps
from assay.ledger.database import translated, writing_to
from assay.ledger.entry import run_number
from assay.ledger.ledger import Ledger
from assay.ledger.schema import calls, intents

ANSWERED = "answered"
NOT_SENT = ("unsent", "replayed", "shared")
"""Records that only settle a reservation; they count as no call."""
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
        self._fast = _FastStatements(ledger.engine.dialect.name)
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
        with self._lock, translated("written"), writing_to(self._engine) as connection:
            self._serialise(connection)
            balance = self._read_balance(connection)
            total = balance.spent + balance.reserved
            reached, fitting = None, []
            for intent in wanted:
                total = total + intent.worst
                reached = caps.reached_by(total)
                if reached is not None:
                    break
                fitting.append(intent)
            return self._insert_intents(connection, fitting, owner), reached

    def write(self, finished: Iterable[Call]) -> None:
        """Commit calls, all or none; once it returns they survive a crash."""
        now = self._fast.now()
        rows = [
            (
                now,
                each.key,
                self._run,
                each.model,
                each.question,
                each.capability,
                each.status,
                each.answer,
                each.why,
                each.tokens_in,
                each.tokens_out,
                each.money,
                each.seconds,
                each.intent,
                each.released.money,
                each.released.tokens,
                each.released.calls,
            )
            for each in finished
        ]
        if not rows:
            return
        with self._lock, translated("written"), writing_to(self._engine) as connection:
            self._serialise(connection)
            self._fast.insert(connection, "calls", rows)

    def balance(self) -> Balance:
        """Return what the run has spent and reserved, by all its processes."""
        with self._lock, translated("read"), self._engine.connect() as connection:
            return self._read_balance(connection)

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

    def _insert_intents(
        self, connection: sa.Connection, fitting: Sequence[Intent], owner: str
    ) -> list[int]:
        """Insert with numbers of our own: the transaction is the only one that writes."""
        if not fitting:
            return []
        last = connection.exec_driver_sql("SELECT coalesce(max(n), 0) FROM intents").scalar_one()
        numbers = list(range(last + 1, last + 1 + len(fitting)))
        now = self._fast.now()
        rows = [
            (number, now, each.key, self._run, owner, each.worst.money, each.worst.tokens)
            for number, each in zip(numbers, fitting, strict=True)
        ]
        self._fast.insert(connection, "intents", rows)
        return numbers

    def _serialise(self, connection: sa.Connection) -> None:
        """Let one writer at a time in; SQLite does so by itself."""
        if connection.dialect.name == "postgresql":
            connection.execute(sa.select(sa.func.pg_advisory_xact_lock(_WRITING_CALLS)))

    def _read_balance(self, connection: sa.Connection) -> Balance:
        """Add what was written since the last look; one writer at a time leaves no gaps."""
        seen_calls, seen_intents = self._seen
        spent, released, last_call = _sum_calls(connection, self._run, seen_calls)
        reserved, last_intent = _sum_intents(connection, self._run, seen_intents)
        self._seen = (max(seen_calls, last_call), max(seen_intents, last_intent))
        old = self._balance
        self._balance = Balance(old.spent + spent, old.reserved + reserved - released)
        return self._balance


_WRITING_CALLS = 0x_A55A_CA11


def recorded_answers(ledger: Ledger, keys: Sequence[str]) -> dict[str, str]:
    """Return the recorded answer (JSON) of each key that has one; needs no run."""
    return _answered(ledger.engine, _FastStatements(ledger.engine.dialect.name), keys)


def _answered(engine: sa.Engine, fast: _FastStatements, keys: Sequence[str]) -> dict[str, str]:
    found: dict[str, str] = {}
    with translated("read"), engine.connect() as connection:
        for start in range(0, len(keys), _LOOKED_UP):
            some = tuple(keys[start : start + _LOOKED_UP])
            found.update(map(tuple, connection.exec_driver_sql(fast.answered(len(some)), some)))
    return found


class _FastStatements:
    """Statements for the driver itself: for a million rows the layers above cost minutes."""

    def __init__(self, dialect: str) -> None:
        self._mark = "?" if dialect == "sqlite" else "%s"
        self._sqlite = dialect == "sqlite"
        self._columns = {
            "intents": ["n", "time", "key", "run", "owner", "money", "tokens"],
            "calls": [column.name for column in calls.columns if column.name != "n"],
        }

    def answered(self, count: int) -> str:
        """Return the query for that many keys."""
        marks = ",".join([self._mark] * count)
        return (
            "SELECT key, answer FROM calls"  # noqa: S608 - only marks are put in
            f" WHERE key IN ({marks}) AND status IN ('{ANSWERED}', 'shared')"
        )

    def now(self) -> Any:
        """Return the time as the driver stores it."""
        now = datetime.now(UTC)
        return now.strftime("%Y-%m-%d %H:%M:%S.%f") if self._sqlite else now

    def insert(
        self, connection: sa.Connection, table: str, rows: Sequence[tuple[Any, ...]]
    ) -> None:
        """Insert many rows with few statements.

        Python's SQLite driver gives up its global lock around every statement, and a busy
        event loop makes it wait 5 ms for each return. Sizes are powers of two, so that the
        driver prepares each of them once.
        """
        start = 0
        while start < len(rows):
            size = min(_MOST_IN_ONE, 1 << ((len(rows) - start).bit_length() - 1))
            some = rows[start : start + size]
            connection.exec_driver_sql(
                _insert(table, tuple(self._columns[table]), self._mark, size),
                tuple(itertools.chain.from_iterable(some)),
            )
            start += size


_MOST_IN_ONE = 256


@lru_cache(maxsize=64)
def _insert(table: str, columns: tuple[str, ...], mark: str, rows: int) -> str:
    one = f"({','.join([mark] * len(columns))})"
    many = ",".join([one] * rows)
    return f"INSERT INTO {table} ({','.join(columns)}) VALUES {many}"  # noqa: S608


def _total(column: Any) -> Any:
    # PostgreSQL sums integers as numeric, which is exact; so is the way back.
    return sa.cast(sa.func.coalesce(sa.func.sum(column), 0), sa.BigInteger)


def _sum_calls(connection: sa.Connection, run: int, after: int) -> tuple[Amount, Amount, int]:
    row = connection.execute(
        sa.select(
            _total(calls.c.money),
            _total(calls.c.tokens_in + calls.c.tokens_out),
            _total(sa.case((calls.c.status.in_(NOT_SENT), 0), else_=1)),
            _total(calls.c.released_money),
            _total(calls.c.released_tokens),
            _total(calls.c.released_calls),
            sa.func.coalesce(sa.func.max(calls.c.n), 0),
        ).where(calls.c.run == run, calls.c.n > after)
    ).one()
    return Amount(*row[:3]), Amount(*row[3:6]), row[6]


def _sum_intents(connection: sa.Connection, run: int, after: int) -> tuple[Amount, int]:
    row = connection.execute(
        sa.select(
            _total(intents.c.money),
            _total(intents.c.tokens),
            sa.func.count(),
            sa.func.coalesce(sa.func.max(intents.c.n), 0),
        ).where(intents.c.run == run, intents.c.n > after)
    ).one()
    return Amount(*row[:3]), row[3]
