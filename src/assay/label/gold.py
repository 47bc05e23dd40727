"""Gold at the door: rows whose label a person checked."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable
from typing import Any

import numpy as np
import polars as pl
from numpy.typing import NDArray

from assay.errors import InputError, shorten
from assay.label.kinds import Kind
from assay.label.rows import Rows, read_texts
from assay.label.spec import Gold
from assay.label.task import LabelTask
from assay.tables.door import to_polars
from assay.tables.rows import ROW_ID, with_row_ids

WEIGHT = "weight"
"""Column of a gold table with importance weights: 1 / chance of being drawn for a check; see
:func:`weight_name`.

Rows of weight 0 were picked for what they teach, not drawn: they measure nothing."""
LEAST_DRAWN = 10
"""With fewer rows of a weight above 0 nothing can be measured."""
NAMED = 5
"""Row ids that a note names; it counts the others."""


def read_gold(given: Any, task: LabelTask, kind: Kind, rows: Rows) -> Gold | None:
    """Return the gold rows, or None where there are none.

    What contradicts itself is told in the notes, never mended silently.

    Parameters
    ----------
    given
        A table with the label in ``task.target``, and either the task's inputs or the
        ``row_id`` of rows to label. Rows without a label or without a text are left out.

    Raises
    ------
    InputError
        When a column is absent, a row id repeats, or a label cannot be one.
    """
    if given is None:
        return None
    table = to_polars(given)
    if task.target not in table.columns:
        raise InputError(
            "The gold rows have no column with the label.",
            given=", ".join(table.columns),
            allowed=task.target,
            next_step="name the label's column with --target, or as the task's target",
        )
    table = table.filter(
        pl.Series([_is_label(each) for each in table[task.target]], dtype=pl.Boolean)
    )
    if table.is_empty():
        return None
    by_id = not set(task.inputs) <= set(table.columns)
    table = _joined(table, task, rows) if by_id else with_row_ids(table)
    readings = read_texts(table, task)
    held = [bool(each.text.strip()) for each in readings]
    table = table.filter(pl.Series(held, dtype=pl.Boolean))
    texts = [each.text for each, some in zip(readings, held, strict=True) if some]
    named = zip(table[ROW_ID], table[task.target].to_list(), strict=True)
    labels = [_checked(row, label, task, kind) for row, label in named]
    weights = _weights(table, weight_name(task))
    gold = Gold(table.select(ROW_ID, *task.inputs), texts, labels, weights)
    if not texts:
        return None
    return Gold(gold.rows, texts, labels, gold.weights, tuple(_notes(gold, task, kind, rows, held)))


def weight_name(task: LabelTask) -> str:
    """Return the column of importance weights: not ``weight`` where the rows have one to read."""
    return f"assay_{WEIGHT}" if WEIGHT in (*task.inputs, task.target) else WEIGHT


def contradicted(gold: Gold) -> set[str]:
    """Return the texts to which gold gives more than one label."""
    labels: dict[str, list[Any]] = {}
    for text, label in zip(gold.texts, gold.labels, strict=True):
        labels.setdefault(text, []).append(label)
    return {text for text, each in labels.items() if any(other != each[0] for other in each)}


def _checked(row_id: str, label: Any, task: LabelTask, kind: Kind) -> Any:
    try:
        return kind.check(label, task)
    except InputError as error:
        where = f"row {shorten(row_id, 40)}"
        raise InputError(
            error.problem,
            given=where if error.given is None else f"{error.given} in {where}",
            allowed=error.allowed,
            next_step=error.next_step or "correct the label, or leave it empty",
        ) from error


def _is_label(label: Any) -> bool:
    if label is None or (isinstance(label, float) and np.isnan(label)):
        return False
    return not isinstance(label, str) or bool(label.strip())


def _weights(table: pl.DataFrame, name: str) -> NDArray[np.float64] | None:
    if name not in table.columns:
        return None
    column = table[name]
    if not column.dtype.is_numeric():
        raise InputError("The weights of gold rows must be numbers.", given=column.dtype)
    weights = column.cast(pl.Float64).fill_null(float("nan")).to_numpy().astype(np.float64)
    bad = np.flatnonzero(~(np.isfinite(weights) & (weights >= 0)))
    if len(bad):
        raise InputError(
            "The weights of gold rows must be positive or 0.",
            given=f"{weights[bad[0]]} for row {table[ROW_ID][int(bad[0])]}",
            allowed="1 / chance of being drawn; 0 for rows that were picked",
        )
    drawn = int((weights > 0).sum())
    if drawn < min(LEAST_DRAWN, len(weights)):
        raise InputError(
            "Too few gold rows were drawn at random: the others have the weight 0.",
            given=drawn,
            allowed=f"at least {LEAST_DRAWN}",
            next_step="check some of the random rows too, or leave the weights out",
        )
    return weights


def _joined(table: pl.DataFrame, task: LabelTask, rows: Rows) -> pl.DataFrame:
    if ROW_ID not in table.columns:
        raise InputError(
            "The gold rows cannot be read: they hold neither the inputs nor a row_id.",
            given=", ".join(table.columns),
            allowed=", ".join(task.inputs),
        )
    table = with_row_ids(table)
    missing = table.filter(~pl.col(ROW_ID).is_in(rows.table[ROW_ID].implode()))
    if missing.height:
        raise InputError("A gold row is none of the rows to label.", given=missing[ROW_ID][0])
    return table.select(pl.exclude(*task.inputs)).join(rows.table, on=ROW_ID, how="left")


def _notes(gold: Gold, task: LabelTask, kind: Kind, rows: Rows, held: list[bool]) -> Iterable[str]:
    ids = gold.rows[ROW_ID].to_list()
    empty = held.count(False)
    if empty:
        yield f"{_count(empty, 'gold row')} without a text: left out."
    twice = contradicted(gold)
    if twice:
        named = [row for row, text in zip(ids, gold.texts, strict=True) if text in twice]
        yield f"Gold gives one text several labels: rows {_some(named)}. Correct them."
    clashing = list(_clashing(gold, ids, rows))
    if clashing:
        yield f"Gold and the rows hold different texts under one row_id: {_some(clashing)}."
    differing = list(_differing(gold, task, kind, rows))
    if differing:
        yield (
            f"{_count(len(differing), 'row')} came with another label than gold has: "
            f"{_some(differing)}. Gold's was used."
        )
    for name in _unseen(gold, task):
        yield f"The class {shorten(name, 40)!r} has no example in gold: nothing is measured for it."


def _clashing(gold: Gold, ids: list[str], rows: Rows) -> Iterable[str]:
    """Yield ids, named by the user on both sides, under which the texts differ."""
    if ids == [str(number) for number in range(len(ids))]:  # numbered here, not named
        return
    text_of = dict(zip(rows.table[ROW_ID].to_list(), rows.texts, strict=True))
    for row, text in zip(ids, gold.texts, strict=True):
        if text_of.get(row, text) != text:
            yield row


def _differing(gold: Gold, task: LabelTask, kind: Kind, rows: Rows) -> Iterable[str]:
    """Yield the rows to label that hold another label than gold gives their text."""
    checked = dict(zip(gold.texts, gold.labels, strict=True))
    ids = rows.table[ROW_ID]
    for row, label in rows.known.items():
        if rows.texts[row] not in checked:
            continue
        try:
            same = kind.check(label, task) == checked[rows.texts[row]]
        except InputError:
            same = False
        if not same:
            yield ids[row]


def _unseen(gold: Gold, task: LabelTask) -> Iterable[str]:
    seen: Counter[str] = Counter()
    for label in gold.labels:
        if isinstance(label, str):
            seen[label] += 1
        elif isinstance(label, list):
            seen.update(label)
    return (name for name in task.class_names if name not in seen)


def _some(ids: list[str]) -> str:
    named = ", ".join(shorten(each, 40) for each in ids[:NAMED])
    return named if len(ids) <= NAMED else f"{named} and {len(ids) - NAMED:,} more"


def _count(number: int, noun: str) -> str:
    return f"{number:,} {noun}" + ("" if number == 1 else "s")
