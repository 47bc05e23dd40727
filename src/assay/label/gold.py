"""Gold at the door: rows whose label a person checked."""

from __future__ import annotations

from typing import Any

import numpy as np
import polars as pl

from assay.errors import InputError
from assay.label.kinds import Kind
from assay.label.rows import Rows, render
from assay.label.spec import Gold
from assay.label.task import LabelTask
from assay.tables.door import to_polars
from assay.tables.infer import require_column
from assay.tables.rows import ROW_ID, with_row_ids

WEIGHT = "weight"
"""Column of a gold table with importance weights: 1 / chance of being drawn for a check.

Rows of weight 0 were picked for what they teach, not drawn: they measure nothing."""


def read_gold(given: Any, task: LabelTask, kind: Kind, rows: Rows) -> Gold | None:
    """Return the gold rows, or None where there are none.

    Parameters
    ----------
    given
        A table with the label in ``task.target``, and either the task's inputs or the
        ``row_id`` of rows to label. Rows without a label are left out.

    Raises
    ------
    InputError
        When a column is absent, or a label cannot be one.
    """
    if given is None:
        return None
    table = to_polars(given)
    require_column(table, task.target, "gold labels")
    table = table.filter(pl.col(task.target).is_not_null())
    if table.is_empty():
        return None
    if not set(task.inputs) <= set(table.columns):
        table = _joined(table, task, rows)
    else:
        table = with_row_ids(table)
    labels = [kind.check(each, task) for each in table[task.target].to_list()]
    weights = table[WEIGHT].to_numpy().astype(np.float64) if WEIGHT in table.columns else None
    chosen = table.select(ROW_ID, *task.inputs)
    return Gold(chosen, render(chosen, task), labels, weights)


def _joined(table: pl.DataFrame, task: LabelTask, rows: Rows) -> pl.DataFrame:
    if ROW_ID not in table.columns:
        raise InputError(
            "The gold rows cannot be read: they hold neither the inputs nor a row_id.",
            given=", ".join(table.columns),
            allowed=", ".join(task.inputs),
        )
    table = table.with_columns(pl.col(ROW_ID).cast(pl.String))
    found = table.select(pl.exclude(*task.inputs)).join(rows.table, on=ROW_ID, how="left")
    missing = found.filter(~pl.col(ROW_ID).is_in(rows.table[ROW_ID].implode()))
    if missing.height:
        raise InputError("A gold row is none of the rows to label.", given=missing[ROW_ID][0])
    return found
