"""The statements that the book of calls runs a million times, written for the driver itself."""

from __future__ import annotations

import itertools
from collections.abc import Sequence
from datetime import UTC, datetime
from functools import lru_cache
from typing import Any

import sqlalchemy as sa

from assay.ledger.amounts import Amount
from assay.ledger.schema import calls, intents

ANSWERED = "answered"
NOT_SENT = ("unsent", "replayed", "shared")
"""Records that only settle a reservation; they count as no call."""


class FastStatements:
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


def sum_calls(connection: sa.Connection, run: int, after: int) -> tuple[Amount, Amount, int]:
    """Return what was spent and what was released by calls after a number, and the last number."""
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


def sum_intents(connection: sa.Connection, run: int, after: int) -> tuple[Amount, int]:
    """Return what was reserved by intents after a number, and the last number."""
    row = connection.execute(
        sa.select(
            _total(intents.c.money),
            _total(intents.c.tokens),
            sa.func.count(),
            sa.func.coalesce(sa.func.max(intents.c.n), 0),
        ).where(intents.c.run == run, intents.c.n > after)
    ).one()
    return Amount(*row[:3]), row[3]
