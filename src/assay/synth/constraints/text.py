"""Constraints as ``constraints.toml``, shown and edited, both ways."""

from __future__ import annotations

import tomllib
from collections.abc import Sequence
from pathlib import Path

from pydantic import BaseModel, ConfigDict

from assay.config import write_text
from assay.errors import InputError
from assay.project import Project
from assay.recipe import toml_item
from assay.recipe.text import checked
from assay.synth.constraints.conflicts import require_consistent
from assay.synth.constraints.fitting import require_columns, require_types
from assay.synth.constraints.spec import Constraint

FILE = "constraints.toml"
HEADER = (
    "What holds in every row, as mined from the search rows. A synthetic row that breaks one is",
    "dropped. Remove what is a coincidence and add what you know. Kinds: filled, between, whole,",
    "one_of, at_most, sum, decides, never.",
)


class _Listed(BaseModel):
    model_config = ConfigDict(extra="forbid")

    constraints: tuple[Constraint, ...] = ()


def constraints_to_toml(constraints: Sequence[Constraint]) -> str:
    """Return commented TOML, each constraint under a line that says it in words."""
    import tomlkit

    document = tomlkit.document()
    for line in HEADER:
        document.add(tomlkit.comment(line))
    tables = tomlkit.aot()
    for each in constraints:
        table = tomlkit.table()
        table.add(tomlkit.comment(" ".join(str(each).split())))
        for name, value in each.model_dump(exclude_none=True).items():
            table.add(name, toml_item(value))
        tables.append(table)
    document.add("constraints", tables)
    return tomlkit.dumps(document)


def constraints_from_toml(text: str, *, name: str = FILE) -> tuple[Constraint, ...]:
    """Return the constraints in ``text``.

    Raises
    ------
    InputError
        When it is no TOML, a constraint is not usable, or some contradict each other.
    """
    try:
        values = tomllib.loads(text)
    except tomllib.TOMLDecodeError as error:
        raise InputError(f"{name} is not valid TOML: {error}.", next_step="mend it") from error
    found = checked(_Listed, values, name).constraints
    require_consistent(found)
    return found


def read_stated(text: str) -> tuple[Constraint, ...] | None:
    """Return the constraints of a ``constraints.toml`` by its text; None where that is empty."""
    return constraints_from_toml(text) if text else None


def read_constraints(path: Path) -> tuple[Constraint, ...]:
    """Return the constraints in the file ``path``; see :func:`constraints_from_toml`."""
    try:
        text = path.read_text(encoding="utf-8")
    except UnicodeDecodeError as error:
        raise InputError(
            f"{path.name} is no UTF-8 text.", given=path, next_step="mend it"
        ) from error
    return constraints_from_toml(text, name=path.name)


def stated_constraints(project: Project) -> tuple[Constraint, ...] | None:
    """Return what the ``constraints.toml`` in a project's folder says; None where there is none.

    Raises
    ------
    InputError
        When it cannot be read, some contradict each other, or one is on none of the inputs, or
        does not fit what its column holds.
    """
    path = project.path / FILE
    if not path.exists():
        return None
    found = read_constraints(path)
    schema = project.search().select(project.task.inputs).schema
    require_columns(found, list(schema))
    require_types(found, schema)
    return found


def write_constraints(constraints: Sequence[Constraint], path: Path) -> None:
    """Write the constraints to ``path``, whole or not at all."""
    write_text(path, constraints_to_toml(constraints))
