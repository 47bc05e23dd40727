"""The statements that the book of calls runs a million times, written for the driver itself."""

from __future__ import annotations

import itertools
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from datetime import UTC, datetime
from functools import lru_cache
from typing import Any

import sqlalchemy as sa
from sqlalchemy import exc

from assay.ledger.amounts import Amount
from assay.ledger.schema import calls

ANSWERED = "answered"
NOT_SENT = ("unsent", "replayed", "shared")
"""Records that only settle a reservation; they count as no call."""
_WRITING_CALLS = 0x_A55A_CA11


class FastStatements:
    """Statements for the driver itself: for a million rows the layers above cost minutes."""

    def __init__(self, dialect: str) -> None:
        self._mark = "?" if dialect == "sqlite" else "%s"
        self._sqlite = dialect == "sqlite"
        self._columns = {
            "intents": ("n", "time", "key", "run", "owner", "money", "tokens"),
            "calls": tuple(column.name for column in calls.columns if column.name != "n"),
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

    def insert(self, cursor: Any, table: str, rows: Sequence[tuple[Any, ...]]) -> None:
        """Insert many rows with few statements.

        Python's SQLite driver gives up its global lock around every statement, and a busy
        event loop makes it wait 5 ms for each return. Sizes are powers of two, so that the
        driver prepares each of them once.
        """
        start = 0
        while start < len(rows):
            size = min(_MOST_IN_ONE, 1 << ((len(rows) - start).bit_length() - 1))
            some = rows[start : start + size]
            cursor.execute(
                _insert(table, self._columns[table], self._mark, size),
                tuple(itertools.chain.from_iterable(some)),
            )
            start += size

    def last_intent(self, cursor: Any) -> int:
        """Return the number of the newest intent."""
        cursor.execute("SELECT coalesce(max(n), 0) FROM intents")
        return int(cursor.fetchone()[0])

    def unsettled(self, cursor: Any, run: int) -> dict[int, tuple[str, str, Amount]]:
        """Return the owner, the key and the worst case of each intent that no call settles."""
        cursor.execute(_UNSETTLED.replace("?", self._mark), (run, run))
        return {
            int(n): (owner, key, Amount(int(m), int(t), 1))
            for n, owner, key, m, t in cursor.fetchall()
        }

    def sum_calls(self, cursor: Any, run: int, after: int) -> tuple[Amount, Amount, int]:
        """Return what calls after a number spent and released, and the last number."""
        cursor.execute(_SUM_CALLS.replace("?", self._mark), (run, after))
        row = list(map(int, cursor.fetchone()))
        return Amount(*row[:3]), Amount(*row[3:6]), row[6]

    def sum_intents(self, cursor: Any, run: int, after: int) -> tuple[Amount, int]:
        """Return what intents after a number reserved, and the last number."""
        cursor.execute(_SUM_INTENTS.replace("?", self._mark), (run, after))
        row = list(map(int, cursor.fetchone()))
        return Amount(*row[:3]), row[3]


_UNSETTLED = (
    "SELECT n, owner, key, money, tokens FROM intents WHERE run = ? AND n NOT IN"
    " (SELECT intent FROM calls WHERE run = ? AND intent IS NOT NULL)"
)
_SUM_CALLS = (
    "SELECT coalesce(sum(money), 0), coalesce(sum(tokens_in + tokens_out), 0),"  # noqa: S608
    f" coalesce(sum(CASE WHEN status IN {NOT_SENT} THEN 0 ELSE 1 END), 0),"
    " coalesce(sum(released_money), 0), coalesce(sum(released_tokens), 0),"
    " coalesce(sum(released_calls), 0), coalesce(max(n), 0) FROM calls WHERE run = ? AND n > ?"
)
_SUM_INTENTS = (
    "SELECT coalesce(sum(money), 0), coalesce(sum(tokens), 0), count(*), coalesce(max(n), 0)"
    " FROM intents WHERE run = ? AND n > ?"
)
_MOST_IN_ONE = 256


@lru_cache(maxsize=64)
def _insert(table: str, columns: tuple[str, ...], mark: str, rows: int) -> str:
    one = f"({','.join([mark] * len(columns))})"
    many = ",".join([one] * rows)
    return f"INSERT INTO {table} ({','.join(columns)}) VALUES {many}"  # noqa: S608


@contextmanager
def driver_cursor(engine: sa.Engine, *, writes: bool) -> Iterator[Any]:
    """Yield the driver's own cursor inside a transaction, one writer at a time."""
    connection = engine.raw_connection()
    try:
        cursor = connection.cursor()
        if engine.dialect.name == "sqlite":
            cursor.execute("BEGIN IMMEDIATE" if writes else "BEGIN")
        elif writes:
            cursor.execute("SELECT pg_advisory_xact_lock(%s)", (_WRITING_CALLS,))
        yield cursor
        connection.commit()
    except engine.dialect.loaded_dbapi.Error as error:
        connection.rollback()
        raise exc.DBAPIError(None, None, error) from error
    except BaseException:
        connection.rollback()
        raise
    finally:
        connection.close()
