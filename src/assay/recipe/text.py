"""Recipes as text: ``recipe.toml`` both ways, and the diff of two."""

from __future__ import annotations

import difflib
import tomllib
from collections.abc import Mapping
from pathlib import Path
from typing import Any, TypeVar

from pydantic import BaseModel, ValidationError

from assay.config import write_text
from assay.errors import InputError
from assay.recipe.spec import FORMAT, Estimator, Recipe, Tabular, Tfidf
from assay.task import Task

HEADER = (
    "How the model is built. `assay improve` edits this file when an edit has passed its test;",
    "you may edit it too. Features: tfidf, embedding, tabular, raw, derived, slice. Estimator:",
    "any path that is scikit-learn compatible, with its parameters.",
)

Checked = TypeVar("Checked", bound=BaseModel)
SHORT_LIST = 8
"""A longer list is written one item to a line."""


def baseline_recipe(task: Task) -> Recipe:
    """Return the plain model that a practitioner would start from."""
    regression = task.kind == "regression"
    path = "sklearn.linear_model.Ridge" if regression else "sklearn.linear_model.LogisticRegression"
    parameters = {} if regression else {"max_iter": 1000}
    features = (
        (Tabular(columns=task.features),) if task.text is None else (Tfidf(column=task.text),)
    )
    return Recipe(features=features, estimator=Estimator(path=path, parameters=parameters))


def recipe_to_toml(recipe: Recipe) -> str:
    """Return ``recipe`` as commented TOML, the same text for the same content."""
    import tomlkit

    document = tomlkit.document()
    for line in HEADER:
        document.add(tomlkit.comment(line))
    for name, value in recipe.plain().items():
        document.add(name, toml_item(value))
    return tomlkit.dumps(document)


def recipe_from_toml(text: str, *, name: str = "recipe.toml") -> Recipe:
    """Return the recipe that ``text`` describes.

    Raises
    ------
    InputError
        When the text is no TOML, of a newer format, or describes no recipe.
    """
    try:
        values = tomllib.loads(text)
    except tomllib.TOMLDecodeError as error:
        raise InputError(f"{name} is not valid TOML: {error}.", next_step="mend it") from error
    if isinstance(values.get("format"), int) and values["format"] > FORMAT:
        raise InputError(
            f"{name} was written by a newer version of Assay.",
            given=f"format = {values['format']}",
            allowed=f"format = {FORMAT}",
            next_step="pip install --upgrade assay",
        )
    return checked(Recipe, values, name)


def checked(model: type[Checked], values: Mapping[str, Any], where: str) -> Checked:
    """Return the ``model`` of ``values``; an InputError names the first one that is unusable."""
    try:
        return model.model_validate(values)
    except ValidationError as error:
        first = error.errors()[0]
        place = ".".join(str(part) for part in first["loc"])
        raise InputError(
            f"{where}: {place or 'it'} is not usable: {first['msg']}.",
            given=first.get("input"),
            next_step=f"mend {place or where}",
        ) from error


def read_recipe(path: Path) -> Recipe:
    """Return the recipe in the file ``path``."""
    if not path.is_file():
        raise InputError("There is no recipe file.", given=path, next_step="run assay init")
    return recipe_from_toml(path.read_text(encoding="utf-8"), name=path.name)


def write_recipe(recipe: Recipe, path: Path) -> None:
    """Write ``recipe`` to ``path``, whole or not at all."""
    write_text(path, recipe_to_toml(recipe))


def recipe_diff(before: Recipe, after: Recipe) -> str:
    """Return the edit from ``before`` to ``after`` as a unified diff; empty when equal."""
    lines = difflib.unified_diff(
        recipe_to_toml(before).splitlines(),
        recipe_to_toml(after).splitlines(),
        fromfile=f"recipe {before.hash}",
        tofile=f"recipe {after.hash}",
        lineterm="",
        n=1,
    )
    return "\n".join(lines)


def toml_item(value: Any) -> Any:
    """Return ``value`` for tomlkit: lists of tables as ``[[name]]`` blocks, long lists in lines."""
    import tomlkit

    if isinstance(value, dict):
        table = tomlkit.table()
        for name, each in value.items():
            table.add(name, toml_item(each))
        return table
    if isinstance(value, list) and value and isinstance(value[0], dict):
        tables = tomlkit.aot()
        for each in value:
            tables.append(toml_item(each))
        return tables
    if isinstance(value, str) and "\n" in value:
        # TOML drops the line break after the opening quotes.
        quoted = tomlkit.string(value, multiline=True).as_string()
        return tomlkit.value(f"{quoted[:3]}\n{quoted[3:]}")
    if isinstance(value, list | tuple) and len(value) > SHORT_LIST:
        # Parsed as a whole: building an array item by item takes time in its square.
        lines = "".join(f"  {tomlkit.item(each).as_string()},\n" for each in value)
        return tomlkit.value(f"[\n{lines}]")
    return tomlkit.item(value)
