"""Slices on which a recipe was found to fail, on record for whoever makes rows of them.

Who finds them stands above who makes rows, so they meet in the ledger.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import polars as pl

from assay.ledger import Ledger
from assay.tables import fingerprint
from assay.tables.predicate import Predicate
from assay.task import Task


@dataclass(frozen=True)
class WeakSlice:
    """Rows on which a model was found, and confirmed, to do worse than on others.

    Attributes
    ----------
    class_name
        The class that fails there; None where it is the slice as a whole.
    why
        The finding in a few words, with its code.
    """

    where: Predicate
    class_name: str | None
    why: str


def record_weak_slices(
    ledger: Ledger, run: str, rows: pl.DataFrame, task: Task, slices: Sequence[WeakSlice]
) -> None:
    """Put on record what a run found of search rows; none at all is a finding too.

    Parameters
    ----------
    rows
        Search rows: ``row_id``, inputs, target. They are kept as a fingerprint.
    slices
        What costs most first.
    """
    told = [
        {"where": each.where.as_dict(), "class": each.class_name, "why": each.why}
        for each in slices
    ]
    ledger.record("event", {"slices": told}, run=run, key=_key(rows, task))


def weak_slices(ledger: Ledger, rows: pl.DataFrame, task: Task) -> tuple[WeakSlice, ...]:
    """Return what the newest run on these very rows found; nothing where there was none."""
    entry = ledger.find("event", _key(rows, task))
    return tuple(
        WeakSlice(Predicate.from_dict(each["where"]), each["class"], each["why"])
        for each in (entry.body["slices"] if entry is not None else ())
    )


def _key(rows: pl.DataFrame, task: Task) -> str:
    known = rows.select("row_id", *task.inputs, task.target).sort("row_id")
    return f"weak slices:{fingerprint(known)}"
