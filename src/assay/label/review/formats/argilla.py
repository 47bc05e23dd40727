"""Argilla 2: records and settings as the JSON that its own ``from_json`` reads."""

from __future__ import annotations

import json
from collections.abc import Iterable
from pathlib import Path
from typing import Any

from assay.config import write_text
from assay.label.result import LabelResult
from assay.label.review.formats.rows import Answer, Row, Said
from assay.label.task import LabelTask

NAME, TEXT = "label", "text"
MOST_RATING = 10
"""Argilla's ratings end here; more ordered classes are plain ones."""


def write(rows: list[Row], result: LabelResult, out: Path) -> list[Path]:
    """Write the records to ``out`` and the settings beside it."""
    beside = out.with_name(f"{out.stem}-settings.json")
    write_text(beside, json.dumps(settings(result.task), ensure_ascii=False, indent=1))
    records = [_record(row, result) for row in rows]
    write_text(out, json.dumps(records, ensure_ascii=False, indent=1, allow_nan=False))
    return [out, beside]


def settings(task: LabelTask) -> dict[str, Any]:
    """Return the dataset's settings: one text, one question, the probability as metadata."""
    return {
        "guidelines": task.guidelines or None,
        "fields": [
            {"name": TEXT, "title": TEXT, "required": True, "type": "text",
             "settings": {"type": "text", "use_markdown": False}}
        ],
        "questions": [
            {"name": NAME, "title": NAME, "description": None, "required": True,
             "type": _question(task)["type"], "settings": _question(task)}
        ],
        "metadata": [
            {"name": "probability", "title": "probability", "visible_for_annotators": True,
             "settings": {"type": "float", "min": None, "max": None,
                          "visible_for_annotators": True}},
            {"name": "run", "title": "run", "visible_for_annotators": False,
             "settings": {"type": "terms", "values": None, "visible_for_annotators": False}},
        ],
        "vectors": [],
        "allow_extra_metadata": False,
        "distribution": {"strategy": "overlap", "min_submitted": 1},
        "mapping": None,
    }  # fmt: skip


def read(records: list[dict[str, Any]], result: LabelResult) -> list[Answer]:
    """Return each person's response in records that ``records.to_json()`` wrote."""
    return [each for record in records for each in _answers(record, result.task)]


def _question(task: LabelTask) -> dict[str, Any]:
    if task.kind == "extract":
        return {"type": "text", "use_markdown": False}
    if _rated(task):
        values = range(1, len(task.classes) + 1)
        return {"type": "rating", "options": [{"value": each} for each in values]}
    options = [{"value": each.name, "text": each.name, "description": each.description or None}
               for each in task.classes]  # fmt: skip
    if task.kind == "multi":
        return {"type": "multi_label_selection", "options": options, "visible_options": None,
                "options_order": "natural"}  # fmt: skip
    return {"type": "label_selection", "options": options, "visible_options": None}


def _record(row: Row, result: LabelResult) -> dict[str, Any]:
    metadata: dict[str, Any] = {"run": result.run}
    suggestions = {}
    if row.probability is not None:
        metadata["probability"] = row.probability
    if row.label is not None:
        suggestions[NAME] = {"value": _value(row.label, result.task), "agent": result.run,
                             "score": _score(row, result.task)}  # fmt: skip
    return {
        "id": row.row_id, "fields": {TEXT: row.text}, "metadata": metadata,
        "suggestions": suggestions, "responses": {}, "vectors": {}, "status": "pending",
    }  # fmt: skip


def _value(label: Any, task: LabelTask) -> Any:
    if task.kind == "extract":
        return json.dumps(label, ensure_ascii=False, indent=1)
    return task.class_names.index(label) + 1 if _rated(task) else label


def _score(row: Row, task: LabelTask) -> Any:
    """Return one probability, or as many as there are classes in a set of them."""
    if task.kind == "multi" and row.probability is not None:
        return [row.probability] * len(row.label)
    return row.probability


def _answers(record: dict[str, Any], task: LabelTask) -> Iterable[Answer]:
    row, fields = str(record.get("id", "")), record.get("fields") or {}
    said = (record.get("responses") or {}).get(NAME) or []
    shown = {TEXT: str(fields[TEXT])} if TEXT in fields else {}
    if not said:
        yield Answer(row, "nothing", "", fields=shown)
    for each in said:
        who = f"argilla:{each.get('user_id')}"
        if each.get("status") in ("discarded", "draft"):
            left: Said = "skip" if each["status"] == "discarded" else "nothing"
            yield Answer(row, left, who, fields=shown)
            continue
        label, problem = _label(each.get("value"), task)
        yield Answer(row, "label", who, label, problem=problem, fields=shown)


def _label(value: Any, task: LabelTask) -> tuple[Any, str]:
    if not _rated(task):
        return value, ""
    names = task.class_names
    fits = isinstance(value, int) and 1 <= value <= len(names)
    return (names[value - 1], "") if fits else (None, f"rating {value} is no class")


def _rated(task: LabelTask) -> bool:
    return task.kind == "ordinal" and len(task.classes) <= MOST_RATING
