"""A cache of embeddings on disk: one SQLite file, keyed by model and text.

It can be deleted at any time: what it holds can be computed, or bought, again.
"""

from __future__ import annotations

import hashlib
import sqlite3
import threading
from collections.abc import Mapping, Sequence
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from assay.errors import LedgerError

_LOOKED_UP = 400


class Vectors:
    """Embeddings by key; threads and processes may share the file."""

    def __init__(self, path: Path) -> None:
        path.parent.mkdir(parents=True, exist_ok=True)
        self._lock = threading.Lock()
        try:
            self._file = sqlite3.connect(path, timeout=30, check_same_thread=False)
            self._file.execute("PRAGMA journal_mode = WAL")
            self._file.execute(
                "CREATE TABLE IF NOT EXISTS vectors (key BLOB PRIMARY KEY, vector BLOB NOT NULL)"
                " WITHOUT ROWID"
            )
        except sqlite3.Error as error:
            raise LedgerError(
                f"The cache of embeddings cannot be opened: {error}.",
                next_step=f"delete {path.name}; it is only a cache",
            ) from error

    @staticmethod
    def key(model: str, text: str) -> bytes:
        """Return the key of a text under a model."""
        digest = hashlib.sha256(model.encode() + b"\0")
        digest.update(text.encode("utf-8", "surrogatepass"))
        return digest.digest()[:16]

    def find(self, keys: Sequence[bytes]) -> dict[bytes, NDArray[np.float32]]:
        """Return the vectors that are known."""
        found: dict[bytes, NDArray[np.float32]] = {}
        with self._lock:
            for start in range(0, len(keys), _LOOKED_UP):
                some = keys[start : start + _LOOKED_UP]
                marks = ",".join("?" * len(some))
                query = f"SELECT key, vector FROM vectors WHERE key IN ({marks})"  # noqa: S608
                for key, vector in self._file.execute(query, some):
                    found[key] = np.frombuffer(vector, dtype=np.float32)
        return found

    def add(self, vectors: Mapping[bytes, NDArray[np.float32]]) -> None:
        """Keep vectors; a full disk costs the cache, not the answer."""
        rows = [(key, vector.astype(np.float32).tobytes()) for key, vector in vectors.items()]
        with self._lock:
            try:
                with self._file:
                    self._file.executemany("INSERT OR REPLACE INTO vectors VALUES (?, ?)", rows)
            except sqlite3.Error as error:
                raise LedgerError(
                    f"Embeddings could not be kept: {error}.", next_step="free some space"
                ) from error

    def close(self) -> None:
        """Close the file."""
        with self._lock:
            self._file.close()
