"""Reviews on record: rows drawn for a check, and each decision as it is made."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Literal

import numpy as np
import polars as pl
from numpy.typing import NDArray

from assay.label.tabled import as_texts, from_texts
from assay.ledger import Entry, Ledger
from assay.tables.rows import ROW_ID

BATCH = "review-batch"
DECISION = "review"
IMPORT = "review-import"

Action = Literal["label", "wrong", "skip", "note"]


@dataclass(frozen=True, eq=False)
class Batch:
    """Rows drawn for a check.

    Attributes
    ----------
    row_ids
        In the order to show them.
    chance
        (n,) each row's chance to be drawn; 1 for those that were picked.
    at_random
        The rows that were drawn from all alike.
    """

    row_ids: list[str]
    chance: NDArray[np.float64]
    at_random: frozenset[str]


@dataclass(frozen=True)
class Decision:
    """What one person decided about one row.

    Attributes
    ----------
    action
        ``label``; ``wrong``: the suggestion is wrong and no other was given; ``skip``; ``note``.
    label
        A JSON value, for the action ``label``.
    id
        The ledger's, once recorded; empty where it came from a file.
    """

    row_id: str
    action: Action
    reviewer: str
    label: Any = None
    note: str = ""
    id: str = ""


def record_batch(ledger: Ledger, run: str, rows: pl.DataFrame) -> Batch:
    """Record rows that :func:`assay.label.review.order.worth_checking` chose."""
    table = rows.select(ROW_ID, "chance", "weight")
    artefact = ledger.put_table(table, name="review-batch.parquet", run=run)
    ledger.record("event", {"rows": artefact, "size": table.height}, run=run, key=BATCH)
    return _batch(table)


def record_decision(ledger: Ledger, run: str, decision: Decision) -> Decision:
    """Commit a decision; once this returns it survives a crash."""
    body = {
        "row_id": decision.row_id,
        "action": decision.action,
        "reviewer": decision.reviewer,
        "label": decision.label,
        "note": decision.note,
    }
    made = ledger.record("event", body, run=run, key=DECISION)
    return Decision(**{**decision.__dict__, "id": made})


def record_undo(ledger: Ledger, run: str, decision: Decision) -> None:
    """Take a decision back; both stay on record."""
    body = {"action": "undo", "undoes": decision.id, "reviewer": decision.reviewer}
    ledger.record("event", body, run=run, key=DECISION)


def record_import(
    ledger: Ledger, run: str, decisions: Sequence[Decision], *, source: str
) -> str | None:
    """Record the decisions of a file, all or none; None where the same were taken in before."""
    table = pl.DataFrame(
        {
            ROW_ID: [each.row_id for each in decisions],
            "action": [each.action for each in decisions],
            "reviewer": [each.reviewer for each in decisions],
            "label": as_texts([each.label for each in decisions]),
            "note": [each.note for each in decisions],
        },
        schema_overrides=dict.fromkeys([ROW_ID, "action", "reviewer", "label", "note"], pl.String),
    ).sort(ROW_ID, "reviewer", "action")
    artefact = ledger.put_table(table, name="review-import.parquet", run=run)
    if any(each.body["decisions"] == artefact for each in _events(ledger, run, (IMPORT,))):
        return None
    body = {"decisions": artefact, "source": source, "rows": table.height}
    return ledger.record("event", body, run=run, key=IMPORT)


def read_batches(ledger: Ledger, run: str) -> list[Batch]:
    """Return what was drawn of a run's rows, in order."""
    events = _events(ledger, run, (BATCH,))
    return [_batch(ledger.read_table(each.body["rows"])) for each in events]


def read_decisions(ledger: Ledger, run: str) -> list[Decision]:
    """Return the decisions that stand, oldest first; what was undone is left out."""
    found: dict[str, list[Decision]] = {}
    for event in _events(ledger, run, (DECISION, IMPORT)):
        if event.key == IMPORT:
            found[event.id] = _imported(ledger, event)
        elif event.body["action"] == "undo":
            found.pop(event.body["undoes"], None)
        else:
            found[event.id] = [_decision(event.body, event.id)]
    return [each for some in found.values() for each in some]


def latest(decisions: Iterable[Decision]) -> dict[tuple[str, str], Decision]:
    """Return the last decision of each reviewer about each row, notes left out."""
    return {(each.reviewer, each.row_id): each for each in decisions if each.action != "note"}


def _batch(table: pl.DataFrame) -> Batch:
    drawn = table.filter(pl.col("weight") > 0)[ROW_ID].to_list()
    return Batch(table[ROW_ID].to_list(), table["chance"].to_numpy(), frozenset(drawn))


def _imported(ledger: Ledger, event: Entry) -> list[Decision]:
    table = ledger.read_table(event.body["decisions"])
    labels = from_texts(table["label"].to_list())
    return [
        _decision(row | {"label": label}, "")
        for row, label in zip(table.iter_rows(named=True), labels, strict=True)
    ]


def _decision(body: Mapping[str, Any], made: str) -> Decision:
    names = ("row_id", "action", "reviewer", "label", "note")
    return Decision(**{name: body[name] for name in names}, id=made)


def _events(ledger: Ledger, run: str, keys: tuple[str, ...]) -> list[Entry]:
    return [each for each in ledger.entries("event", run=run) if each.key in keys]
