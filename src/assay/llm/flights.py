"""What left for a server and what came back, noted in files that outlive the process.

A note is written into memory that the file maps, which takes a microsecond: it survives
``kill -9`` at once, and a power cut only with the ledger's own commit, some milliseconds later.
So a worker can send its next request before its last answer is committed, and a killed process
still repeats no more than what was on its way. The next process that asks puts what it finds into
the ledger.
"""

from __future__ import annotations

import contextlib
import mmap
import os
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from pydantic_core import from_json, to_json

from assay.errors import LedgerError
from assay.ledger import Ledger
from assay.ledger.amounts import Amount
from assay.ledger.calls import Call, CallBook

_SEGMENT_BYTES = 1 << 20


@dataclass(eq=False)
class _Segment:
    """One file, and how many of its notes the ledger does not have yet."""

    path: Path
    memory: mmap.mmap
    size: int = 0
    unsettled: int = 0

    def write(self, line: bytes) -> None:
        """Add a line; its end comes last, as copied bytes may arrive in any order.

        So a line that a kill has torn has no end, and is none.
        """
        last = self.size + len(line) - 1
        self.memory[self.size : last] = line[:-1]
        self.memory[last] = line[-1]
        self.size = last + 1

    def remove(self) -> None:
        self.memory.close()
        self.path.unlink(missing_ok=True)


class Flights:
    """The notes of one question being asked; used from one event loop.

    Parameters
    ----------
    folder
        Where the files are; made when the first request leaves.
    owner
        The name under which the intents are written.
    run
        The run that they belong to.
    """

    def __init__(self, folder: Path, owner: str, run: str) -> None:
        self._folder = folder
        self._header = {"owner": owner, "run": run, "boot": _boot()}
        self._current: _Segment | None = None
        self._made = 0
        self._noted: dict[int, list[_Segment]] = {}

    def left(self, intent: int) -> None:
        """Note that the request of this intent leaves now.

        Raises
        ------
        LedgerError
            When it cannot be noted; the request must not leave.
        """
        self._note(intent, b"%d\n" % intent)

    def landed(self, call: Call) -> None:
        """Note how the request of ``call.intent`` went.

        Raises
        ------
        LedgerError
            When it cannot be noted; it is safe once it is committed.
        """
        assert call.intent is not None  # noqa: S101 - it was reserved
        self._note(call.intent, to_json(call) + b"\n")

    def settled(self, intent: int) -> None:
        """Forget an intent: the ledger has how its request went."""
        for segment in self._noted.pop(intent, ()):
            segment.unsettled -= 1
            if not segment.unsettled and segment is not self._current:
                segment.remove()

    def close(self) -> None:
        """Remove the files of which nothing is missing in the ledger."""
        current, self._current = self._current, None
        if current is not None:
            if current.unsettled:
                current.memory.close()
            else:
                current.remove()
        with contextlib.suppress(OSError):  # another process has its files there, or nobody had
            self._folder.rmdir()

    def _note(self, intent: int, line: bytes) -> None:
        segment = self._current
        if segment is None or segment.size + len(line) > len(segment.memory):
            segment = self._turned_over(len(line))
        segment.write(line)
        segment.unsettled += 1
        self._noted.setdefault(intent, []).append(segment)

    def _turned_over(self, room: int) -> _Segment:
        """Go on in a new file, with room for the header and so many bytes."""
        old = self._current
        header = to_json(self._header) + b"\n"
        self._made += 1
        name = f"{str(self._header['owner']).replace(':', '-')}-{self._made}.jsonl"
        path = self._folder / name
        try:
            memory = _mapped(path, max(_SEGMENT_BYTES, len(header) + room))
        except OSError as error:
            raise LedgerError(
                f"What leaves could not be noted beside the ledger: {error.strerror}.",
                given=self._folder,
                next_step="free some space and run the same command again; nothing is lost",
            ) from error
        self._current = _Segment(path, memory)
        self._current.write(header)
        if old is not None and not old.unsettled:
            old.remove()
        return self._current


def _mapped(path: Path, size: int) -> mmap.mmap:
    """Return the memory of a new file whose space on the disk is taken already.

    Were it not, a full disk would end the process when the memory is written to.
    """
    path.parent.mkdir(parents=True, exist_ok=True)
    descriptor = os.open(path, os.O_CREAT | os.O_EXCL | os.O_RDWR, 0o600)
    try:
        left = size
        while left:
            left -= os.write(descriptor, bytes(left))
        return mmap.mmap(descriptor, size)
    except BaseException:
        path.unlink()
        raise
    finally:
        os.close(descriptor)


@dataclass
class _Found:
    """The notes of one owner; not ``whole`` where one of them is lost."""

    run: str
    boot: str
    whole: bool = True
    paths: list[Path] = field(default_factory=list)
    left: set[int] = field(default_factory=set)
    landed: dict[int, Call] = field(default_factory=dict)


def put_on_record(ledger: Ledger, is_alive: Callable[[str], bool]) -> None:
    """Put into the ledger what processes that were killed had noted.

    Answers are recorded. Reservations for requests that never left are released, unless a note
    may be lost: the machine was started anew since, or one cannot be read.
    """
    for owner, found in _notes(ledger.flights, is_alive).items():
        left = found.left if found.whole and found.boot == _boot() else None
        CallBook(ledger, found.run).make_up(owner, list(found.landed.values()), left)
        for path in found.paths:
            path.unlink(missing_ok=True)


def _notes(folder: Path, is_alive: Callable[[str], bool]) -> dict[str, _Found]:
    notes: dict[str, _Found] = {}
    if not folder.is_dir():
        return notes
    for path in sorted(folder.glob("*.jsonl")):
        with contextlib.suppress(FileNotFoundError):  # another process was faster
            lines = path.read_bytes().split(b"\n")[
                :-1
            ]  # what was cut off has no end; nor have zeros
            if not lines:
                continue
            header = _parsed(lines[0])
            if header is None:  # the start of the file never reached the disk: nothing is known
                path.unlink()
            elif not is_alive(header["owner"]):
                found = notes.setdefault(header["owner"], _Found(header["run"], header["boot"]))
                found.paths.append(path)
                _read(lines[1:], found)
    return notes


def _read(lines: list[bytes], found: _Found) -> None:
    for line in lines:
        note = _parsed(line)
        if note is None:
            found.whole = False
        elif isinstance(note, int):
            found.left.add(note)
        else:
            call = Call(**{**note, "released": Amount(**note["released"])})
            assert call.intent is not None  # noqa: S101 - only such are noted
            found.landed[call.intent] = call


def _parsed(line: bytes) -> Any:
    """Return what a line says; None where it cannot be read."""
    try:
        return from_json(line)
    except ValueError:
        return None


def _boot() -> str:
    """Return what tells this start of the machine from others; where unknown, none is this."""
    try:
        return Path("/proc/sys/kernel/random/boot_id").read_text(encoding="ascii").strip()
    except OSError:
        return os.urandom(8).hex()
