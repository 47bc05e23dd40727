"""Explains one row of a labelling from what is on record, and by asking its model again."""

from __future__ import annotations

from typing import Any

import numpy as np
import polars as pl

from assay.errors import AssayError, InputError
from assay.label.explanation import CheckedRow, Explanation, Piece
from assay.label.occlusion import occlude, reading_model
from assay.label.result import LabelResult
from assay.label.rows import render
from assay.label.spec import Gold, LabelSettings
from assay.llm import Gateway
from assay.tables.rows import ROW_ID

OF_ONE_CLASS = ("single", "ordinal")


def explain(
    result: LabelResult,
    row_id: str,
    gateway: Gateway,
    *,
    gold: Gold | None = None,
    settings: LabelSettings | None = None,
    neighbours: int = 5,
    words: bool | None = None,
) -> Explanation:
    """Say why a row got its label.

    Parameters
    ----------
    gold
        Checked rows to find the nearest among; by default those of the labelled rows that
        were checked.
    settings
        How the annotators worked; the first model is asked about the words.
    neighbours
        How many checked rows to show.
    words
        Ask the model again without each word in turn; by default only a model on this machine
        is asked.

    Raises
    ------
    InputError
        When no row has this id.
    """
    settings = LabelSettings() if settings is None else settings
    row = _position(result, row_id)
    notes: list[str] = []
    near = _nearest(result, row, gateway, _gold(result, gold), settings, neighbours, notes)
    pieces = _words(result, row, gateway, settings, words, notes)
    told = result.table.row(row, named=True)
    acceptance = result.acceptance
    return Explanation(
        row_id=row_id,
        text=result.rows.texts[row],
        label=told[result.task.target],
        probability=told["probability"],
        status=told["status"],
        why=told["why"],
        decision=_decision(result, row, told),
        threshold=None if acceptance is None else acceptance.threshold,
        votes=result.votes_of(row),
        neighbours=near,
        pieces=pieces,
        model=settings.models[0] if pieces else None,
        notes=tuple(notes),
    )


def _position(result: LabelResult, row_id: str) -> int:
    found = (result.rows.table[ROW_ID] == row_id).arg_true()
    if not len(found):
        raise InputError(
            "No row of this labelling has this id.",
            given=row_id,
            next_step=f"choose one of its {len(result.rows):,} row ids",
        )
    return int(found[0])


def _decision(result: LabelResult, row: int, told: dict[str, Any]) -> str:
    acceptance, probability = result.acceptance, told["probability"]
    if probability is None or acceptance is None or row in result.given:
        return f"{told['why']}; guarantee: {result.guarantee}"
    if acceptance.threshold is None:
        return f"{told['why']}: {acceptance}"
    side = "above" if probability > acceptance.threshold else "not above"
    return (
        f"{told['why']}: {probability:.3f} is {side} the threshold {acceptance.threshold:.3f} "
        f"for {acceptance.precision:.0%} precision at {acceptance.confidence:.0%} confidence"
    )


def _gold(result: LabelResult, gold: Gold | None) -> Gold | None:
    if gold is not None or not result.given:
        return gold
    places = list(result.given)
    rows = result.rows.table[places]
    return Gold(rows, [result.rows.texts[each] for each in places], list(result.given.values()))


def _nearest(
    result: LabelResult,
    row: int,
    gateway: Gateway,
    gold: Gold | None,
    settings: LabelSettings,
    count: int,
    notes: list[str],
) -> tuple[CheckedRow, ...]:
    if gold is None or not len(gold):
        notes.append("there are no checked rows to compare with")
        return ()
    text = result.rows.texts[row]
    try:
        vectors = gateway.embed(settings.embed, [text, *gold.texts], columns=result.task.inputs)
    except AssayError as error:
        notes.append(f"the nearest checked rows are not shown: {error}")
        return ()
    lengths = np.maximum(np.linalg.norm(vectors, axis=1), 1e-12)
    cosines = (vectors[1:] @ vectors[0]) / (lengths[1:] * lengths[0])
    ids = gold.rows[ROW_ID].to_list()
    own = result.rows.table[ROW_ID][row]
    order = [each for each in np.argsort(-cosines, kind="stable") if ids[each] != own]
    return tuple(
        CheckedRow(ids[each], gold.texts[each], gold.labels[each], float(cosines[each]))
        for each in order[:count]
    )


def _words(
    result: LabelResult,
    row: int,
    gateway: Gateway,
    settings: LabelSettings,
    wanted: bool | None,
    notes: list[str],
) -> tuple[Piece, ...]:
    model, task = settings.models[0], result.task
    label = result.answers.labels[row]
    if wanted is False or label is None:
        return ()
    if task.kind not in OF_ONE_CLASS:
        notes.append("the words are shown for labels of one class only")
        return ()
    try:
        if wanted is None and not gateway.is_here(model):
            notes.append(f"the words are shown on request: {model} is not on this machine")
            return ()
        annotator = reading_model(result.rows.texts, task, gateway, settings)
        lines = _columns(result.rows.table[row], result)
        code = task.class_names.index(label)
        return occlude(result.rows.texts[row], lines, code, annotator, gateway)
    except (AssayError, ValueError) as error:
        notes.append(f"the words are not shown: {error}")
        return ()


def _columns(row: pl.DataFrame, result: LabelResult) -> list[str] | None:
    """Return a line for each column of a tabular row; None where one text is read."""
    task = result.task
    if len(task.inputs) == 1:
        return None
    values = {
        name: render(row, task.model_copy(update={"inputs": (name,)}))[0] for name in task.inputs
    }
    return [f"{name}: {value}" for name, value in values.items() if value]
