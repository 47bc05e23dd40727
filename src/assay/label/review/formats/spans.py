"""Spans on their way to a tool that counts as JavaScript does, and back, verified."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from assay.label.extract.schema import spans_of
from assay.label.task import LabelTask


def places(task: LabelTask) -> tuple[str, ...]:
    """Return the fields of an extraction whose words are taken from the text."""
    return spans_of(task.fields or {}) if task.kind == "extract" else ()


def units(label: dict[str, Any], text: str, task: LabelTask) -> Iterable[tuple[str, int, int, str]]:
    """Yield field, start, end (in UTF-16 units) and words of each span that has a place."""
    for name in places(task):
        value = label.get(name)
        for each in value if isinstance(value, list) else [value]:
            if isinstance(each, dict) and each.get("start") is not None:
                start, end = each["start"], each["end"]
                yield name, to_units(text, start), to_units(text, end), text[start:end]


def put_back(
    rest: dict[str, Any], regions: list[dict[str, Any]], text: str, task: LabelTask
) -> tuple[dict[str, Any] | None, str]:
    """Return the object with its spans, or why they do not fit the text."""
    lists = {name for name in places(task) if _is_list(task, name)}
    found: dict[str, Any] = {name: [] if name in lists else None for name in places(task)}
    for each in regions:
        for name in each.get("labels", []):
            start, end = (from_units(text, each.get(side, 0)) for side in ("start", "end"))
            if name not in found:
                return None, f"span {name!r} is no field"
            if "text" in each and each["text"] != text[start:end]:
                return None, "a span does not stand in the text"
            span = {"text": text[start:end], "start": start, "end": end}
            if name in lists:
                found[name].append(span)
            elif found[name] is not None:
                return None, f"several spans for {name!r}"
            else:
                found[name] = span
    return {**rest, **found}, ""


def to_units(text: str, position: int) -> int:
    """Return how many UTF-16 units stand before a position."""
    return len(text[:position].encode("utf-16-le", "surrogatepass")) // 2


def from_units(text: str, units_before: int) -> int:
    """Return the position before which that many UTF-16 units stand."""
    data = text.encode("utf-16-le", "surrogatepass")[: 2 * units_before]
    return len(data.decode("utf-16-le", "surrogatepass"))


def _is_list(task: LabelTask, name: str) -> bool:
    return bool((task.fields or {})["properties"][name].get("type") == "array")
