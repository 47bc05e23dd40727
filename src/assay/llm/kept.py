"""A cache on disk: values by key in one SQLite file, bounded in size.

It can be deleted at any time: what it holds can be computed, or bought, again.
"""

from __future__ import annotations

import math
import sqlite3
import threading
import time
import warnings
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Generic, TypeVar

from assay.errors import LedgerError

Key = TypeVar("Key", str, bytes)
Value = TypeVar("Value", str, bytes)
MEBIBYTE = 2**20
_LOOKED_UP = 400
_ROOM = 0.9
"""A full cache is pruned to this share of its bound, so that it is not pruned again at once."""
_NOTED_AFTER = 3600.0
"""Seconds after which a further use is noted; to note each would make reading a way of writing."""


@dataclass(frozen=True)
class Held:
    """What a cache holds: entries, and the bytes that they take on the disk."""

    entries: int
    bytes: int


class Kept(Generic[Key, Value]):
    """Values by key; threads and processes may share the file.

    Parameters
    ----------
    path
        The file; made when absent.
    what
        What it holds, for messages.
    max_bytes
        Most bytes of the file; beyond it the longest unused values are dropped.
    """

    def __init__(self, path: Path, what: str, *, max_bytes: int) -> None:
        self.path = path
        self.max_bytes = max_bytes
        self._what = what
        self._lock = threading.Lock()
        try:
            path.parent.mkdir(parents=True, exist_ok=True)
            self._file = sqlite3.connect(path, timeout=30, check_same_thread=False)
            self._file.execute("PRAGMA auto_vacuum = INCREMENTAL")  # heard in a new file alone
            self._file.execute("PRAGMA journal_mode = WAL")
            self._file.execute(
                "CREATE TABLE IF NOT EXISTS kept"
                " (key PRIMARY KEY NOT NULL, value NOT NULL, used REAL NOT NULL) WITHOUT ROWID"
            )
            self._file.execute("CREATE INDEX IF NOT EXISTS kept_used ON kept (used)")
        except sqlite3.Error as error:
            raise self._unreadable(error) from error

    def find(self, keys: Sequence[Key]) -> dict[Key, Value]:
        """Return the values that are known, and note that they were used."""
        found: dict[Key, Value] = {}
        now = time.time()
        old: list[tuple[float, Key]] = []
        try:
            with self._lock:
                for start in range(0, len(keys), _LOOKED_UP):
                    some = keys[start : start + _LOOKED_UP]
                    marks = ",".join("?" * len(some))
                    query = f"SELECT key, value, used FROM kept WHERE key IN ({marks})"  # noqa: S608
                    for key, value, used in self._file.execute(query, some):
                        found[key] = value
                        if now - used > _NOTED_AFTER:
                            old.append((now, key))
        except sqlite3.Error as error:
            raise self._unreadable(error) from error
        if old:
            self._write("UPDATE kept SET used = ? WHERE key = ?", old)
        return found

    def add(self, values: Mapping[Key, Value]) -> None:
        """Keep values; then drop the longest unused beyond the bound.

        A full disk costs the cache, not what was asked: it is a warning.
        """
        now = time.time()
        rows = [(key, value, now) for key, value in values.items()]
        if self._write("INSERT OR REPLACE INTO kept VALUES (?, ?, ?)", rows):
            self._drop(self.max_bytes, round(_ROOM * self.max_bytes))

    def held(self) -> Held:
        """Return how much it holds."""
        with self._lock:
            (count,) = self._file.execute("SELECT count(*) FROM kept").fetchone()
            return Held(count, self._bytes())

    def prune(self, max_bytes: int) -> int:
        """Drop the longest unused values until the file is that small; return how many."""
        return self._drop(max_bytes, max_bytes)

    def close(self) -> None:
        """Close the file."""
        with self._lock:
            self._file.close()

    def _write(self, statement: str, rows: Sequence[tuple[object, ...]]) -> bool:
        try:
            with self._lock, self._file:
                self._file.executemany(statement, rows)
        except sqlite3.Error as error:
            warnings.warn(f"{self._what} could not be kept: {error}.", RuntimeWarning, stacklevel=3)
            return False
        return True

    def _drop(self, beyond: int, target: int) -> int:
        dropped = 0
        with self._lock:
            if self._bytes() <= beyond:
                return 0
            (left,) = self._file.execute("SELECT count(*) FROM kept").fetchone()
            while left and (size := self._bytes()) > target:
                some = math.ceil(left * (size - target) / size)
                with self._file:
                    self._file.execute(
                        "DELETE FROM kept WHERE key IN"
                        " (SELECT key FROM kept ORDER BY used, key LIMIT ?)",
                        (some,),
                    )
                dropped += some
                left -= some
            self._file.execute("PRAGMA incremental_vacuum").fetchall()
        return dropped

    def _bytes(self) -> int:
        """Return the bytes of the pages in use."""
        pages, free, size = (
            self._file.execute(f"PRAGMA {name}").fetchone()[0]
            for name in ("page_count", "freelist_count", "page_size")
        )
        return int((pages - free) * size)

    def _unreadable(self, error: sqlite3.Error) -> LedgerError:
        return LedgerError(
            f"{self._what} cannot be read: {error}.",
            next_step=f"delete {self.path.name}; it is only a cache",
        )
