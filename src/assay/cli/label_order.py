"""What ``assay label`` is asked for: from options, a task file and a project to typed values."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from assay.label.spec import LabelSettings
    from assay.label.task import LabelTask
    from assay.llm import Budget
    from assay.project import Project


def label_task(
    classes: list[str] | None,
    file: Path | None,
    changes: dict[str, Any],
    project: Project | None,
) -> LabelTask:
    """Return the task: of the classes named, of a file, or the project's."""
    from assay.errors import InputError
    from assay.label.task import LabelTask

    if classes and file:
        raise InputError("Name classes or a task file, not both.", given="--class and --task")
    if classes:
        named = [each.partition("=") for each in classes]
        twice = [name for name, _, _ in named if [each[0] for each in named].count(name) > 1]
        if twice:
            raise InputError("Two classes have one name.", given=twice[0])
        found = LabelTask.of({name.strip(): words.strip() for name, _, words in named})
    elif file:
        found = _read_task(file)
    elif project is not None:
        found = LabelTask.of(project.task)
    else:
        raise InputError(
            "There are no classes to choose from.",
            next_step="give --class NAME=DESCRIPTION for each, --task FILE, or run in a project",
        )
    chosen = {name: tuple(each) if name == "inputs" else each
              for name, each in changes.items() if each}  # fmt: skip
    return found.model_copy(update=chosen)


def _read_task(file: Path) -> LabelTask:
    import json
    import tomllib

    from assay.errors import InputError
    from assay.label.task import LabelTask
    from assay.recipe.text import checked

    try:
        words = file.read_text(encoding="utf-8")
        values = json.loads(words) if file.suffix == ".json" else tomllib.loads(words)
    except (OSError, ValueError) as error:
        raise InputError(f"The task cannot be read: {error}.", given=file) from error
    return checked(LabelTask, values, file.name)


def labelling_project(path: Path | None, *, given: bool) -> Project | None:
    """Return the project that was named, or the one here; none is needed where a task is given."""
    from assay.errors import ProjectError
    from assay.project import Project

    if path is not None:
        return Project.open(path)
    try:
        return Project.open()
    except ProjectError:
        if Path("assay.toml").exists() and not given:
            raise
        return None


def label_settings(project: Project | None, options: dict[str, Any]) -> LabelSettings:
    """Return how the annotators work: the options go before the project's settings."""
    from assay.label.spec import LabelSettings
    from assay.recipe.text import checked

    known: dict[str, Any] = {}
    if project is not None:
        models = project.settings.models
        known = {"models": (models.label,), "embed": models.embed, "seed": project.settings.seed}
    return checked(LabelSettings, known | _given(options), "settings")


def label_budget(project: Project | None, **caps: Any) -> Budget:
    """Return the caps: those given go before the project's."""
    from dataclasses import replace

    from assay.llm import Budget

    return replace(Budget() if project is None else project.settings.budget, **_given(caps))


def wanted_path(out: Path | None) -> Path:
    """Return where the labelled rows go."""
    from assay.errors import InputError

    if out is None:
        raise InputError("--out is missing.", next_step="say where the labelled rows go")
    return out


def _given(options: dict[str, Any]) -> dict[str, Any]:
    return {name: value for name, value in options.items() if value is not None}
