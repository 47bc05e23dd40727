"""Round trips: rows out to another tool to be checked, its answers back in, all or none."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Literal, get_args

from assay.errors import InputError
from assay.label.result import LabelResult
from assay.label.review.formats import argilla, huggingface, label_studio, tables
from assay.label.review.formats.rows import Answer, rows_of

Format = Literal["label-studio", "argilla", "csv", "huggingface"]
FORMATS: tuple[Format, ...] = get_args(Format)

_WRITERS: dict[str, Callable[..., list[Path]]] = {
    "label-studio": label_studio.write,
    "argilla": argilla.write,
    "csv": tables.write,
    "huggingface": huggingface.write,
}


def export_rows(result: LabelResult, row_ids: list[str], to: str, out: Path) -> list[Path]:
    """Write rows to be checked elsewhere, with what was suggested; return what was written.

    Parameters
    ----------
    to
        One of :data:`FORMATS`; ``csv`` writes Parquet or JSONL too, as the ending says.

    Raises
    ------
    InputError
        When there is no such format.
    """
    if to not in _WRITERS:
        raise InputError("Rows cannot be exported to this.", given=to, allowed=", ".join(FORMATS))
    return _WRITERS[to](rows_of(result, row_ids), result, out)


def read_answers(path: Path, result: LabelResult, reviewer: str) -> list[Answer]:
    """Return the answers in a file of any of the formats.

    Parameters
    ----------
    reviewer
        Who answered, where the file does not say.

    Raises
    ------
    InputError
        When it is none of them.
    """
    if not path.exists():
        raise InputError("There is no such file.", given=path)
    if path.is_dir():
        return huggingface.read(path, result, reviewer)
    if path.suffix != ".json":
        return tables.read(path, result, reviewer)
    records = label_studio.read_json(path)
    if any("annotations" in each or "data" in each for each in records):
        return label_studio.read(records, result)
    if any("responses" in each for each in records):
        return argilla.read(records, result)
    raise InputError(
        "This file holds neither tasks of Label Studio nor records of Argilla.",
        given=path,
        allowed="Label Studio: JSON (not JSON-MIN); Argilla: records.to_json()",
    )
