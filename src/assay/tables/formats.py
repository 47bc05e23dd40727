"""File formats by name ending, compressed or not."""

from __future__ import annotations

import gzip
import zlib
from pathlib import Path
from typing import Literal, NamedTuple

from assay.errors import InputError

Format = Literal["csv", "tsv", "jsonl", "parquet", "arrow"]

ENDINGS: dict[str, Format] = {
    ".csv": "csv",
    ".tsv": "tsv",
    ".jsonl": "jsonl",
    ".ndjson": "jsonl",
    ".parquet": "parquet",
    ".pq": "parquet",
    ".arrow": "arrow",
    ".feather": "arrow",
    ".ipc": "arrow",
}


class Named(NamedTuple):
    """What a file's name says about its content."""

    format: Format
    gzipped: bool


def named(path: Path) -> Named:
    """Return the format that the name of ``path`` ends in.

    Raises
    ------
    InputError
        When it ends in none that is known.
    """
    endings = [each.lower() for each in path.suffixes]
    gzipped = endings[-1:] == [".gz"]
    ending = (endings[:-1] if gzipped else endings)[-1:]
    if not ending or ending[0] not in ENDINGS:
        raise InputError(
            "The file's format is not known by its name.",
            given=path.name,
            allowed=", ".join(ENDINGS) + "; each may be followed by .gz",
            next_step="rename or convert the file",
        )
    return Named(ENDINGS[ending[0]], gzipped)


def content(path: Path, *, gzipped: bool) -> bytes:
    """Return the file's bytes, unpacked.

    Raises
    ------
    InputError
        When the file is absent, a folder, unreadable, empty, or no gzip though so named.
    """
    if not path.exists():
        raise InputError("There is no such file.", given=path, next_step="check the path")
    if path.is_dir():
        raise InputError("This is a folder, not a file.", given=path, next_step="name a file")
    try:
        data = path.read_bytes()
        if gzipped:
            data = gzip.decompress(data)
    except (OSError, EOFError, zlib.error) as error:
        raise InputError(f"The file cannot be read: {error}.", given=path) from error
    if not data.strip():
        raise InputError("The file is empty.", given=path.name, next_step="name one with rows")
    return data
