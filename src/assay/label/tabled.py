"""Tables that a labelling is kept as, and what is read back from them."""

from __future__ import annotations

import json
from collections.abc import Sequence
from typing import Any

import numpy as np
import polars as pl
from numpy.typing import NDArray

from assay.label.result import LabelResult
from assay.label.rows import Rows
from assay.label.spec import Answers, Checked, Gold
from assay.tables.rows import ROW_ID

_VOTE = "vote:"
_WEIGHT = "weight"


def as_texts(labels: Sequence[Any]) -> list[str | None]:
    """Return JSON values as JSON text; None stays None."""
    return [
        None if each is None else json.dumps(each, ensure_ascii=False, sort_keys=True)
        for each in labels
    ]


def from_texts(texts: Sequence[str | None]) -> list[Any]:
    """Return the JSON values that :func:`as_texts` wrote."""
    return [None if each is None else json.loads(each) for each in texts]


def rows_from(table: pl.DataFrame, answers: pl.DataFrame) -> Rows:
    """Return the rows of a labelling."""
    return Rows(
        table,
        texts=answers["text"].to_list(),
        why=known_values(answers["unread"].to_list()),
        flags=known_values(answers["reading"].to_list()),
        suspect=frozenset(answers["suspect"].arg_true().to_list()),
        known=known_values(from_texts(answers["known"].to_list())),
    )


def _plain(value: Any) -> Any:
    """Return a label as it came with a row; a date or the like as text."""
    return value if value is None or isinstance(value, str | int | float | list) else str(value)


def known_values(values: Sequence[Any]) -> dict[int, Any]:
    """Return position and value of all that are not None."""
    return {row: each for row, each in enumerate(values) if each is not None}


def answers_table(result: LabelResult) -> pl.DataFrame:
    """Return what was answered, and what was read, of each row."""
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


def answers_from(table: pl.DataFrame) -> Answers:
    """Return the answers that :func:`answers_table` wrote."""
    return Answers(
        labels=from_texts(table["label"].to_list()),
        probability=table["probability"].to_numpy(),
        why=known_values(table["why"].to_list()),
        votes=_votes(table),
        flags=known_values(table["flag"].to_list()),
    )


def checked_table(checked: Checked) -> pl.DataFrame:
    """Return how the gold rows fared."""
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


def checked_from(table: pl.DataFrame) -> Checked:
    """Return what :func:`checked_table` wrote."""
    return Checked(
        row_ids=table[ROW_ID].to_list(),
        truth=from_texts(table["truth"].to_list()),
        labels=from_texts(table["label"].to_list()),
        probability=table["probability"].to_numpy(),
        correct=table["correct"].to_numpy(),
        weights=_weights(table),
        votes=_votes(table),
    )


def gold_table(gold: Gold) -> pl.DataFrame:
    """Return the gold rows under names that no column of the user's can take."""
    table = gold.rows.rename({name: f"row:{name}" for name in gold.rows.columns})
    told = [pl.Series("text", gold.texts), pl.Series("label", as_texts(gold.labels), pl.String)]
    table = table.with_columns(told)
    if gold.weights is None:
        return table
    return table.with_columns(pl.Series(_WEIGHT, gold.weights))


def gold_from(table: pl.DataFrame) -> Gold:
    """Return the gold rows that :func:`gold_table` wrote."""
    names = {name: name.removeprefix("row:") for name in table.columns if name.startswith("row:")}
    rows = table.select(list(names)).rename(names)
    labels = from_texts(table["label"].to_list())
    return Gold(rows, table["text"].to_list(), labels, _weights(table))


def plain_columns(answers: pl.DataFrame) -> list[str]:
    """Return the columns that are the same for all annotators."""
    return [name for name in answers.columns if not name.startswith(_VOTE)]


def _votes(table: pl.DataFrame) -> dict[str, NDArray[np.float64]]:
    named = [name for name in table.columns if name.startswith(_VOTE)]
    return {name.removeprefix(_VOTE): table[name].to_numpy() for name in named}


def _weights(table: pl.DataFrame) -> Any:
    return table[_WEIGHT].to_numpy() if _WEIGHT in table.columns else None
