"""CSV, TSV, Parquet, JSONL: one row a line, an empty column ``label`` to fill in."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import polars as pl

from assay.errors import InputError
from assay.label.result import LabelResult
from assay.label.review.filling import filled_in
from assay.label.review.formats.rows import Answer, Row
from assay.label.review.gold import AS_JSON
from assay.label.tabled import as_texts
from assay.tables import read_table, write_table
from assay.tables.rows import ROW_ID

EXTRA = ("suggestion", "probability", "label", "note", "reviewer")
"""What an exported table has beside the row's id and inputs."""


def write(rows: list[Row], result: LabelResult, out: Path) -> list[Path]:
    """Write rows as a table; the file's ending says which kind.

    Raises
    ------
    InputError
        When the file stands there already, with labels that somebody filled in.
    """
    if filled_in(out, "label"):
        raise InputError(
            "The file holds labels that were filled in, which an export would lose.",
            given=out,
            next_step="take them in with assay review import, then name another --out",
        )
    write_table(table_of(rows, result), out)
    return [out]


def table_of(rows: list[Row], result: LabelResult) -> pl.DataFrame:
    """Return rows as a table; a column of the user's that has a taken name is prefixed."""
    labels = [each.label for each in rows]
    if result.task.kind in AS_JSON:
        labels = as_texts(labels)
    columns: dict[str, Any] = {ROW_ID: [each.row_id for each in rows]}
    for name in result.task.inputs:
        columns[_outside(name)] = [each.fields[name] for each in rows]
    columns["suggestion"] = labels
    columns["probability"] = [each.probability for each in rows]
    columns |= {name: [None] * len(rows) for name in ("label", "note", "reviewer")}
    types: dict[str, Any] = dict.fromkeys(columns, pl.String) | {"probability": pl.Float64}
    return pl.DataFrame(columns, schema=types)


def read(path: Path, result: LabelResult, reviewer: str) -> list[Answer]:
    """Return the answers in a table with the columns ``row_id`` and ``label``."""
    return answers_in(_read(path), result, reviewer)


def answers_in(table: pl.DataFrame, result: LabelResult, reviewer: str) -> list[Answer]:
    """Return the answers in a table; rows with an empty label are not answered."""
    for name in (ROW_ID, "label"):
        if name not in table.columns:
            raise InputError(f"The file has no column {name}.", given=", ".join(table.columns))
    inside = [name for name in result.task.inputs if _outside(name) in table.columns]
    found = []
    for row in table.iter_rows(named=True):
        label = row["label"]
        empty = label is None or (isinstance(label, str) and not label.strip())
        found.append(
            Answer(
                row_id=str(row[ROW_ID]),
                said="nothing" if empty else "label",
                reviewer=str(row.get("reviewer") or reviewer),
                label=label.strip() if isinstance(label, str) else label,
                note=str(row.get("note") or ""),
                fields={name: _text(row[_outside(name)]) for name in inside},
            )
        )
    return found


def _read(path: Path) -> pl.DataFrame:
    """Return a table; a CSV file's cells as they are written, so that 007 stays 007."""
    if path.suffix.lower() not in (".csv", ".tsv"):
        return read_table(path)
    separator = "\t" if path.suffix.lower() == ".tsv" else ","
    try:
        return pl.read_csv(path, infer_schema=False, separator=separator)
    except pl.exceptions.PolarsError as error:
        raise InputError(f"The file cannot be read: {error}.", given=path) from error


def _outside(name: str) -> str:
    return f"input_{name}" if name in EXTRA else name


def _text(value: Any) -> str:
    return "" if value is None else str(pl.Series([value]).cast(pl.String, strict=False)[0])
