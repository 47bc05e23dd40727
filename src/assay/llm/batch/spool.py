"""Puts requests into one file, up to what a provider takes at once; memory stays small."""

from __future__ import annotations

import tempfile
from collections.abc import AsyncIterator
from dataclasses import dataclass

_PIECE = 2**20


@dataclass(frozen=True, slots=True)
class Frame:
    """What stands around and between the requests of a file.

    Attributes
    ----------
    head, between, tail
        Bytes before the first request, between two, after the last.
    content_type
        Of the whole.
    most_rows, most_bytes
        The provider's limits; what stands around does not count.
    """

    head: bytes
    between: bytes
    tail: bytes
    content_type: str
    most_rows: int
    most_bytes: int


class Spool:
    """A file of requests on the disk, without a name; gone when closed."""

    def __init__(self, frame: Frame) -> None:
        self.frame = frame
        self._file = tempfile.TemporaryFile()  # noqa: SIM115 - close() closes it
        self._file.write(frame.head)
        self._ends: list[int] = []

    def __len__(self) -> int:
        return len(self._ends)

    def add(self, request: bytes) -> bool:
        """Add a request; return False, and add nothing, where the file would be too long."""
        piece = (self.frame.between if self._ends else b"") + request
        end = self._file.tell() + len(piece)
        if len(self) == self.frame.most_rows or end - len(self.frame.head) > self.frame.most_bytes:
            return False
        self._file.write(piece)
        self._ends.append(end)
        return True

    def keep(self, count: int) -> None:
        """Keep the first ``count`` requests, at least one."""
        del self._ends[count:]
        self._file.seek(self._ends[-1])
        self._file.truncate()

    def seal(self) -> int:
        """End the file and return its size in bytes."""
        self._file.seek(self._ends[-1])
        self._file.write(self.frame.tail)
        self._file.flush()
        return self._file.tell()

    async def content(self) -> AsyncIterator[bytes]:
        """Yield the sealed file, as often as it is asked for."""
        self._file.seek(0)
        while piece := self._file.read(_PIECE):
            yield piece

    def close(self) -> None:
        """Free the disk."""
        self._file.close()
