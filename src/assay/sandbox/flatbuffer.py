"""Reads flatbuffers, which carry Arrow's metadata, trusting none of their offsets."""

from __future__ import annotations

import struct
from dataclasses import dataclass


class DamagedError(ValueError):
    """The bytes are not what they claim to be."""


@dataclass(frozen=True)
class Table:
    """A flatbuffer table: numbered fields, each of which may be absent.

    Every read is checked against the end of ``data``, and raises :class:`DamagedError`.
    """

    data: bytes
    start: int

    @classmethod
    def root(cls, data: bytes) -> Table:
        """Return the outermost table of ``data``."""
        return cls(data, _unpack(data, "<I", 0))

    def number(self, field: int, layout: str, default: int = 0) -> int:
        """Return a number; ``layout`` as :mod:`struct` names it, without the byte order."""
        place = self._place(field)
        return default if place is None else _unpack(self.data, "<" + layout, place)

    def table(self, field: int) -> Table | None:
        """Return the table that a field refers to."""
        place = self._place(field)
        return None if place is None else Table(self.data, self._follow(place))

    def text(self, field: int) -> str:
        """Return a text; empty where it is absent."""
        place = self._place(field)
        if place is None:
            return ""
        begin = self._follow(place)
        length = _unpack(self.data, "<I", begin)
        raw = self.data[begin + 4 : begin + 4 + length]
        if len(raw) != length:
            raise DamagedError("a text ends too early")
        return raw.decode()

    def tables(self, field: int) -> list[Table]:
        """Return the tables of a vector of tables."""
        begin, count = self._vector(field, 4)
        return [Table(self.data, self._follow(begin + 4 * index)) for index in range(count)]

    def pairs(self, field: int) -> list[tuple[int, int]]:
        """Return the structs of a vector of two 64-bit numbers each."""
        begin, count = self._vector(field, 16)
        raw = self.data[begin : begin + 16 * count]
        return [(first, second) for first, second in struct.iter_unpack("<qq", raw)]

    def has(self, field: int) -> bool:
        """Whether a field is present."""
        return self._place(field) is not None

    def _place(self, field: int) -> int | None:
        fields = self.start - _unpack(self.data, "<i", self.start)
        if 4 + 2 * field >= _unpack(self.data, "<H", fields):
            return None
        offset = _unpack(self.data, "<H", fields + 4 + 2 * field)
        return self.start + offset if offset else None

    def _follow(self, place: int) -> int:
        return place + _unpack(self.data, "<I", place)

    def _vector(self, field: int, width: int) -> tuple[int, int]:
        place = self._place(field)
        if place is None:
            return 0, 0
        begin = self._follow(place)
        count = _unpack(self.data, "<I", begin)
        if begin + 4 + count * width > len(self.data):
            raise DamagedError("a list ends too early")
        return begin + 4, count


def _unpack(data: bytes, layout: str, place: int) -> int:
    if place < 0:
        raise DamagedError("an offset points before the beginning")
    try:
        return int(struct.unpack_from(layout, data, place)[0])
    except struct.error:
        raise DamagedError("an offset points behind the end") from None
