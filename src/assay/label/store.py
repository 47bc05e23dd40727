"""Labellings on record: all that showing, checking and rethresholding one later needs."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, replace
from typing import Any

import numpy as np
import polars as pl
from numpy.typing import NDArray

from assay.errors import LedgerError
from assay.label.result import LabelResult
from assay.label.rows import Rows
from assay.label.spec import Answers, Checked, Cost, Gold, LabelSettings, Stage, Step
from assay.label.task import LabelTask
from assay.ledger import Entry, Ledger
from assay.llm import Spend
from assay.tables.rows import ROW_ID

LABELLING = "labelling"
"""Key of the event that a labelling is recorded as."""

_VOTE = "vote:"
_WEIGHT = "weight"


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
) -> str:
    """Record a labelling under its run, and return the entry's id.

    Parameters
    ----------
    gold
        The checked rows that it learned from.
    settings
        How the annotators worked.
    """
    tables = {"rows": result.rows.table, "answers": _answers_table(result)}
    if result.checked is not None:
        tables["checked"] = _checked_table(result.checked)
    if gold is not None:
        tables["gold"] = _gold_table(gold)
    for place, stage in enumerate(result.stages):
        if stage.checked is not None:
            tables[f"stage-{place}"] = _checked_table(stage.checked)
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
    }
    return ledger.record("event", body, run=result.run, key=LABELLING)


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


def recall(ledger: Ledger, run: str | None = None) -> Labelling:
    """Return a labelling with its gold and settings; see :func:`load`."""
    entry = _entry(ledger, run)
    tables = {name: ledger.read_table(each) for name, each in entry.body["tables"].items()}
    task = LabelTask.model_validate(entry.body["task"])
    gold = tables.get("gold")
    return Labelling(
        result=_result(entry, task, tables),
        gold=None if gold is None else _gold(gold),
        settings=LabelSettings.model_validate(entry.body["settings"]),
    )


def as_texts(labels: Sequence[Any]) -> list[str | None]:
    """Return JSON values as JSON text; None stays None."""
    return [
        None if each is None else json.dumps(each, ensure_ascii=False, sort_keys=True)
        for each in labels
    ]


def from_texts(texts: Sequence[str | None]) -> list[Any]:
    """Return the JSON values that :func:`as_texts` wrote."""
    return [None if each is None else json.loads(each) for each in texts]


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
        rows=_rows(tables["rows"], answers),
        answers=_answers(answers),
        checked=None if checked is None else _checked(checked),
        given=_known(from_texts(answers["given"].to_list())),
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
    held = None if checked is None else _checked(checked)
    return Stage(**{**told, **costs, "checked": held})


def _rows(table: pl.DataFrame, answers: pl.DataFrame) -> Rows:
    return Rows(
        table,
        texts=answers["text"].to_list(),
        why=_known(answers["unread"].to_list()),
        flags=_known(answers["reading"].to_list()),
        suspect=frozenset(answers["suspect"].arg_true().to_list()),
        known=_known(from_texts(answers["known"].to_list())),
    )


def _plain(value: Any) -> Any:
    """Return a label as it came with a row; a date or the like as text."""
    return value if value is None or isinstance(value, str | int | float | list) else str(value)


def _known(values: Sequence[Any]) -> dict[int, Any]:
    """Return position and value of all that are not None."""
    return {row: each for row, each in enumerate(values) if each is not None}


def _answers_table(result: LabelResult) -> pl.DataFrame:
    answers, places = result.answers, range(len(result.rows))
    rows = result.rows
    columns = [
        pl.Series("text", rows.texts, pl.String),
        pl.Series("label", as_texts(answers.labels), pl.String),
        pl.Series("probability", answers.probability),
        pl.Series("given", as_texts([result.given.get(row) for row in places]), pl.String),
        pl.Series("why", [answers.why.get(row) for row in places], pl.String),
        pl.Series("flag", [answers.flags.get(row) for row in places], pl.String),
        pl.Series("unread", [rows.why.get(row) for row in places], pl.String),
        pl.Series("known", as_texts([_plain(rows.known.get(row)) for row in places]), pl.String),
        pl.Series("reading", [rows.flags.get(row) for row in places], pl.String),
        pl.Series("suspect", [row in rows.suspect for row in places], pl.Boolean),
        *(pl.Series(f"{_VOTE}{name}", np.ascontiguousarray(each))
          for name, each in answers.votes.items()),
    ]  # fmt: skip
    return result.rows.table.select(ROW_ID).with_columns(columns)


def _answers(table: pl.DataFrame) -> Answers:
    return Answers(
        labels=from_texts(table["label"].to_list()),
        probability=table["probability"].to_numpy(),
        why=_known(table["why"].to_list()),
        votes=_votes(table),
        flags=_known(table["flag"].to_list()),
    )


def _checked_table(checked: Checked) -> pl.DataFrame:
    weights = checked.weights
    return pl.DataFrame(
        {
            ROW_ID: pl.Series(checked.row_ids, dtype=pl.String),
            "truth": pl.Series(as_texts(checked.truth), dtype=pl.String),
            "label": pl.Series(as_texts(checked.labels), dtype=pl.String),
            "probability": checked.probability,
            "correct": checked.correct,
            **({} if weights is None else {_WEIGHT: weights}),
            **{
                f"{_VOTE}{name}": np.ascontiguousarray(each) for name, each in checked.votes.items()
            },
        }
    )


def _checked(table: pl.DataFrame) -> Checked:
    return Checked(
        row_ids=table[ROW_ID].to_list(),
        truth=from_texts(table["truth"].to_list()),
        labels=from_texts(table["label"].to_list()),
        probability=table["probability"].to_numpy(),
        correct=table["correct"].to_numpy(),
        weights=_weights(table),
        votes=_votes(table),
    )


def _gold_table(gold: Gold) -> pl.DataFrame:
    """Return the gold rows under names that no column of the user's can take."""
    table = gold.rows.rename({name: f"row:{name}" for name in gold.rows.columns})
    told = [pl.Series("text", gold.texts), pl.Series("label", as_texts(gold.labels), pl.String)]
    table = table.with_columns(told)
    if gold.weights is None:
        return table
    return table.with_columns(pl.Series(_WEIGHT, gold.weights))


def _gold(table: pl.DataFrame) -> Gold:
    names = {name: name.removeprefix("row:") for name in table.columns if name.startswith("row:")}
    rows = table.select(list(names)).rename(names)
    labels = from_texts(table["label"].to_list())
    return Gold(rows, table["text"].to_list(), labels, _weights(table))


def _votes(table: pl.DataFrame) -> dict[str, NDArray[np.float64]]:
    named = [name for name in table.columns if name.startswith(_VOTE)]
    return {name.removeprefix(_VOTE): table[name].to_numpy() for name in named}


def _weights(table: pl.DataFrame) -> Any:
    return table[_WEIGHT].to_numpy() if _WEIGHT in table.columns else None
