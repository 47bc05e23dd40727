"""Answers that projects share where the user asks for it.

The ledger of a project stays its own record: an answer taken from here is written there too.
"""

from __future__ import annotations

from pathlib import Path

from assay.config import cache_dir
from assay.llm.kept import Kept

MAX_BYTES = 2**30


class SharedAnswers(Kept[str, str]):
    """Answers by key, in one file of this user; see :class:`~assay.llm.kept.Kept`."""

    def __init__(self, path: Path | None = None, *, max_bytes: int = MAX_BYTES) -> None:
        super().__init__(path or shared_answers(), "The shared cache", max_bytes=max_bytes)


def shared_answers() -> Path:
    """Return the file that holds the answers."""
    return cache_dir() / "answers.sqlite"
