"""Rows at the door: ids, the columns that are read, and one text for each row."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import polars as pl

from assay.errors import InputError
from assay.label.task import LabelTask
from assay.tables.door import to_polars
from assay.tables.infer import require_column
from assay.tables.rows import ROW_ID, with_row_ids


@dataclass(frozen=True, eq=False)
class Rows:
    """Rows to label.

    Attributes
    ----------
    table
        ``row_id`` and the task's inputs, n rows.
    texts
        What an annotator reads of each.
    why
        The reason of each row that cannot be asked about.
    """

    table: pl.DataFrame
    texts: list[str]
    why: Mapping[int, str]

    def __len__(self) -> int:
        return len(self.texts)


def read_rows(given: Any, task: LabelTask) -> tuple[Rows, LabelTask]:
    """Return the rows, and the task with the columns that it reads filled in.

    Parameters
    ----------
    given
        Any kind of table, or a sequence of texts.

    Raises
    ------
    InputError
        When a column is absent or there is nothing to read.
    """
    if isinstance(given, list | tuple) and all(isinstance(each, str) for each in given):
        given = pl.DataFrame({"text": list(given)}, schema={"text": pl.String})
    table = with_row_ids(to_polars(given))
    for name in task.inputs:
        require_column(table, name, "input")
    inputs = task.inputs or tuple(
        name for name in table.columns if name not in (ROW_ID, task.target)
    )
    if not inputs:
        raise InputError("The rows have no column to read.", given=", ".join(table.columns))
    task = task.model_copy(update={"inputs": inputs})
    table = table.select(ROW_ID, *inputs)
    texts = render(table, task)
    why = {row: "the text is empty" for row, text in enumerate(texts) if not text.strip()}
    return Rows(table, texts, why), task


def render(table: pl.DataFrame, task: LabelTask) -> list[str]:
    """Return what an annotator reads of each row: the text, or ``column: value`` lines."""
    columns = [table[name].cast(pl.String).fill_null("").to_list() for name in task.inputs]
    if len(columns) == 1:
        return columns[0]
    return [
        "\n".join(f"{name}: {value}" for name, value in zip(task.inputs, row, strict=True) if value)
        for row in zip(*columns, strict=True)
    ]
