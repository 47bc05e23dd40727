"""Where answers and embeddings are kept beside the ledger, and how much of each."""

from __future__ import annotations

from pathlib import Path

from pydantic import BaseModel, ConfigDict, Field

from assay.llm.kept import MEBIBYTE
from assay.llm.shared import SharedAnswers
from assay.llm.vectors import FILE, Vectors, shared_vectors


class Cache(BaseModel):
    """How caches are kept.

    Attributes
    ----------
    shared
        Whether answers of models elsewhere, and embeddings, are shared between the projects of
        this user that ask for it.
    megabytes
        Most MiB of each cache's file; the longest unused goes first.
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    shared: bool = False
    megabytes: float = Field(default=1024, gt=0)

    @property
    def max_bytes(self) -> int:
        """Most bytes of each cache's file."""
        return round(self.megabytes * MEBIBYTE)

    def open_answers(self) -> SharedAnswers | None:
        """Open the shared answers, where they are asked for."""
        return SharedAnswers(max_bytes=self.max_bytes) if self.shared else None

    def vectors_path(self, folder: Path) -> Path:
        """Return the embeddings' file of a project with its state in ``folder``."""
        return shared_vectors() if self.shared else folder / FILE

    def open_vectors(self, folder: Path) -> Vectors:
        """Open the embeddings of a project with its state in ``folder``."""
        return Vectors(self.vectors_path(folder), max_bytes=self.max_bytes)
