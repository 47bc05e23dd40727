"""Rows for a person to label in a file: the label is empty, the guess stands beside it."""

from __future__ import annotations

from pathlib import Path

import polars as pl

from assay.errors import InputError
from assay.label.gold import weight_name
from assay.label.output import written
from assay.label.review.order import RANDOM_SHARE, Embed, open_rows, worth_checking
from assay.label.store import Labelling
from assay.tables import read_table
from assay.tables.rows import ROW_ID

TO_CHECK = 60
"""Rows that a person is offered to check where there is no gold."""

SUGGESTED = "suggested"


def rows_to_fill(labelling: Labelling, embed: Embed | None, *, n: int = TO_CHECK) -> pl.DataFrame:
    """Return the rows most worth a check; filled in, the table is gold.

    Returns
    -------
    ``row_id``, the inputs, the task's target (empty), ``suggested``, and ``weight``, with
    ``assay_`` before these two where an input has that name. Estimates rest on the rows of
    weight 1, which are drawn at random. Where there are no more than ``n`` rows all of them are,
    with weight 1.
    """
    result, target = labelling.result, labelling.result.task.target
    share = 1.0 if len(open_rows(result, ())) <= n else RANDOM_SHARE
    rows = worth_checking(result, embed, n=n, seed=labelling.settings.seed, random_share=share)
    own, found = (
        rows.select(ROW_ID).join(each, on=ROW_ID, how="left", maintain_order="left")
        for each in (result.rows.table, result.table)
    )
    guess = SUGGESTED if SUGGESTED not in (*result.task.inputs, target) else f"assay_{SUGGESTED}"
    return own.with_columns(
        pl.lit(None, dtype=pl.String).alias(target),
        written(found[target]).alias(guess),
        rows["weight"].alias(weight_name(result.task)),
    )


def is_kept(file: Path, target: str) -> bool:
    """Whether a file stands where rows to fill would go that is not to be replaced.

    It holds a label that somebody filled in, or it is no file of rows to fill.
    """
    return file.exists() and filled_in(file, target) != 0


def filled_in(file: Path, column: str) -> int | None:
    """Return how many cells of a column hold something; None where a file is no such table."""
    try:
        table = read_table(file)
    except InputError:
        return None
    return table.height - table[column].null_count() if column in table.columns else None
