"""The file that a labelling writes: the user's own columns, and what was found beside them."""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any

import polars as pl

from assay.label.task import LabelTask

FOUND = ("label", "probability", "status", "why")


def beside(own: pl.DataFrame, found: pl.DataFrame, task: LabelTask) -> pl.DataFrame:
    """Return the user's columns with label, ``probability``, ``status`` and ``why``.

    Parameters
    ----------
    own
        ``row_id`` and the user's columns, n rows.
    found
        ``LabelResult.table``, in the same order.
    """
    names = found_names(own.columns, task)
    label = written(found[task.target])
    columns = [label, found["probability"], found["status"], found["why"]]
    return own.with_columns(
        each.alias(names[name]) for name, each in zip(FOUND, columns, strict=True)
    )


def found_names(taken: Any, task: LabelTask) -> Mapping[str, str]:
    """Return the column of each finding; ``assay_`` goes before a name that is taken."""
    wanted = {name: name for name in FOUND} | {"label": task.target}
    return {
        name: f"assay_{column}" if column in taken else column for name, column in wanted.items()
    }


def written(labels: pl.Series) -> pl.Series:
    """Return labels as a file holds them: those that are no strings as JSON text."""
    if labels.dtype == pl.String:
        return labels
    return pl.Series(labels.name, [_text(each) for each in labels.to_list()], dtype=pl.String)


def _text(label: Any) -> str | None:
    if label is None or isinstance(label, str):
        return label
    return json.dumps(label, ensure_ascii=False)
