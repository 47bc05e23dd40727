"""Reading a table from a file."""

from __future__ import annotations

import codecs
import csv
import io
import json
from collections import Counter
from collections.abc import Mapping
from contextlib import suppress
from pathlib import Path
from typing import Any

import polars as pl

from assay.errors import InputError
from assay.tables.formats import content, named


def read_table(path: str | Path, *, encoding: str = "utf-8") -> pl.DataFrame:
    """Read CSV, TSV, JSON lines, Parquet or Arrow (feather), gzip-compressed or not.

    Parameters
    ----------
    path
        The name's ending tells the format.
    encoding
        Of the text formats.

    Raises
    ------
    InputError
        When the file is absent, empty, not of its format, in another encoding, without rows, or
        has two columns of one name.
    """
    path = Path(path)
    kind, gzipped = named(path)
    data = content(path, gzipped=gzipped)
    if kind in ("csv", "tsv", "jsonl"):
        text = _decoded(data, encoding, path.name)
        table = _json_lines(text, path) if kind == "jsonl" else read_separated(text, kind, path)
    else:
        table = _binary(data, kind, path)
    if table.is_empty():
        raise InputError("The file has no rows.", given=path.name, next_step="name one with rows")
    return table


def _decoded(data: bytes, encoding: str, name: str) -> str:
    try:
        codec = codecs.lookup(encoding)
        if not codec._is_text_encoding:
            raise LookupError(encoding)
    except LookupError as error:
        raise InputError(
            "The encoding is not known.", given=encoding, allowed="utf-8, latin-1, cp1252, …"
        ) from error
    try:
        return codec.decode(data)[0].removeprefix("\ufeff")
    except UnicodeDecodeError as error:
        line = data.count(b"\n", 0, error.start) + 1
        raise InputError(
            f"{name} is not {encoding} text: line {line} holds a byte that does not fit.",
            given=f"byte 0x{data[error.start]:02x} at offset {error.start}",
            next_step="name its encoding, for example --encoding cp1252, or convert the file",
        ) from error


def read_separated(
    text: str, kind: str, path: Path, *, schema: Mapping[str, Any] | None = None
) -> pl.DataFrame:
    """Read CSV or TSV; ``schema`` tells the columns' types where they are known."""
    separator = "\t" if kind == "tsv" else ","
    try:
        header = next(csv.reader(io.StringIO(text), delimiter=separator))
    except (csv.Error, StopIteration) as error:
        raise InputError(f"The header cannot be read: {error}.", given=path.name) from error
    twice = [name for name, count in Counter(header).items() if count > 1]
    if twice:
        raise InputError(
            f"Two columns have the name {twice[0]!r}.", given=path.name, next_step="rename one"
        )
    try:
        table = pl.read_csv(
            text.encode(),
            separator=separator,
            infer_schema_length=None,
            try_parse_dates=True,
            schema_overrides=schema,
        )
    except pl.exceptions.PolarsError as error:
        _refuse_ragged(text, separator, len(header), path)
        raise InputError(
            f"The file is not well-formed {kind.upper()}: {_first_line(error)}.",
            given=path.name,
            next_step="check quotes and the number of fields in each line",
        ) from error
    if table.width > 1 and table[:, -1].null_count():  # what a line that is too short leaves
        _refuse_ragged(text, separator, len(header), path)
    return table


def _refuse_ragged(text: str, separator: str, fields: int, path: Path) -> None:
    lines = csv.reader(io.StringIO(text), delimiter=separator)
    with suppress(csv.Error):
        for row in lines:
            if row and len(row) != fields:
                raise InputError(
                    f"Line {lines.line_num} of {path.name} has {len(row)} fields; its header has "
                    f"{fields}.",
                    next_step="quote fields that hold the separator, and fill up short lines",
                )


def _json_lines(text: str, path: Path) -> pl.DataFrame:
    rows: list[dict[str, Any]] = []
    for number, line in enumerate(text.split("\n"), start=1):
        if not line.strip():
            continue
        rows.append(json_object(line, f"Line {number} of {path.name}"))
    return from_records(rows)


def json_object(line: str, named: str) -> dict[str, Any]:
    """Return the object of a line of JSON; ``named`` is what an error calls the line."""
    try:
        row = json.loads(line)
    except json.JSONDecodeError as error:
        raise InputError(f"{named} is not JSON: {error.msg}.", given=line) from error
    if not isinstance(row, dict):
        raise InputError(f"{named} is not an object.", given=line)
    return row


def from_records(rows: list[dict[str, Any]]) -> pl.DataFrame:
    """Return rows as a table; a column that mixes numbers and strings becomes strings."""
    names = dict.fromkeys(name for row in rows for name in row)
    columns = {name: _column([row.get(name) for row in rows]) for name in names}
    return pl.DataFrame(columns)


def _column(values: list[Any]) -> pl.Series:
    kinds = {type(value) for value in values if value is not None}
    if len(kinds) == 1 or kinds <= {int, float}:
        with suppress(pl.exceptions.PolarsError, OverflowError, TypeError):
            return pl.Series(values, dtype=pl.Float64 if float in kinds else None)
    return pl.Series([None if value is None else _words(value) for value in values])


def _words(value: Any) -> str:
    return value if isinstance(value, str) else json.dumps(value, ensure_ascii=False)


def _binary(data: bytes, kind: str, path: Path) -> pl.DataFrame:
    try:
        if kind == "parquet":
            return pl.read_parquet(io.BytesIO(data))
        try:
            return pl.read_ipc(io.BytesIO(data))
        except pl.exceptions.PolarsError:
            return pl.read_ipc_stream(io.BytesIO(data))
    except (pl.exceptions.PolarsError, OSError) as error:
        raise InputError(
            f"The file is not well-formed {kind}: {_first_line(error)}.", given=path.name
        ) from error


def _first_line(error: BaseException) -> str:
    return (str(error).splitlines() or [type(error).__name__])[0].rstrip(".")
