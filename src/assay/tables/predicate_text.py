"""A predicate read back from its words."""

from __future__ import annotations

import re
from typing import get_args

from assay.errors import InputError
from assay.tables.predicate import Condition, Operator, Predicate, Value
from assay.tables.traits import TRAITS

EXAMPLE = 'region = "north" and age > 40'

_QUOTED = re.compile(r'"[^"]*"')
_CONDITION = re.compile(
    r"^(?P<subject>.+?)\s*"
    r"(?:(?P<operator>!=|<=|=|>|\bcontains\b)\s*(?P<value>.+)|(?P<empty>\bis (?:not )?empty\b))$"
)
_TRAITED = re.compile(rf"^(?P<trait>{'|'.join(map(re.escape, TRAITS))}) of (?P<column>.+)$")


def predicate_from_words(text: str) -> Predicate:
    """Return the predicate that reads as ``text``: conditions joined by ``and``.

    A condition is a column (or a trait of one, as in ``words of text``), one of ``=``, ``!=``,
    ``<=``, ``>`` and ``contains``, and a number or a word, in double quotes where it holds a space;
    or a column that ``is empty`` or ``is not empty``.

    Raises
    ------
    InputError
        When a part of the text is no condition.
    """
    return Predicate(tuple(_condition(each) for each in _parts(text)))


def _parts(text: str) -> list[str]:
    """Split at every ``and`` outside of quotes."""
    hidden = _QUOTED.sub(lambda found: "x" * len(found.group()), text)
    parts, begin = [], 0
    for found in re.finditer(r"\sand\s", hidden):
        parts.append(text[begin : found.start()].strip())
        begin = found.end()
    return [*parts, text[begin:].strip()]


def _condition(text: str) -> Condition:
    found = _CONDITION.match(text)
    if found is None:
        raise InputError(
            "A part of the condition cannot be read.",
            given=text or "nothing",
            allowed=f"{', '.join(get_args(Operator))}, as in {EXAMPLE}",
        )
    column, trait = found["subject"].strip(), None
    if named := _TRAITED.match(column):
        column, trait = named["column"], named["trait"]
    if found["empty"]:
        empty: Operator = "is not empty" if "not" in found["empty"] else "is empty"
        return Condition(column, empty, None, trait)
    operator: Operator = found["operator"]  # type: ignore[assignment]
    return Condition(column, operator, _value(found["value"].strip()), trait)


def _value(text: str) -> Value:
    if text.startswith('"') and text.endswith('"') and len(text) > 1:
        return text[1:-1]
    if text in ("true", "false"):
        return text == "true"
    try:
        return float(text)
    except ValueError:
        return text
