"""From a JSON schema to a pydantic model that a language model's answer is held to."""

from __future__ import annotations

import datetime
import json
from collections.abc import Mapping
from functools import lru_cache
from typing import Annotated, Any, Literal, Union

from pydantic import BaseModel, ConfigDict, Field, create_model

from assay.errors import InputError

SPAN = "span"
"""Marks a string, or a list of them, whose words are taken from the text as they stand."""
_OF_NUMBERS = {
    "minimum": "ge", "maximum": "le", "exclusiveMinimum": "gt", "exclusiveMaximum": "lt",
    "multipleOf": "multiple_of",
}  # fmt: skip
_BOUNDS = {
    "integer": _OF_NUMBERS,
    "number": _OF_NUMBERS,
    "string": {"minLength": "min_length", "maxLength": "max_length", "pattern": "pattern"},
    "array": {"minItems": "min_length", "maxItems": "max_length"},
}
"""By type, what bounds it; another type's bounds say nothing of it, as JSON Schema has it."""
_PLAIN: dict[str, Any] = {
    "integer": int, "number": float, "boolean": bool, "null": None, "string": str,
}  # fmt: skip
_ALLOWED = "object, array, enum, const, " + ", ".join(_PLAIN)
_FORMATS: dict[str, Any] = {
    "date": datetime.date, "date-time": datetime.datetime, "time": datetime.time,
}  # fmt: skip


def model_of(schema: Mapping[str, Any]) -> type[BaseModel]:
    """Return the pydantic model of a JSON schema of an object.

    Raises
    ------
    InputError
        When the schema is no object, has no fields, refers to itself, or holds what is not
        understood; the message names the field. Or when no type can be built from it, as from a
        pattern that is no regular expression.
    """
    return _built(json.dumps(schema, sort_keys=False, default=str))


@lru_cache(maxsize=32)
def _built(text: str) -> type[BaseModel]:
    schema = json.loads(text)
    try:
        built = _Builder(schema.get("$defs", {})).of(schema, "fields", ())
    except InputError:
        raise
    except Exception as error:  # pydantic says in many ways what it cannot build
        told = (str(error).splitlines() or [""])[0]
        raise InputError("The fields to extract cannot be built from their schema.",
                         given=f"{type(error).__name__}: {told}",
                         next_step="mend the field that is told") from error  # fmt: skip
    if not (isinstance(built, type) and issubclass(built, BaseModel)):
        raise InputError("The fields to extract must be the JSON schema of an object.",
                         given=schema.get("type", "no type"))  # fmt: skip
    return built


def spans_of(schema: Mapping[str, Any]) -> tuple[str, ...]:
    """Return the fields whose words are taken from the text."""
    fields: Mapping[str, Any] = schema.get("properties", {})
    return tuple(name for name, each in fields.items() if each.get(SPAN) is True)


class _Builder:
    """Builds types from the nodes of one schema."""

    def __init__(self, definitions: Mapping[str, Any]) -> None:
        self._definitions = definitions

    def of(self, node: Any, path: str, within: tuple[str, ...]) -> Any:
        """Return the type of a node; ``within`` are the definitions that it lies in."""
        if not isinstance(node, Mapping):
            raise InputError(f"The field {path} is no schema.", given=node, allowed=_ALLOWED)
        if "$ref" in node:
            return self._referred(str(node["$ref"]), path, within)
        if "allOf" in node and len(node["allOf"]) == 1:
            return self.of(node["allOf"][0], path, within)
        if "enum" in node:
            return Literal[tuple(node["enum"])]
        if "const" in node:
            return Literal[node["const"]]
        kinds = node.get("anyOf") or node.get("oneOf")
        if kinds is None and isinstance(node.get("type"), list):
            kinds = [{**node, "type": kind} for kind in node["type"]]
        if kinds:
            return Union[tuple(self.of(each, path, within) for each in kinds)]  # noqa: UP007
        return self._one(node, path, within)

    def _one(self, node: Mapping[str, Any], path: str, within: tuple[str, ...]) -> Any:
        kind = node.get("type", "object" if "properties" in node else None)
        if kind == "object":
            return self._object(node, path, within)
        if kind == "array":
            items = self.of(node.get("items", {}), f"{path}[]", within)
            return _bounded(list[items], node, "array")  # type: ignore[valid-type]
        if kind not in _PLAIN:
            raise InputError(f"The field {path} has a type that is not understood.",
                             given=kind or "no type", allowed=_ALLOWED)  # fmt: skip
        if kind == "string" and node.get("format") in _FORMATS:
            return _FORMATS[str(node["format"])]
        return _bounded(_PLAIN[str(kind)], node, str(kind))

    def _object(self, node: Mapping[str, Any], path: str, within: tuple[str, ...]) -> Any:
        properties: Mapping[str, Any] = node.get("properties", {})
        if not properties:
            raise InputError(f"The object {path} has no properties to extract.")
        required = set(node.get("required", ()))
        fields: dict[str, Any] = {}
        for name, each in properties.items():
            kind = self.of(each, f"{path}.{name}", within)
            about = each.get("description")
            if name in required:
                fields[name] = (kind, Field(description=about))
            else:
                fields[name] = (kind | None, Field(default=None, description=about))
        title = str(node.get("title") or path.rpartition(".")[2].title())
        made: type[BaseModel] = create_model(title, __config__=ConfigDict(extra="forbid"), **fields)
        return made

    def _referred(self, reference: str, path: str, within: tuple[str, ...]) -> Any:
        name = reference.removeprefix("#/$defs/")
        if name in within:
            raise InputError(f"The field {path} refers to itself.", given=name,
                             allowed="a schema without recursion")  # fmt: skip
        if name not in self._definitions:
            raise InputError(f"The field {path} refers to what the schema lacks.", given=reference)
        return self.of(self._definitions[name], path, (*within, name))


def _bounded(made: Any, node: Mapping[str, Any], kind: str) -> Any:
    known = _BOUNDS.get(kind, {})
    bounds = {ours: node[theirs] for theirs, ours in known.items() if theirs in node}
    return Annotated[made, Field(**bounds)] if bounds else made
