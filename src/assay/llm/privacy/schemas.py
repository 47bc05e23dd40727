"""A JSON schema on its way out: what people wrote in it is hidden, its grammar stays."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

Hide = Callable[[str], str]

NAMED = frozenset({"properties", "patternProperties", "$defs", "definitions", "dependentSchemas"})
"""Keywords that hold schemas by a name of someone's choice."""

DATA = frozenset({"enum", "const", "default", "examples", "example"})
"""Keywords that hold values."""

GRAMMAR = frozenset({"type", "format", "$schema", "contentEncoding", "contentMediaType"})
"""Keywords whose words are JSON Schema's own."""


def hidden_schema(schema: Mapping[str, Any], *, text: Hide, name: Hide) -> dict[str, Any]:
    """Return the schema with its values, descriptions and names hidden; numbers stay.

    Parameters
    ----------
    text
        Hides what stands in a value or a description.
    name
        Hides what stands in the name of a field or definition, wherever it is referred to.
    """

    def any_value(value: Any) -> Any:
        if isinstance(value, str):
            return text(value)
        if isinstance(value, list):
            return [any_value(each) for each in value]
        if isinstance(value, Mapping):
            return {name(key): any_value(each) for key, each in value.items()}
        return value

    def node(value: Any) -> Any:
        if isinstance(value, list):
            return [node(each) for each in value]
        if isinstance(value, Mapping):
            return {key: keyword(key, each) for key, each in value.items()}
        return any_value(value)

    def keyword(key: str, value: Any) -> Any:
        if key in GRAMMAR:
            return value
        if key in DATA:
            return any_value(value)
        if key in NAMED:
            return {name(each): node(schema) for each, schema in value.items()}
        if key == "required":
            return [name(each) for each in value]
        if key == "$ref":
            return "/".join(map(name, value.split("/")))
        return node(value)

    return {key: keyword(key, each) for key, each in schema.items()}


def strings_of(value: Any) -> list[str]:
    """Return every string of a JSON value but the names in it."""
    if isinstance(value, str):
        return [value]
    parts = value.values() if isinstance(value, Mapping) else value
    if not isinstance(value, Mapping | list):
        return []
    return [text for part in parts for text in strings_of(part)]
