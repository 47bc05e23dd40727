"""A file in, a file with labels out."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

from assay.label.open import Desk
from assay.label.output import beside
from assay.label.run import Order, run_labelling
from assay.label.stream import stream_file
from assay.label.summary import Summary
from assay.label.task import LabelTask
from assay.llm import Progress
from assay.tables.formats import named
from assay.tables.read import read_table
from assay.tables.rows import with_row_ids
from assay.tables.write import write_table

LARGE = 2**25
"""Files of more bytes are labelled piece by piece."""


def label_file(
    data: str | Path,
    task: Any,
    gold: Any = None,
    *,
    out: str | Path,
    desk: Desk,
    order: Order,
    progress: Callable[[Progress], None] = lambda _: None,
    large: int = LARGE,
) -> Summary:
    """Label the rows of a file, and write them with what was found.

    A file of more than ``large`` bytes is labelled piece by piece in constant memory
    (:func:`assay.label.stream.stream_file`); the labels are the same.

    Parameters
    ----------
    out
        Where the rows go; the name's ending tells the format.
    desk
        What the labelling works with.
    order
        What is asked of it.
    progress
        Told how many rows are done.
    """
    data, out, task = Path(data), Path(out), LabelTask.of(task)
    named(out)
    if data.is_file() and data.stat().st_size > large:
        return stream_file(data, task, gold, out=out, desk=desk, order=order,
                           progress=progress)  # fmt: skip
    table = with_row_ids(read_table(data))
    result = run_labelling(
        table, task, gold, order, gateway=desk.gateway, run=desk.run, door=desk.door
    )
    write_table(beside(table, result.table, task), out)
    progress(Progress("rows", len(table), len(table)))
    return result.summary
