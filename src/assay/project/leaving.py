"""What the models that a project names would be sent, and what stays here."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from assay.errors import InputError, ModelError
from assay.llm.usable import host_named
from assay.project.project import Project
from assay.recipe import Embedding


@dataclass(frozen=True)
class Field:
    """One column, and a model on another machine that is asked about it.

    Attributes
    ----------
    use
        ``label``, ``synth``, ``features``, ``embed`` or ``recipe``: what the model is asked for.
    leaves
        Whether the privacy settings let its values go there.
    why
        How they go, or what keeps them.
    """

    column: str
    use: str
    model: str
    host: str
    leaves: bool
    why: str


def fields(project: Project) -> list[Field]:
    """Return every column that a model elsewhere is asked about; nothing is sent."""
    found = []
    for use, model, columns in _uses(project):
        host = host_named(model)
        if host is not None:
            found += [_field(project, column, use, model, host) for column in columns]
    return list(dict.fromkeys(found))


def named_models(project: Project) -> list[str]:
    """Return the models that the settings and the recipe name."""
    settings = project.settings.models
    found = [settings.label, settings.embed, *(model for _, model, _ in _uses(project))]
    return list(dict.fromkeys(found))


def unknown_columns(project: Project) -> list[str]:
    """Return the columns that must not leave and that no row of the project has."""
    present = {*project.search().columns, *project.pool().columns}
    return [each for each in project.settings.privacy.columns if each not in present]


def _uses(project: Project) -> Iterator[tuple[str, str, list[str]]]:
    """Yield where a model is named, which, and the columns; classes are the target's values."""
    task, models = project.task, project.settings.models
    read = [task.text] if task.text is not None else list(task.features)
    if task.kind != "regression":
        yield "label", models.label, [*read, task.target]
        yield "synth", models.label, [*task.inputs, task.target]
    if task.text is not None:
        yield "embed", models.embed, [*read, task.target]
    if task.modality == "tabular":
        yield "features", models.label, [*read, task.target]
    recipe = project.recipe
    judging = [feature for each in recipe.rows.added for feature in each.features]
    judging += [feature for each in recipe.rows.mended for feature in each.features]
    for feature in (*recipe.all_features, *judging):
        if isinstance(feature, Embedding):
            yield "recipe", feature.model, [feature.column]


def _field(project: Project, column: str, use: str, model: str, host: str) -> Field:
    privacy = project.settings.privacy
    try:
        privacy.check(model, host)
        privacy.check_columns((column,), name=model, host=host)
    except (InputError, ModelError) as refusal:
        return Field(column, use, model, host, False, refusal.problem)
    why = "identifiers redacted" if privacy.policy == "redact" else "as it is"
    return Field(column, use, model, host, True, why)
