"""Labellings on record: all that showing, checking and rethresholding one later needs."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, replace
from typing import Any

import polars as pl

from assay.errors import InputError, LedgerError
from assay.label.result import LabelResult
from assay.label.spec import Cost, Gold, LabelSettings, Stage, Step
from assay.label.tabled import (
    answers_from,
    answers_table,
    checked_from,
    checked_table,
    from_texts,
    gold_from,
    gold_table,
    known_values,
    rows_from,
)
from assay.label.task import LabelTask
from assay.ledger import Entry, Ledger
from assay.llm import Spend
from assay.tables.rows import ROW_ID

LABELLING = "labelling"
"""Key of the event that a labelling is recorded as."""


@dataclass(frozen=True)
class Piece:
    """Some rows of a labelling that was too large to be held at once; ids of two artefacts."""

    rows: str
    answers: str


@dataclass(frozen=True, eq=False)
class Labelling:
    """A labelling as it was recorded.

    Attributes
    ----------
    result
        What it came to.
    gold
        The checked rows that it learned from; None without any.
    settings
        How the annotators worked.
    """

    result: LabelResult
    gold: Gold | None
    settings: LabelSettings


def save(
    result: LabelResult,
    ledger: Ledger,
    *,
    gold: Gold | None = None,
    settings: LabelSettings | None = None,
    pieces: Sequence[Piece] = (),
    total: int | None = None,
) -> str:
    """Record a labelling under its run, and return the entry's id.

    Parameters
    ----------
    gold
        The checked rows that it learned from.
    settings
        How the annotators worked.
    pieces, total
        All rows, and how many they are, where ``result`` holds a sample of them.
    """
    tables = {"rows": result.rows.table, "answers": answers_table(result)}
    if result.checked is not None:
        tables["checked"] = checked_table(result.checked)
    if gold is not None:
        tables["gold"] = gold_table(gold)
    for place, stage in enumerate(result.stages):
        if stage.checked is not None:
            tables[f"stage-{place}"] = checked_table(stage.checked)
    kept = {
        name: ledger.put_table(table, name=f"{LABELLING}-{name}.parquet", run=result.run)
        for name, table in tables.items()
    }
    body = {
        "task": result.task.model_dump(mode="json"),
        "settings": (settings or LabelSettings()).model_dump(mode="json"),
        "precision": result.precision,
        "confidence": result.confidence,
        "steps": [asdict(each) for each in result.steps],
        "stages": [asdict(replace(each, checked=None)) for each in result.stages],
        "notes": list(result.notes),
        "spend": asdict(result.spend),
        "seconds": result.seconds,
        "tables": kept,
        "pieces": [asdict(each) for each in pieces],
        "total": len(result.rows) if total is None else total,
    }
    return ledger.record("event", body, run=result.run, key=LABELLING)


def keep_piece(rows: pl.DataFrame, answers: pl.DataFrame, ledger: Ledger, run: str) -> Piece:
    """Keep some rows of a labelling; :func:`save` records them with the labelling.

    Parameters
    ----------
    rows
        ``row_id`` and the task's inputs.
    answers
        As :func:`assay.label.tabled.answers_table` returns them.
    """

    def kept(name: str, table: pl.DataFrame) -> str:
        return ledger.put_table(table, name=f"{LABELLING}-{name}.parquet", run=run)

    return Piece(kept("rows", rows), kept("answers", answers))


def load(ledger: Ledger, run: str | None = None) -> LabelResult:
    """Return what a labelling came to, as it was recorded; nothing is asked again.

    Parameters
    ----------
    run
        The labelling's run; the latest labelling when None.

    Raises
    ------
    LedgerError
        When there is none.
    """
    return recall(ledger, run).result


def recall(ledger: Ledger, run: str | None = None, *, row_id: str | None = None) -> Labelling:
    """Return a labelling with its gold and settings; see :func:`load`.

    Of a labelling that was too large to be held at once the result holds a sample of its rows,
    drawn at random and meant to be reviewed; or some rows around the one that ``row_id`` names.

    Raises
    ------
    InputError
        When there is no row ``row_id`` in such a labelling.
    """
    entry = _entry(ledger, run)
    names: dict[str, str] = dict(entry.body["tables"])
    pieces = [Piece(**each) for each in entry.body.get("pieces", ())]
    if row_id is not None and pieces:
        names |= asdict(_holding(ledger, pieces, row_id, entry.body["total"]))
    tables = {name: ledger.read_table(each) for name, each in names.items()}
    task = LabelTask.model_validate(entry.body["task"])
    gold = tables.get("gold")
    return Labelling(
        result=_result(entry, task, tables),
        gold=None if gold is None else gold_from(gold),
        settings=LabelSettings.model_validate(entry.body["settings"]),
    )


def is_of(entry: Entry, table: pl.DataFrame, ledger: Ledger) -> bool:
    """Whether these are the rows that a labelling on record labelled.

    Of a large labelling, the sample that it keeps is compared.
    """
    kept = ledger.read_table(entry.body["tables"]["rows"])
    if table.height != entry.body.get("total", kept.height):
        return False
    return table.filter(pl.col(ROW_ID).is_in(kept[ROW_ID].implode())).equals(kept)


def _holding(ledger: Ledger, pieces: Sequence[Piece], row_id: str, total: int) -> Piece:
    """Return the piece with a row; one is in memory at a time."""
    for piece in pieces:
        if (ledger.read_table(piece.rows)[ROW_ID] == row_id).any():
            return piece
    raise InputError(
        "No row of this labelling has this id.",
        given=row_id,
        next_step=f"choose one of its {total:,} row ids",
    )


def _entry(ledger: Ledger, run: str | None) -> Entry:
    if run is None:
        found = ledger.find("event", LABELLING)
    else:
        ledger.get(run)
        events = ledger.entries("event", run=run)
        found = next((each for each in reversed(events) if each.key == LABELLING), None)
    if found is None:
        raise LedgerError(
            "No labelling is on record here." if run is None else "This run is no labelling.",
            given=run,
            next_step="label rows first, or name the run of a labelling",
        )
    return found


def _result(entry: Entry, task: LabelTask, tables: Mapping[str, pl.DataFrame]) -> LabelResult:
    body, answers = entry.body, tables["answers"]
    checked = tables.get("checked")
    return LabelResult(
        task=task,
        rows=rows_from(tables["rows"], answers),
        answers=answers_from(answers),
        checked=None if checked is None else checked_from(checked),
        given=known_values(from_texts(answers["given"].to_list())),
        precision=body["precision"],
        confidence=body["confidence"],
        steps=tuple(Step(**each) for each in body["steps"]),
        notes=tuple(body["notes"]),
        spend=Spend(**body["spend"]),
        seconds=body["seconds"],
        run=str(entry.run),
        stages=tuple(
            _stage(each, tables.get(f"stage-{place}")) for place, each in enumerate(body["stages"])
        ),
    )


def _stage(told: Mapping[str, Any], checked: pl.DataFrame | None) -> Stage:
    costs = {name: None if told[name] is None else Cost(**told[name])
             for name in ("expected", "measured")}  # fmt: skip
    held = None if checked is None else checked_from(checked)
    return Stage(**{**told, **costs, "checked": held})
