"""Writing a table to a file portion by portion, whole or not at all."""

from __future__ import annotations

import gzip
import tempfile
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import IO

import polars as pl

from assay.config import writing
from assay.errors import InputError
from assay.tables.formats import Format, named

APPENDED: tuple[Format, ...] = ("csv", "tsv", "jsonl", "parquet")


def check_appendable(path: Path) -> None:
    """Raise an InputError where a file of that name cannot be written in portions."""
    kind, gzipped = named(path)
    if kind not in APPENDED or (kind == "parquet" and gzipped):
        raise InputError(
            "This format is not written in portions.",
            given=path.name,
            allowed=".csv, .tsv, .jsonl, .parquet; the first three may be followed by .gz",
        )


@contextmanager
def appending(path: Path) -> Iterator[Callable[[pl.DataFrame], None]]:
    """Yield what adds rows to a new file; it appears at ``path`` when the block succeeds.

    Portions have one schema. Memory holds one of them.

    Raises
    ------
    InputError
        When the name's ending is of no format that is written in portions.
    AssayError
        When the disk is full or the folder cannot be written; nothing is left behind.
    """
    check_appendable(path)
    kind, gzipped = named(path)
    with writing(path) as aside:
        if kind == "parquet":
            with _parquet(aside) as add:
                yield add
            return
        opened = gzip.GzipFile(aside, "wb", mtime=0) if gzipped else aside.open("wb")
        with opened as file:
            yield _adder(file, kind)


def _adder(file: IO[bytes] | gzip.GzipFile, kind: Format) -> Callable[[pl.DataFrame], None]:
    begun = False

    def add(table: pl.DataFrame) -> None:
        nonlocal begun
        if kind == "jsonl":
            text = table.write_ndjson()
        else:
            separator = "\t" if kind == "tsv" else ","
            text = table.write_csv(separator=separator, include_header=not begun)
        file.write(text.encode())
        begun = True

    return add


@contextmanager
def _parquet(aside: Path) -> Iterator[Callable[[pl.DataFrame], None]]:
    with tempfile.TemporaryDirectory(dir=aside.parent, prefix=f"{aside.name}.") as folder:
        parts: list[Path] = []

        def add(table: pl.DataFrame) -> None:
            parts.append(Path(folder) / f"{len(parts):08}.parquet")
            table.write_parquet(parts[-1])

        yield add
        if parts:
            pl.scan_parquet(parts).sink_parquet(aside)
        else:
            pl.DataFrame().write_parquet(aside)
