"""Reviewed rows as gold: what people checked in one labelling serves the next."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

import polars as pl

from assay.errors import InputError
from assay.label.gold import LEAST_DRAWN, weight_name
from assay.label.kinds import kind_of
from assay.label.review.outcome import Reviewed, agreed
from assay.label.review.record import Batch, Decision, read_batches, read_decisions
from assay.label.store import LABELLING
from assay.label.tabled import as_texts
from assay.label.task import LabelTask
from assay.ledger import Ledger
from assay.tables.door import to_polars
from assay.tables.rows import ROW_ID, with_row_ids

AS_JSON = ("multi", "extract")
"""Kinds whose labels are written as JSON text in a table."""
UNNAMED: str = LabelTask.model_fields["target"].default
"""What is asked where nobody gave it a name."""


def reviewed_gold(ledger: Ledger, task: LabelTask) -> pl.DataFrame | None:
    """Return the rows that people checked in earlier labellings, or None where there are none.

    Rows on which reviewers are split, and labels that the task does not know, are left out; so is
    what was reviewed for another question, which a task's target names.
    There are none until ten of the rows drawn at random are checked: nothing could be measured.

    Parameters
    ----------
    task
        With the columns that it reads (``inputs``) filled in.

    Returns
    -------
    ``row_id``, the inputs, the label in ``task.target`` (as JSON text where it is a list or an
    object), and ``weight`` (see :func:`assay.label.gold.weight_name`). Each text once.
    """
    parts = [
        _part(ledger.read_table(artefact), reviewed, task)
        for artefact, reviewed in _populations(ledger, task)
    ]
    table = pl.concat([each for each in parts if each is not None] or [pl.DataFrame()])
    if table.is_empty() or (table[weight_name(task)] > 0).sum() < LEAST_DRAWN:
        return None
    table = table.unique(list(task.inputs), keep="last", maintain_order=True)
    if table[ROW_ID].n_unique() < table.height:  # several files that number their rows alike
        table = table.drop(ROW_ID).with_row_index(ROW_ID).with_columns(pl.col(ROW_ID).cast(str))
    return table


def with_reviewed(gold: Any, ledger: Ledger, task: LabelTask) -> Any:
    """Return the user's gold and what was reviewed, as one table; the user's own comes first."""
    reviewed = reviewed_gold(ledger, task)
    if gold is None or reviewed is None:
        return reviewed if gold is None else gold
    given = to_polars(gold)
    columns, weight = [*task.inputs, task.target], weight_name(task)
    if not set(columns) <= set(given.columns):
        return gold
    given = with_row_ids(given)
    if weight not in given.columns:
        given = given.with_columns(pl.lit(1.0).alias(weight))
    given = given.select(ROW_ID, *columns, pl.col(weight).cast(pl.Float64))
    reviewed = reviewed.cast({name: given.schema[name] for name in task.inputs}, strict=False)
    fresh = reviewed.join(given, on=list(task.inputs), how="anti", nulls_equal=True)
    kind = kind_of(task)
    labels = [kind.check(each, task) for each in given[task.target].to_list() if each is not None]
    told = iter(_written(labels, task))
    column = [None if each is None else next(told) for each in given[task.target].to_list()]
    given = given.with_columns(pl.Series(task.target, column, pl.String))
    both = pl.concat([given, fresh.select(given.columns)])
    if both[ROW_ID].n_unique() < both.height:
        both = both.drop(ROW_ID).with_row_index(ROW_ID).with_columns(pl.col(ROW_ID).cast(str))
    return both


def gold_table(rows: pl.DataFrame, reviewed: Reviewed, task: LabelTask) -> pl.DataFrame:
    """Return the reviewed rows of one table as gold."""
    ids = list(reviewed.labels)
    known = {ROW_ID: ids, task.target: _written(list(reviewed.labels.values()), task)}
    found = pl.DataFrame(known, schema={ROW_ID: pl.String, task.target: pl.String})
    counted = [reviewed.weights[each] for each in ids]
    found = found.with_columns(pl.Series(weight_name(task), counted, pl.Float64))
    table = rows.select(ROW_ID, *task.inputs).join(found, on=ROW_ID, how="inner")
    return table.select(ROW_ID, *task.inputs, task.target, weight_name(task))


def _part(rows: pl.DataFrame, reviewed: Reviewed, task: LabelTask) -> pl.DataFrame | None:
    if not set(task.inputs) <= set(rows.columns):
        return None
    kind, labels = kind_of(task), {}
    for row, label in reviewed.labels.items():
        try:
            labels[row] = kind.check(label, task)
        except InputError:  # a class that the task has no more
            continue
    known = Reviewed(labels, weights=reviewed.weights)
    return gold_table(rows, known, task) if labels else None


def _populations(ledger: Ledger, task: LabelTask) -> Iterable[tuple[str, Reviewed]]:
    """Yield each table of rows that was labelled, and all that was reviewed of it."""
    runs: dict[str, list[str]] = {}
    for event in ledger.entries("event"):
        if event.key == LABELLING and _asks_the_same(event.body["task"], task):
            runs.setdefault(event.body["tables"]["rows"], []).append(str(event.run))
    for artefact, some in runs.items():
        batches: list[Batch] = []
        decisions: list[Decision] = []
        for run in dict.fromkeys(some):
            batches += read_batches(ledger, run)
            decisions += read_decisions(ledger, run)
        if decisions:
            yield artefact, agreed(decisions, batches)


def _asks_the_same(told: Mapping[str, Any], task: LabelTask) -> bool:
    """Whether a labelling asked what this task asks; one without a name of its own may have."""
    names = {told["target"], task.target}
    return told["kind"] == task.kind and (len(names) == 1 or UNNAMED in names)


def _written(labels: list[Any], task: LabelTask) -> list[str | None]:
    return as_texts(labels) if task.kind in AS_JSON else labels
