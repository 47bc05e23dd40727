"""Writing a table to a file, whole or not at all."""

from __future__ import annotations

import gzip
import io
from pathlib import Path

import polars as pl

from assay.config import writing
from assay.tables.formats import named


def write_table(table: pl.DataFrame, path: str | Path) -> None:
    """Write ``table`` in the format that the name of ``path`` ends in; ``.gz`` compresses.

    Raises
    ------
    InputError
        When the ending is not known.
    AssayError
        When the disk is full or the folder cannot be written; nothing is left behind.
    """
    path = Path(path)
    kind, gzipped = named(path)
    buffer = io.BytesIO()
    match kind:
        case "csv":
            table.write_csv(buffer)
        case "tsv":
            table.write_csv(buffer, separator="\t")
        case "jsonl":
            table.write_ndjson(buffer)
        case "parquet":
            table.write_parquet(buffer)
        case "arrow":
            table.write_ipc(buffer)
    data = buffer.getvalue()
    with writing(path) as aside:
        aside.write_bytes(gzip.compress(data, mtime=0) if gzipped else data)
