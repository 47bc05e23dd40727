"""Whether constraints are on columns that there are, of a type that they can hold of."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from datetime import date

import polars as pl

from assay.errors import InputError
from assay.synth.constraints.spec import (
    AtMost,
    Between,
    Constraint,
    Decides,
    Never,
    OneOf,
    SumOf,
    Whole,
)
from assay.synth.constraints.values import Held, Value, compared, held


def require_columns(constraints: Sequence[Constraint], inputs: Sequence[str]) -> None:
    """Raise an InputError for a constraint on a column that no row has: it would never be asked.

    Raises
    ------
    InputError
        And which column.
    """
    for each in constraints:
        unknown = [name for name in each.columns if name not in inputs]
        if unknown:
            raise InputError(
                f"A constraint names a column that is none of the inputs: {each}.",
                given=unknown[0],
                allowed=", ".join(inputs),
                next_step="mend or remove it in constraints.toml",
            )


def require_types(constraints: Sequence[Constraint], schema: pl.Schema) -> None:
    """Raise an InputError for a constraint that its columns' types can neither keep nor break.

    One on a column that is not in the schema is passed over.

    Raises
    ------
    InputError
        And which column, and what it holds.
    """
    for each in constraints:
        if not set(each.columns) <= set(schema):
            continue
        needed = _needed(each, schema)
        for name in each.columns:
            if needed and held(schema[name]) != needed:
                raise InputError(
                    f"A constraint does not fit what {name} holds: {each}.",
                    given=f"{name} holds {held(schema[name])}",
                    allowed=f"a column of {needed}",
                    next_step="mend or remove it in constraints.toml",
                )
        for name, values in _stated(each):
            compared(name, values, schema)


def _needed(constraint: Constraint, schema: pl.Schema) -> Held | None:
    """Return what every column of a constraint must hold; None where it may be anything."""
    match constraint:
        case Whole() | SumOf():
            return "numbers"
        case AtMost():
            return "dates" if held(schema[constraint.smaller]) == "dates" else "numbers"
        case Between():
            bounds = [each for each in (constraint.low, constraint.high) if each is not None]
            return "dates" if any(isinstance(each, date) for each in bounds) else "numbers"
    return None


def _stated(constraint: Constraint) -> Iterator[tuple[str, list[Value]]]:
    """Yield the values that a constraint states of each column."""
    match constraint:
        case OneOf():
            yield constraint.column, list(constraint.values)
        case Decides():
            yield constraint.column, [one for one, _ in constraint.table]
            yield constraint.follows, [two for _, two in constraint.table]
        case Never():
            yield constraint.pair[0], [one for one, _ in constraint.values]
            yield constraint.pair[1], [two for _, two in constraint.values]
