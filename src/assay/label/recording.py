"""A labelling that streamed past goes on record: all rows in pieces, and a sample to review."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

import numpy as np
import polars as pl
from numpy.typing import NDArray

from assay.label.answering import joined
from assay.label.open import Desk
from assay.label.result import LabelResult
from assay.label.rows import text_columns
from assay.label.run import measured
from assay.label.spec import Gold, LabelSettings
from assay.label.spool import Contents, Spool
from assay.label.store import keep_piece, save
from assay.label.tabled import (
    answers_from,
    from_texts,
    known_values,
    plain_columns,
    rows_from,
)
from assay.seeds import derive_seed
from assay.tables.rows import ROW_ID, set_apart

REVIEWED = 10_000
"""Rows that can be reviewed of a larger labelling, drawn at random so that estimates hold."""


def record(
    whole: LabelResult,
    spool: Spool,
    contents: Contents,
    desk: Desk,
    *,
    seconds: float,
    gold: Gold | None,
    settings: LabelSettings,
) -> str:
    """Record a labelling from its spool, one piece in memory at a time; return the entry's id.

    Parameters
    ----------
    whole
        The result as of no row.
    seconds
        Wall time.
    """
    drawn = _drawn(contents.rows, settings.seed)
    tables, answers, pieces, start = [], [], [], 0
    for number in range(contents.pieces):
        own = text_columns(pl.read_parquet(spool.piece(number)))
        table = own.select(ROW_ID, *contents.task.inputs)
        found = spool.read_answers(number)
        pieces.append(keep_piece(table, found, desk.ledger, desk.run))
        here = drawn[(drawn >= start) & (drawn < start + table.height)] - start
        tables.append(set_apart(table[here]))
        answers.append(set_apart(found[here]))
        start += table.height
    result = replace(
        _of(whole, pl.concat(tables), answers),
        notes=(*whole.notes, *_note(len(drawn), contents.rows)),
        spend=desk.gateway.spend,
        seconds=seconds,
        stages=measured(whole.stages, desk.gateway, desk.run),
    )
    return save(
        result, desk.ledger, gold=gold, settings=settings, pieces=pieces, total=contents.rows
    )


def _drawn(rows: int, seed: int) -> NDArray[np.int64]:
    """Return the places of the rows to review, in their order."""
    random = np.random.default_rng(derive_seed(seed, "reviewed"))
    return np.sort(random.choice(rows, min(rows, REVIEWED), replace=False))


def _of(whole: LabelResult, table: pl.DataFrame, answers: Sequence[pl.DataFrame]) -> LabelResult:
    """Return the result of some rows."""
    plain = pl.concat([each.select(plain_columns(each)) for each in answers])
    return replace(
        whole,
        rows=rows_from(table, plain),
        answers=joined([answers_from(each) for each in answers]),
        given=known_values(from_texts(plain["given"].to_list())),
    )


def _note(kept: int, rows: int) -> tuple[str, ...]:
    if kept == rows:
        return ()
    return (f"Of the {rows:,} rows, {kept:,} drawn at random are kept for review.",)
