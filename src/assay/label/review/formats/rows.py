"""What every format is made of: rows that go out, answers that come back."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any, Literal

import numpy as np
import polars as pl

from assay.label.result import LabelResult
from assay.label.rows import render
from assay.tables.rows import ROW_ID

Said = Literal["label", "skip", "nothing"]


@dataclass(frozen=True)
class Row:
    """A row to check.

    Attributes
    ----------
    text
        What a person reads: the one input, or ``column: value`` lines.
    fields
        The inputs, as text.
    label, probability
        What is suggested; None without a suggestion.
    """

    row_id: str
    text: str
    fields: dict[str, str]
    label: Any
    probability: float | None


@dataclass(frozen=True)
class Answer:
    """What one person said of one row, in a file.

    Attributes
    ----------
    said
        ``label``; ``skip``: left out on purpose; ``nothing``: not answered yet.
    label
        As the file has it; checked later.
    problem
        Why the answer cannot be read; empty where it can.
    fields
        What the row said in that file, under the names that :class:`Row` gives: ``text`` or the
        inputs; empty where the file does not tell.
    """

    row_id: str
    said: Said
    reviewer: str
    label: Any = None
    note: str = ""
    problem: str = ""
    fields: dict[str, str] = field(default_factory=dict)


def rows_of(result: LabelResult, row_ids: list[str]) -> list[Row]:
    """Return those rows of a labelling, in that order."""
    table, task, answers = result.rows.table, result.task, result.answers
    place = {each: row for row, each in enumerate(table[ROW_ID])}
    chosen = [place[each] for each in row_ids]
    some = table[chosen]
    columns = {
        name: some[name].cast(pl.String, strict=False).fill_null("").to_list()
        for name in task.inputs
    }
    texts = result.rows.texts if task.kind == "extract" else None
    shown = render(some, task) if texts is None else [texts[row] for row in chosen]
    found = []
    for at, row in enumerate(chosen):
        sure = answers.probability[row]
        found.append(
            Row(
                row_id=row_ids[at],
                text=shown[at],
                fields={name: values[at] for name, values in columns.items()},
                label=result.given.get(row, answers.labels[row]),
                probability=float(sure) if np.isfinite(sure) else None,
            )
        )
    return found
