"""Reading a file portion by portion, with the types that the whole file would have."""

from __future__ import annotations

import gzip
import io
import json
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import IO, Any, cast

import numpy as np
import polars as pl

from assay.errors import InputError
from assay.tables.formats import Format, named
from assay.tables.read import from_records, json_object, read_separated

BLOCK = 2**22
"""Bytes of text read at once."""

STREAMED: tuple[Format, ...] = ("csv", "tsv", "jsonl", "parquet")


class Portions:
    """The rows of a CSV, TSV, JSON lines (each may be gzipped) or Parquet file, in portions.

    Text files are read twice: once for the types of their columns, so that every portion has
    those of the whole file. Memory holds one portion. Text is UTF-8.

    Parameters
    ----------
    path
        The file; the name's ending tells the format.
    rows
        Most rows of a portion.

    Raises
    ------
    InputError
        When the file is absent, not of its format, or of one that is not read in portions.
    """

    def __init__(self, path: Path, rows: int) -> None:
        self.path = path
        self.rows = rows
        self.format, self._gzipped = named(path)
        if not path.is_file():
            raise InputError("There is no such file.", given=path, next_step="check the path")
        if self.format not in STREAMED:
            raise InputError(
                "This format is not read in portions.",
                given=path.name,
                allowed=", ".join(STREAMED),
                next_step="convert it, for example to Parquet",
            )

    def __iter__(self) -> Iterator[pl.DataFrame]:
        """Yield tables of one schema, in the file's order."""
        if self.format == "parquet":
            yield from self._parquet()
            return
        make = self._objects if self.format == "jsonl" else self._separated
        schema: dict[str, Any] = {}
        for data in self._records():
            schema = _wider(schema, dict(_frank(make(data, None)).schema))
        if self.format != "jsonl":
            schema = {name: pl.String if kind == pl.Null else kind for name, kind in schema.items()}
        for data in self._records():
            table = make(data, schema)
            if not table.is_empty():
                yield table

    def _parquet(self) -> Iterator[pl.DataFrame]:
        try:
            lazy = pl.scan_parquet(self.path)
            total = lazy.select(pl.len()).collect().item()
            for start in range(0, total, self.rows):
                yield lazy.slice(start, self.rows).collect()
        except (pl.exceptions.PolarsError, OSError) as error:
            told = (str(error).splitlines() or [""])[0].rstrip(".")
            raise InputError(
                f"The file is not well-formed parquet: {told}.", given=self.path.name
            ) from error

    def _separated(self, data: bytes, schema: Any) -> pl.DataFrame:
        return read_separated(self._decoded(data), self.format, self.path, schema=schema)

    def _objects(self, data: bytes, schema: Any) -> pl.DataFrame:
        lines = self._decoded(data).split("\n")
        named = f"A line of {self.path.name}"
        rows = [json_object(line, named) for line in lines if line.strip()]
        if schema is None:
            return from_records(rows)
        return _as_told(rows, schema)

    def _decoded(self, data: bytes) -> str:
        try:
            return data.decode("utf-8").removeprefix("\ufeff")
        except UnicodeDecodeError as error:
            raise InputError(
                f"{self.path.name} is not utf-8 text.",
                given=f"byte 0x{data[error.start]:02x}",
                next_step="convert it to UTF-8",
            ) from error

    def _records(self) -> Iterator[bytes]:
        """Yield whole records, ``rows`` at most; each portion of CSV begins with the header."""
        quoted = self.format != "jsonl"
        with self._opened() as file:
            header, held, count = b"", io.BytesIO(), 0
            for record_block, ends in _blocks(file, quoted=quoted):
                start = 0
                for end in ends.tolist():
                    if quoted and not header:
                        header, start = record_block[: end + 1], end + 1
                        held.write(header)
                        continue
                    count += 1
                    if count == self.rows:
                        held.write(record_block[start : end + 1])
                        yield held.getvalue()
                        held, count, start = io.BytesIO(), 0, end + 1
                        held.write(header)
                held.write(record_block[start:])
            if held.tell() > len(header):
                yield held.getvalue()

    @contextmanager
    def _opened(self) -> Iterator[IO[bytes]]:
        try:
            with self.path.open("rb") as plain:
                yield cast(IO[bytes], gzip.GzipFile(fileobj=plain)) if self._gzipped else plain
        except (OSError, EOFError) as error:
            raise InputError(f"The file cannot be read: {error}.", given=self.path.name) from error


def _blocks(file: IO[bytes], *, quoted: bool) -> Iterator[tuple[bytes, np.ndarray]]:
    """Yield blocks of whole records, with the place of each record's last byte."""
    rest = b""
    while block := file.read(BLOCK):
        data = rest + block
        ends = _ends(data, quoted=quoted)
        if not len(ends):
            rest = data
            continue
        cut = int(ends[-1]) + 1
        yield data[:cut], ends
        rest = data[cut:]
    if rest.strip():
        yield rest, np.array([len(rest) - 1])


def _ends(data: bytes, *, quoted: bool) -> np.ndarray:
    """Return where records end: line ends outside quotes."""
    raw = np.frombuffer(data, dtype=np.uint8)
    ends = np.flatnonzero(raw == ord("\n"))
    if not quoted:
        return ends
    quotes = np.flatnonzero(raw == ord('"'))
    return np.asarray(ends[np.searchsorted(quotes, ends) % 2 == 0])


def _wider(known: dict[str, Any], found: dict[str, Any]) -> dict[str, Any]:
    """Return the types that hold what was seen before and what was found now."""
    names = dict.fromkeys((*known, *found))
    return {name: _common(known.get(name), found.get(name)) for name in names}


def _common(one: Any, other: Any) -> Any:
    if one is None or one == pl.Null:
        return other if other is not None else one
    if other is None or other == pl.Null or one == other:
        return one
    numbers = one.is_numeric() and other.is_numeric()
    return pl.Float64 if numbers else pl.String


def _frank(table: pl.DataFrame) -> pl.DataFrame:
    """Return a table whose empty columns have no type, and whose lists and records are text."""
    empty = [name for name in table.columns if table[name].null_count() == table.height]
    nested = [name for name, kind in table.schema.items() if kind.is_nested()]
    return table.with_columns(
        *(pl.lit(None).alias(name) for name in empty),
        *(pl.lit("").alias(name) for name in nested if name not in empty),
    )


def _as_told(rows: list[dict[str, Any]], schema: dict[str, Any]) -> pl.DataFrame:
    def column(name: str, kind: Any) -> pl.Series:
        values = [row.get(name) for row in rows]
        if kind == pl.String:
            values = [_words(each) for each in values]
        return pl.Series(values, dtype=kind, strict=False)

    return pl.DataFrame({name: column(name, kind) for name, kind in schema.items()})


def _words(value: Any) -> str | None:
    if value is None or isinstance(value, str):
        return value
    return json.dumps(value, ensure_ascii=False)
