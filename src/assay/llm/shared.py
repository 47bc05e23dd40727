"""Answers that projects share where the user asks for it: one SQLite file, bounded in size.

The ledger of a project stays its own record: an answer taken from here is written there too.
"""

from __future__ import annotations

import sqlite3
import threading
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from assay.config import cache_dir
from assay.errors import LedgerError

MAX_BYTES = 2**30
_LOOKED_UP = 400


@dataclass(frozen=True)
class Held:
    """What the cache holds: answers, and the bytes of their text."""

    answers: int
    bytes: int


class SharedAnswers:
    """Answers by key; processes may share the file. Deleting it loses nothing but money."""

    def __init__(self, path: Path | None = None, *, max_bytes: int = MAX_BYTES) -> None:
        self.path = path or cache_dir() / "answers.sqlite"
        self.max_bytes = max_bytes
        self._lock = threading.Lock()
        self._pending: dict[str, str] = {}
        try:
            self.path.parent.mkdir(parents=True, exist_ok=True)
            self._file = sqlite3.connect(self.path, timeout=30, check_same_thread=False)
            self._file.execute("PRAGMA journal_mode = WAL")
            self._file.execute(
                "CREATE TABLE IF NOT EXISTS answers"
                " (key TEXT PRIMARY KEY, answer TEXT NOT NULL, used REAL NOT NULL) WITHOUT ROWID"
            )
        except sqlite3.Error as error:
            raise LedgerError(
                f"The shared cache cannot be opened: {error}.",
                next_step=f"delete {self.path.name}; it is only a cache",
            ) from error

    def find(self, keys: Sequence[str]) -> dict[str, str]:
        """Return the answers that are known, and note that they were used."""
        found: dict[str, str] = {}
        with self._lock, self._file:
            for start in range(0, len(keys), _LOOKED_UP):
                some = keys[start : start + _LOOKED_UP]
                marks = ",".join("?" * len(some))
                query = f"SELECT key, answer FROM answers WHERE key IN ({marks})"  # noqa: S608
                found.update(self._file.execute(query, some).fetchall())
            used = [(time.time(), key) for key in found]
            self._file.executemany("UPDATE answers SET used = ? WHERE key = ?", used)
        return found

    def add(self, answers: Mapping[str, str]) -> None:
        """Keep answers; then drop the longest unused beyond the bound."""
        now = time.time()
        with self._lock, self._file:
            self._file.executemany(
                "INSERT OR REPLACE INTO answers VALUES (?, ?, ?)",
                [(key, answer, now) for key, answer in answers.items()],
            )
        self.prune(self.max_bytes)

    def held(self) -> Held:
        """Return how much it holds."""
        query = "SELECT count(*), coalesce(sum(length(key) + length(answer)), 0) FROM answers"
        with self._lock:
            return Held(*self._file.execute(query).fetchone())

    def prune(self, max_bytes: int) -> int:
        """Drop the longest unused answers until at most so many bytes are held; say how many."""
        excess = self.held().bytes - max_bytes
        if excess <= 0:
            return 0
        dropped = []
        with self._lock, self._file:
            query = "SELECT key, length(key) + length(answer) FROM answers ORDER BY used, key"
            for key, size in self._file.execute(query).fetchall():
                if excess <= 0:
                    break
                dropped.append((key,))
                excess -= size
            self._file.executemany("DELETE FROM answers WHERE key = ?", dropped)
        with self._lock:
            self._file.execute("VACUUM")
        return len(dropped)

    def close(self) -> None:
        """Close the file."""
        with self._lock:
            self._file.close()
