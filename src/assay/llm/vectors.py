"""A cache of embeddings on disk, keyed by model and text."""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from assay.config import cache_dir
from assay.llm.kept import Held, Kept

FILE = "embeddings.sqlite"
MAX_BYTES = 2**30


class Vectors:
    """Embeddings by key; see :class:`~assay.llm.kept.Kept`."""

    def __init__(self, path: Path, *, max_bytes: int = MAX_BYTES) -> None:
        self._kept = Kept[bytes, bytes](path, "The cache of embeddings", max_bytes=max_bytes)
        self.path = path
        self.max_bytes = max_bytes

    @staticmethod
    def key(model: str, text: str) -> bytes:
        """Return the key of a text under a model."""
        digest = hashlib.sha256(model.encode() + b"\0")
        digest.update(text.encode("utf-8", "surrogatepass"))
        return digest.digest()[:16]

    def find(self, keys: Sequence[bytes]) -> dict[bytes, NDArray[np.float32]]:
        """Return the vectors that are known."""
        found = self._kept.find(keys)
        return {key: np.frombuffer(value, dtype=np.float32) for key, value in found.items()}

    def add(self, vectors: Mapping[bytes, NDArray[np.float32]]) -> None:
        """Keep vectors."""
        rows = {key: vector.astype(np.float32).tobytes() for key, vector in vectors.items()}
        self._kept.add(rows)

    def held(self) -> Held:
        """Return how much it holds."""
        return self._kept.held()

    def prune(self, max_bytes: int) -> int:
        """Drop the longest unused vectors until the file is that small; return how many."""
        return self._kept.prune(max_bytes)

    def close(self) -> None:
        """Close the file."""
        self._kept.close()


def keys_for(name: str, model: Any) -> Callable[[str], bytes]:
    """Return what makes a text's key under a model; redacted texts have others than plain ones."""
    redacted = getattr(model, "parameters", {}).get("redacted")
    known_as = name if redacted is None else f"{name} redacted {redacted}"
    return lambda text: Vectors.key(known_as, text)


def shared_vectors() -> Path:
    """Return the file that holds the embeddings which projects share."""
    return cache_dir() / FILE
