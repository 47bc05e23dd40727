"""Where words stand in a row itself, and where in what was read of it."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from typing import Any

from assay.label.extract.schema import spans_of
from assay.label.reading import CONTROLS, CUT, places_read, whole
from assay.label.rows import Rows, render
from assay.label.spec import Answers, Gold
from assay.label.task import LabelTask

Places = Sequence[int | None]


class _LostError(Exception):
    """Words that stand across the gap of a text that was cut."""


def in_own_place(answers: Answers, rows: Rows, task: LabelTask) -> Answers:
    """Return the answers of an extraction with spans at their places in the rows themselves.

    They differ from the places in what was read where hidden characters were left out or the
    middle of a long text was. Words across that gap stand nowhere: such a row has no answer.
    """
    spans = spans_of(task.fields or {}) if task.kind == "extract" else ()
    moved = [
        row for row, told in rows.flags.items()
        if (CUT in told or CONTROLS in told) and answers.labels[row] is not None
    ]  # fmt: skip
    if not spans or not moved:
        return answers
    labels, probability, why = list(answers.labels), answers.probability.copy(), dict(answers.why)
    for row, text in zip(moved, render(rows.table[moved], task), strict=True):
        places = places_read(text)
        label = labels[row]
        try:
            labels[row] = label | {name: _moved(label[name], places) for name in spans}
        except _LostError:
            labels[row], probability[row] = None, float("nan")
            why[row] = "words of it stand across the part of the text that was not read"
    return replace(answers, labels=labels, probability=probability, why=why)


def as_read(gold: Gold, task: LabelTask) -> Gold:
    """Return gold with its spans as they stand in what was read of its rows.

    Gold tells words and places of the rows themselves, hidden characters counted.
    """
    spans = spans_of(task.fields or {})
    told = zip(gold.labels, render(gold.rows, task), gold.texts, strict=True)
    labels = [
        label if own == read else label | {name: _read(label.get(name), own) for name in spans}
        for label, own, read in told
    ]
    return replace(gold, labels=labels)


def _read(value: Any, own: str) -> Any:
    """Return a span of a row as one of what was read; as it is where it does not stand there."""
    if value is None:
        return None
    if isinstance(value, list):
        return [_read(each, own) for each in value]
    start, end = value["start"], value["end"]
    if start is None or end is None:
        return value | {"text": whole(value["text"])[0]}
    there = range(start, end)
    found = [at for at, place in enumerate(places_read(own)) if place in there]
    if own[start:end] != value["text"] or not found:
        return value
    read = whole(own)[0][found[0] : found[-1] + 1]
    return {"text": read, "start": found[0], "end": found[-1] + 1}


def _moved(value: Any, places: Places) -> Any:
    if value is None:
        return None
    if isinstance(value, list):
        return [_moved(each, places) for each in value]
    found = places[value["start"] : value["end"]]
    known = [each for each in found if each is not None]
    if len(known) < len(found) or not known:
        raise _LostError
    return value | {"start": known[0], "end": known[-1] + 1}
