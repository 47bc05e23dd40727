"""New descriptions, guidelines or metric in ``assay.toml``; all else stays as it was written."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

from assay.config import write_text


def write_descriptions(file: Path, descriptions: Mapping[str, str], guidelines: str) -> None:
    """Replace the descriptions of classes, and the guidelines, in ``file``, whole or not at all.

    Parameters
    ----------
    descriptions
        By class; other classes keep theirs.
    """
    import tomlkit

    document = tomlkit.parse(file.read_text(encoding="utf-8"))
    task = document["task"]
    for each in task["classes"]:
        if each["name"] in descriptions:
            each["description"] = descriptions[each["name"]]
    if str(task.get("guidelines", "")) != guidelines:
        task["guidelines"] = guidelines
    write_text(file, tomlkit.dumps(document))


def write_metric(file: Path, metric: str) -> None:
    """Replace the metric in ``file``, whole or not at all."""
    import tomlkit

    document = tomlkit.parse(file.read_text(encoding="utf-8"))
    if document["task"].get("metric") != metric:
        document["task"]["metric"] = metric
        write_text(file, tomlkit.dumps(document))
