"""Label Studio: JSON tasks with predictions, its labelling configuration, its JSON export."""

from __future__ import annotations

import json
from collections.abc import Iterable
from pathlib import Path
from typing import Any
from xml.etree import ElementTree as Xml

from assay.config import write_text
from assay.errors import InputError
from assay.label.result import LabelResult
from assay.label.review.formats.rows import Answer, Row, Said
from assay.label.review.formats.spans import places, put_back, units
from assay.label.task import LabelTask

NAME, SPANS, TEXT = "label", "spans", "text"


def write(rows: list[Row], result: LabelResult, out: Path) -> list[Path]:
    """Write the tasks to ``out`` and the labelling configuration beside it, as XML."""
    config = out.with_suffix(".xml")
    write_text(config, configuration(result.task))
    tasks = [_task(row, result) for row in rows]
    write_text(out, json.dumps(tasks, ensure_ascii=False, indent=1, allow_nan=False))
    return [out, config]


def configuration(task: LabelTask) -> str:
    """Return the labelling configuration."""
    view = Xml.Element("View")
    if task.guidelines:
        Xml.SubElement(view, "Header", value=task.guidelines)
    spans = places(task)
    if spans:
        labels = Xml.SubElement(view, "Labels", name=SPANS, toName=TEXT)
        for each in spans:
            Xml.SubElement(labels, "Label", value=each)
    Xml.SubElement(view, "Text", name=TEXT, value=f"${TEXT}")
    if task.kind == "extract":
        Xml.SubElement(view, "TextArea", name=NAME, toName=TEXT, rows="8", editable="true",
                       maxSubmissions="1")  # fmt: skip
    elif task.kind == "ordinal":
        listed = ", ".join(f"{at} {name}" for at, name in enumerate(task.class_names, start=1))
        Xml.SubElement(view, "Header", value=listed)
        Xml.SubElement(view, "Rating", name=NAME, toName=TEXT, maxRating=str(len(task.classes)))
    else:
        several = "multiple" if task.kind == "multi" else "single"
        choices = Xml.SubElement(view, "Choices", name=NAME, toName=TEXT, choice=several)
        for one in task.classes:
            choice = Xml.SubElement(choices, "Choice", value=one.name)
            if one.description:
                choice.set("hint", one.description)
    Xml.indent(view)
    return Xml.tostring(view, encoding="unicode") + "\n"


def read_json(path: Path) -> list[dict[str, Any]]:
    """Return the objects in a JSON file that holds a list of them."""
    try:
        found = json.loads(path.read_text(encoding="utf-8-sig"))
    except (ValueError, OSError) as error:
        raise InputError(f"The file cannot be read: {error}.", given=path) from error
    if not isinstance(found, list) or not all(isinstance(each, dict) for each in found):
        raise InputError("The file is no list of tasks or records.", given=path)
    return found


def read(records: list[dict[str, Any]], result: LabelResult) -> list[Answer]:
    """Return each annotator's answer in a JSON export; cancelled ones count as skipped."""
    return [each for record in records for each in _answers(record, result.task)]


def _task(row: Row, result: LabelResult) -> dict[str, Any]:
    task: dict[str, Any] = {"data": {"row_id": row.row_id, TEXT: row.text}}
    if row.label is not None:
        regions = [
            {"id": f"{row.row_id}-{at}", "to_name": TEXT, **each}
            for at, each in enumerate(_regions(row, result.task))
        ]
        sure = {} if row.probability is None else {"score": row.probability}
        task["predictions"] = [{"model_version": result.run, **sure, "result": regions}]
    return task


def _regions(row: Row, task: LabelTask) -> Iterable[dict[str, Any]]:
    if task.kind == "extract":
        rest = {name: each for name, each in row.label.items() if name not in places(task)}
        for name, start, end, words in units(row.label, row.text, task):
            value = {"start": start, "end": end, "text": words, "labels": [name]}
            yield {"from_name": SPANS, "type": "labels", "value": value}
        words = json.dumps(rest, ensure_ascii=False)
        yield {"from_name": NAME, "type": "textarea", "value": {"text": [words]}}
    elif task.kind == "ordinal":
        rating = task.class_names.index(row.label) + 1
        yield {"from_name": NAME, "type": "rating", "value": {"rating": rating}}
    else:
        chosen = row.label if isinstance(row.label, list) else [row.label]
        yield {"from_name": NAME, "type": "choices", "value": {"choices": chosen}}


def _answers(record: dict[str, Any], task: LabelTask) -> Iterable[Answer]:
    data = record.get("data", {})
    row = str(data.get("row_id", ""))
    fields = {TEXT: str(data[TEXT])} if TEXT in data else {}
    annotations = record.get("annotations") or []
    if not annotations:
        yield Answer(row, "nothing", "", fields=fields)
    for each in annotations:
        who = f"label-studio:{_person(each.get('completed_by'))}"
        if each.get("was_cancelled"):
            yield Answer(row, "skip", who, fields=fields)
            continue
        label, problem = _label(each.get("result") or [], fields.get(TEXT, ""), task)
        said: Said = "nothing" if label is None and not problem else "label"
        yield Answer(row, said, who, label, problem=problem, fields=fields)


def _person(given: Any) -> str:
    if isinstance(given, dict):
        return str(given.get("email") or given.get("id"))
    return str(given)


def _label(regions: list[dict[str, Any]], text: str, task: LabelTask) -> tuple[Any, str]:
    """Return the label in an annotation, or why there is none."""
    own = [each["value"] for each in regions if each.get("from_name") == NAME and "value" in each]
    if task.kind == "extract":
        return _object(own, [each for each in regions if each.get("from_name") == SPANS],
                       text, task)  # fmt: skip
    if task.kind == "ordinal":
        ratings = [each.get("rating") for each in own]
        if not ratings:
            return None, ""
        names = task.class_names
        fits = isinstance(ratings[0], int) and 1 <= ratings[0] <= len(names)
        return (names[ratings[0] - 1], "") if fits else (None, f"rating {ratings[0]} is no class")
    chosen = [name for each in own for name in each.get("choices", [])]
    if task.kind == "multi":
        return chosen, ""
    return (chosen[0] if len(chosen) == 1 else None), "several labels" if len(chosen) > 1 else ""


def _object(
    own: list[Any], spans: list[dict[str, Any]], text: str, task: LabelTask
) -> tuple[Any, str]:
    if not own and not spans:
        return None, ""
    try:
        found = json.loads(own[0]["text"][0]) if own else {}
    except (ValueError, LookupError, TypeError):
        return None, "the object is not JSON"
    if not isinstance(found, dict):
        return None, "the object is not JSON"
    return put_back(found, [each.get("value", {}) for each in spans], text, task)
