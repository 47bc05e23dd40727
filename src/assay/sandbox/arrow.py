"""Reads an Arrow stream that nobody vouches for.

Only what a result needs: numbers, booleans, texts, dates and times, in uncompressed buffers.
Every length is held against the bytes that are there, so that a small stream cannot become a
large table; extension types, dictionaries, nested types and compression are refused.
"""

from __future__ import annotations

import struct
from collections.abc import Iterator
from dataclasses import dataclass
from itertools import pairwise
from typing import Any

import numpy as np
import polars as pl
from numpy.typing import NDArray

from assay.sandbox.flatbuffer import DamagedError, Table

MAX_COLUMNS = 4096
MAX_DAYS = 700_000
MAX_MOMENT = 60_000_000_000_000_000
"""Farthest times from 1970: days, and milli-, micro- or nanoseconds, all within the calendar."""
_SCHEMA, _BATCH = 1, 3
_INTEGER, _FLOAT, _TEXT, _BOOLEAN, _DATE, _TIMESTAMP, _DURATION, _LARGE_TEXT = (
    *(2, 3, 5, 6, 8),
    *(10, 18, 20),
)
_FLOATS = {1: "float32", 2: "float64"}
_FRACTIONS = {"float32": pl.Float32, "float64": pl.Float64}
_WHOLE = {
    name.lower(): getattr(pl, name)
    for name in ("Int8", "Int16", "Int32", "Int64", "UInt8", "UInt16", "UInt32", "UInt64")
}
_UNITS: dict[int, Any] = {1: "ms", 2: "us", 3: "ns"}


@dataclass(frozen=True)
class _Column:
    name: str
    kind: int
    width: str
    """NumPy type of the values; of the offsets for texts."""
    type: Any
    """Polars type of the values."""


def read_arrow(data: bytes) -> pl.DataFrame:
    """Return the table of an Arrow stream.

    Raises
    ------
    DamagedError
        When it is damaged, or holds what a result may not.
    """
    messages = _messages(data)
    header, _ = next(messages, (None, b""))
    if header is None or header.number(1, "B") != _SCHEMA:
        raise DamagedError("there is no schema")
    schema = _header(header)
    if schema.number(0, "h"):
        raise DamagedError("its numbers are big-endian")
    columns = [_column(field) for field in schema.tables(1)]
    if len(columns) > MAX_COLUMNS or len({each.name for each in columns}) < len(columns):
        raise DamagedError("it has too many columns, or two of one name")
    parts: list[list[pl.Series]] = [[] for _ in columns]
    for message, body in messages:
        if message.number(1, "B") != _BATCH:
            raise DamagedError("it holds something besides rows")
        batch = zip(parts, columns, _series(columns, _header(message), body), strict=True)
        for part, column, values in batch:
            part.append(pl.Series(column.name, values, dtype=column.type))
    return pl.DataFrame(
        [
            pl.concat(part) if part else pl.Series(column.name, [], dtype=column.type)
            for part, column in zip(parts, columns, strict=True)
        ]
    )


def _messages(data: bytes) -> Iterator[tuple[Table, bytes]]:
    place = 0
    while place < len(data):
        marker, length = _two(data, place)
        if marker != 0xFFFFFFFF:
            raise DamagedError("a message has no beginning")
        if length == 0:
            return
        metadata = data[place + 8 : place + 8 + length]
        message = Table.root(metadata)
        size = message.number(3, "q")
        place += 8 + length
        if not 0 <= size <= len(data) - place:
            raise DamagedError("a message ends too early")
        yield message, data[place : place + size]
        place += size


def _two(data: bytes, place: int) -> tuple[int, int]:
    try:
        marker, length = struct.unpack_from("<II", data, place)
    except struct.error:
        raise DamagedError("a message ends too early") from None
    return int(marker), int(length)


def _header(message: Table) -> Table:
    header = message.table(2)
    if header is None:
        raise DamagedError("a message has no header")
    return header


def _column(field: Table) -> _Column:
    name, kind, told = field.text(0), field.number(2, "B"), field.table(3)
    if field.has(4) or field.tables(5) or field.tables(6):
        raise DamagedError(f"column {name!r} is nested, categorical or of an extension type")
    if told is None:
        raise DamagedError(f"column {name!r} has no type")
    if kind == _INTEGER:
        bits, signed = told.number(0, "i"), told.number(1, "B")
        if bits in (8, 16, 32, 64):
            width = f"{'' if signed else 'u'}int{bits}"
            return _Column(name, kind, width, _WHOLE[width])
    if kind == _FLOAT and told.number(0, "h") in _FLOATS:
        width = _FLOATS[told.number(0, "h")]
        return _Column(name, kind, width, _FRACTIONS[width])
    if kind == _BOOLEAN:
        return _Column(name, kind, "uint8", pl.Boolean)
    if kind in (_TEXT, _LARGE_TEXT):
        return _Column(name, kind, "int32" if kind == _TEXT else "int64", pl.String)
    if kind == _DATE and told.number(0, "h", 1) == 0:
        return _Column(name, kind, "int32", pl.Date)
    if kind == _TIMESTAMP and told.number(0, "h") in _UNITS:
        return _Column(name, kind, "int64", _moment(told))
    if kind == _DURATION and told.number(0, "h", 1) in _UNITS:
        return _Column(name, kind, "int64", pl.Duration(_UNITS[told.number(0, "h", 1)]))
    raise DamagedError(f"column {name!r} is of a type that a result may not have")


def _moment(told: Table) -> pl.Datetime:
    if told.text(1) not in ("", "UTC"):
        raise DamagedError("a time is not in UTC")
    return pl.Datetime(_UNITS[told.number(0, "h")], told.text(1) or None)


def _series(columns: list[_Column], batch: Table, body: bytes) -> Iterator[pl.Series]:
    rows, nodes, places = batch.number(0, "q"), batch.pairs(1), iter(batch.pairs(2))
    if batch.has(3):
        raise DamagedError("it is compressed")
    if len(nodes) != len(columns) or any(length != rows for length, _ in nodes):
        raise DamagedError("its columns are not of one length")
    if columns and not 0 <= rows <= 8 * len(body):
        raise DamagedError("it claims more rows than it holds")

    def buffer() -> bytes:
        start, length = next(places, (-1, 0))
        if start < 0 or not 0 <= length <= len(body) - start:
            raise DamagedError("a column lies outside its message")
        return body[start : start + length]

    for column, (_, absent) in zip(columns, nodes, strict=True):
        present, values = buffer(), buffer()
        if column.kind in (_TEXT, _LARGE_TEXT):
            found = _texts(_array(values, column.width, rows + 1), buffer())
        elif column.kind == _BOOLEAN:
            found = pl.Series(_bits(values, rows))
        else:
            found = pl.Series(_array(values, column.width, rows))
            if found.dtype != column.type:
                found = _in_time(found).cast(column.type)
        if absent:
            there = pl.Series(_bits(present, rows))
            found = found.to_frame("found").select(pl.when(there).then("found")).to_series()
        yield found


def _array(data: bytes, kind: str, count: int) -> NDArray[Any]:
    width = np.dtype(kind).itemsize
    if count * width > len(data):
        raise DamagedError("a column ends too early")
    return np.frombuffer(data, dtype=np.dtype(kind).newbyteorder("<"), count=count)


def _bits(data: bytes, count: int) -> NDArray[np.bool_]:
    packed = _array(data, "uint8", (count + 7) // 8)
    return np.unpackbits(packed, count=count, bitorder="little").astype(np.bool_)


def _in_time(numbers: pl.Series) -> pl.Series:
    """Return days or moments unchanged; beyond the calendar, Polars ends the whole process."""
    days = numbers.dtype == pl.Int32
    most = MAX_DAYS if days else MAX_MOMENT
    if len(numbers) and not numbers.is_between(-most, most).all():
        raise DamagedError("a time lies outside the calendar")
    return numbers


def _texts(offsets: NDArray[Any], data: bytes) -> pl.Series:
    if offsets[0] < 0 or offsets[-1] > len(data) or (np.diff(offsets) < 0).any():
        raise DamagedError("a text lies outside its column")
    places = offsets.tolist()
    try:
        texts = [data[a:b].decode() for a, b in pairwise(places)]
    except UnicodeDecodeError:
        raise DamagedError("a text is not UTF-8") from None
    return pl.Series(texts, dtype=pl.String)
