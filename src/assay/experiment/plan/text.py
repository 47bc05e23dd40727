"""A plan as ``plan.toml``, both ways."""

from __future__ import annotations

import tomllib
from pathlib import Path
from typing import Any

from assay.config import write_text
from assay.errors import InputError
from assay.experiment.plan.spec import ExperimentPlan
from assay.recipe import toml_item
from assay.recipe.text import checked

HEADER = (
    "The plan of an experiment. `assay experiment --plan plan.toml` follows minutes, families,",
    "tries, costs and left_out; edit them freely. Every line says who wrote it: a rule, or a model",
    "by name.",
)


def plan_to_toml(plan: ExperimentPlan) -> str:
    """Return ``plan`` as commented TOML."""
    import tomlkit

    document = tomlkit.document()
    for line in HEADER:
        document.add(tomlkit.comment(line))
    for name, value in _plain(plan.model_dump(mode="json")).items():
        document.add(name, toml_item(value))
    return tomlkit.dumps(document)


def write_plan(plan: ExperimentPlan, path: Path) -> None:
    """Write ``plan`` to ``path``, whole or not at all."""
    write_text(path, plan_to_toml(plan))


def read_plan(path: Path) -> ExperimentPlan:
    """Return the plan in the file ``path``.

    Raises
    ------
    InputError
        When there is none, or it is damaged.
    """
    if not path.is_file():
        raise InputError("There is no plan.", given=path, next_step="run assay plan")
    try:
        values = tomllib.loads(path.read_text(encoding="utf-8"))
    except tomllib.TOMLDecodeError as error:
        raise InputError(f"{path.name} is not valid TOML: {error}.", next_step="mend it") from error
    except UnicodeDecodeError as error:
        raise InputError(
            f"{path.name} is not UTF-8.",
            given=error.object[error.start : error.start + 1],
            next_step="save it as UTF-8",
        ) from error
    return checked(ExperimentPlan, values, path.name)


def _plain(value: Any) -> Any:
    """Leave out what is None: TOML has no null, and the default then holds."""
    if isinstance(value, dict):
        return {name: _plain(each) for name, each in value.items() if each is not None}
    return [_plain(each) for each in value] if isinstance(value, list) else value
