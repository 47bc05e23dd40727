"""Rows that copy an earlier one are asked once.

A copy is asked with the earlier row's text, so it gets the earlier answer: from the ledger,
for nothing. Only texts decide what is a copy, never answers.
"""

from __future__ import annotations

import hashlib
from collections import OrderedDict
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal

import numpy as np
from numpy.typing import NDArray

from assay.label.rows import SIDES

if TYPE_CHECKING:
    from assay.label.spec import LabelSettings
    from assay.label.task import LabelTask

CopyRule = Literal["off", "exact", "near"]

ALIKE = 0.9
"""Near copies share at least this part of their shingles (Jaccard similarity)."""

SHINGLE = 8
BANDS, DEPTH = 8, 8
"""Two texts as alike as :data:`ALIKE` share one of 8 bands of 8 minima with chance .99."""

_ENTRY = 256
"""Bytes that one remembered row takes beside its text, about."""

_LONGEST = 20_000
"""Shingles of longer texts beyond these are not compared."""


@dataclass(frozen=True, slots=True)
class Original:
    """What a row is asked with.

    Attributes
    ----------
    text
        The row's own text, or that of the row that it copies.
    row_id
        The row that it copies; None where it copies none.
    """

    text: str
    row_id: str | None = None


def copies_of(task: LabelTask, settings: LabelSettings) -> Copies:
    """Return what finds the copies among a task's rows."""
    return Copies(settings.copies, letters=task.kind == "extract")


class Copies:
    """Remembers rows and finds copies among later ones, in bounded memory.

    Parameters
    ----------
    rule
        ``exact``: texts that differ in white space and case alone. ``near``: also texts that
        share nine tenths of their shingles (MinHash: Broder 1997). ``off``: none.
    letters
        Whether copies must be the same letter for letter, whatever the rule: where words are
        taken from a text, each has its place in its own row.
    most_bytes
        Memory for the rows remembered; beyond it the longest unseen are forgotten.
    """

    def __init__(
        self, rule: CopyRule = "exact", *, letters: bool = False, most_bytes: int = 2**26
    ) -> None:
        self._rule = rule
        self._letters = letters
        self._left = most_bytes
        self._known: OrderedDict[bytes, Original] = OrderedDict()
        self._near = _Near() if rule == "near" and not letters else None

    def originals(self, row_ids: Sequence[str], texts: Sequence[str]) -> list[Original]:
        """Return what each row is asked with; rows come in their order over all calls."""
        if self._rule == "off":
            return [Original(text) for text in texts]
        return [self._original(*row) for row in zip(row_ids, texts, strict=True)]

    def _original(self, row_id: str, text: str) -> Original:
        plain = text if self._letters else _plain(text)
        if not plain.strip():
            return Original(text)
        key = hashlib.blake2b(plain.encode("utf-8", "surrogatepass"), digest_size=16).digest()
        found = key if key in self._known else None
        marks: _Marks | None = None
        if found is None and self._near is not None:
            marks = self._near.marks(plain)
            found = self._near.find(marks)
        if found is not None:
            self._known.move_to_end(found)
            return self._known[found]
        self._remember(key, Original(text, row_id), marks)
        return Original(text)

    def _remember(self, key: bytes, row: Original, marks: _Marks | None) -> None:
        self._known[key] = row
        self._left -= _size(row)
        if self._near is not None and marks is not None:
            self._near.add(key, marks)
        while self._left < 0 and len(self._known) > 1:
            forgotten, old = self._known.popitem(last=False)
            self._left += _size(old)
            if self._near is not None:
                self._near.forget(forgotten)


@dataclass(frozen=True, eq=False)
class _Marks:
    shingles: NDArray[np.uint64]
    bands: tuple[bytes, ...]


def _plain(text: str) -> str:
    """Return a text without case and blanks; the sides of a pair stay apart."""
    return SIDES.join(" ".join(each.split()) for each in text.casefold().split(SIDES))


class _Near:
    """Finds texts that share most shingles: MinHash minima in bands, then a full comparison."""

    def __init__(self) -> None:
        random = np.random.default_rng(0)
        high = np.iinfo(np.uint64).max
        count = BANDS * DEPTH
        self._factors = random.integers(1, high, count, dtype=np.uint64) | np.uint64(1)
        self._terms = random.integers(0, high, count, dtype=np.uint64)
        self._marks: dict[bytes, _Marks] = {}
        self._by_band: dict[bytes, bytes] = {}

    def marks(self, plain: str) -> _Marks:
        """Return the shingles (8 bytes at each place) and the bands of their minima."""
        data = plain.encode("utf-8", "surrogatepass")
        data = data[: _LONGEST + SHINGLE - 1].ljust(SHINGLE, b"\0")
        raw = np.frombuffer(data, dtype=np.uint8)
        windows = np.lib.stride_tricks.sliding_window_view(raw, SHINGLE)
        shingles = np.unique(np.ascontiguousarray(windows).view(np.uint64).ravel())
        least = np.full(len(self._factors), np.iinfo(np.uint64).max, dtype=np.uint64)
        for part in _portions(shingles):
            mixed = part[:, None] * self._factors + self._terms
            mixed ^= mixed >> np.uint64(29)
            least = np.minimum(least, mixed.min(axis=0))
        rows = least.reshape(BANDS, DEPTH)
        bands = (bytes([band]) + row.tobytes() for band, row in enumerate(rows))
        bands = (hashlib.blake2b(each, digest_size=8).digest() for each in bands)
        return _Marks(shingles, tuple(bands))

    def find(self, marks: _Marks) -> bytes | None:
        """Return the earliest remembered row that is alike."""
        for band in marks.bands:
            key = self._by_band.get(band)
            if key is not None and _alike(self._marks[key].shingles, marks.shingles):
                return key
        return None

    def add(self, key: bytes, marks: _Marks) -> None:
        """Remember a row."""
        self._marks[key] = marks
        for band in marks.bands:
            self._by_band.setdefault(band, key)

    def forget(self, key: bytes) -> None:
        """Forget a row."""
        for band in self._marks.pop(key).bands:
            if self._by_band.get(band) == key:
                del self._by_band[band]


def _alike(one: NDArray[np.uint64], other: NDArray[np.uint64]) -> bool:
    shared = len(np.intersect1d(one, other, assume_unique=True))
    return shared >= ALIKE * (len(one) + len(other) - shared)


def _portions(shingles: NDArray[np.uint64]) -> Iterator[NDArray[np.uint64]]:
    for start in range(0, len(shingles), 2000):
        yield shingles[start : start + 2000]


def _size(row: Original) -> int:
    return _ENTRY + len(row.text.encode("utf-8", "surrogatepass"))
