"""A Hugging Face dataset's folder, as its ``load_from_disk`` reads and ``save_to_disk`` writes."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import polars as pl

from assay.config import write_text, writing
from assay.errors import InputError
from assay.label.result import LabelResult
from assay.label.review.formats.rows import Answer, Row
from assay.label.review.formats.tables import answers_in, table_of
from assay.label.tabled import from_texts
from assay.ledger.artefacts import digest

DATA, INFO, STATE = "data-00000-of-00001.arrow", "dataset_info.json", "state.json"
LABELS = ("suggestion", "label")
CODED = ("single", "ordinal", "match", "multi")
"""Kinds whose labels are the numbers of a ClassLabel."""


def write(rows: list[Row], result: LabelResult, out: Path) -> list[Path]:
    """Write a folder; ``label`` is empty and to be filled in, ``suggestion`` is the labelling's."""
    if out.exists() and (out.is_file() or any(out.iterdir())):
        raise InputError("The folder is taken.", given=out, next_step="choose another --out")
    table = _coded(table_of(rows, result), result)
    with writing(out / DATA) as aside:
        table.write_ipc_stream(aside, compat_level=pl.CompatLevel.oldest())
    features = {name: _feature(name, table.schema[name], result) for name in table.columns}
    info = {"citation": "", "description": "Rows to check.", "features": features,
            "homepage": "", "license": ""}  # fmt: skip
    state: dict[str, Any] = {
        "_data_files": [{"filename": DATA}],
        "_fingerprint": digest((out / DATA).read_bytes())[:16],
        "_format_columns": None,
        "_format_kwargs": {},
        "_format_type": None,
        "_output_all_columns": False,
        "_split": None,
    }
    write_text(out / INFO, json.dumps(info, ensure_ascii=False, indent=1))
    write_text(out / STATE, json.dumps(state, indent=1))
    return [out]


def read(folder: Path, result: LabelResult, reviewer: str) -> list[Answer]:
    """Return the answers in a folder that ``save_to_disk`` wrote."""
    try:
        state = json.loads((folder / STATE).read_text(encoding="utf-8"))
        info = json.loads((folder / INFO).read_text(encoding="utf-8"))
        names = [Path(each["filename"]).name for each in state["_data_files"]]
        table = pl.concat([pl.read_ipc_stream(folder / name) for name in names], how="vertical")
    except (OSError, ValueError, LookupError, pl.exceptions.PolarsError) as error:
        raise InputError(
            f"This is no dataset of Hugging Face: {error}.",
            given=folder,
            allowed="a folder that dataset.save_to_disk() wrote",
        ) from error
    if "label" in table.columns:
        table = table.with_columns(_named(table["label"], info["features"].get("label", {})))
    return answers_in(table, result, reviewer)


def _coded(table: pl.DataFrame, result: LabelResult) -> pl.DataFrame:
    """Return the labels as numbers of the class list."""
    if result.task.kind not in CODED:
        return table
    code = {name: at for at, name in enumerate(result.task.class_names)}
    several = result.task.kind == "multi"
    for name in LABELS:
        values: list[Any] = table[name].to_list()
        if several:
            values = [None if each is None else [code[one] for one in each]
                      for each in from_texts(values)]  # fmt: skip
        else:
            values = [None if each is None else code[each] for each in values]
        kind = pl.List(pl.Int64) if several else pl.Int64
        table = table.with_columns(pl.Series(name, values, kind))
    return table


def _feature(name: str, kind: pl.DataType, result: LabelResult) -> dict[str, Any]:
    if name in LABELS and result.task.kind in CODED:
        label = {"names": list(result.task.class_names), "_type": "ClassLabel"}
        return label if kind != pl.List else {"feature": label, "_type": "LargeList"}
    return {"dtype": "float64" if kind == pl.Float64 else "large_string", "_type": "Value"}


def _named(column: pl.Series, feature: dict[str, Any]) -> pl.Series:
    """Return the classes that the numbers stand for; -1 is the dataset's word for no label."""
    several = "feature" in feature
    names = (feature["feature"] if several else feature).get("names")
    if names is None:
        return column
    values: list[Any] = column.to_list()
    if several:
        named: list[Any] = [
            None if each is None else json.dumps([names[one] for one in each]) for each in values
        ]
    else:
        named = [None if each is None or each < 0 else names[each] for each in values]
    return pl.Series(column.name, named, pl.String)
