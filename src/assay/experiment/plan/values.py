"""Values of a family that somebody wrote: in a plan, or in a language model's answer."""

from __future__ import annotations

from typing import Any

from assay.errors import InputError
from assay.experiment.plan.spec import Try
from assay.experiment.search.space import Choice, Dimension, Family, Whole


def tried_values(one: Try, family: Family) -> dict[str, Any]:
    """Return every value of a try; what it does not name is the family's first default.

    Raises
    ------
    InputError
        When the family has no such parameter, or the value is none of its own.
    """
    values = dict(family.defaults[0])
    for name, given in one.values.items():
        if name not in family.space:
            raise InputError(
                f"A try of the plan names a parameter that {family.name} does not have.",
                given=name,
                allowed=", ".join(family.space),
                next_step="mend tries in the plan",
            )
        values[name], reason = fitting(given, family.space[name])
        if reason is not None:
            raise InputError(
                f"A try of the plan gives {name} of {family.name} an unusable value: {reason}.",
                given=given,
                next_step="mend tries in the plan",
            )
    return values


def fitting(given: Any, dimension: Dimension) -> tuple[Any, str | None]:
    """Return the value as the dimension has it, or why it is none of it."""
    if isinstance(dimension, Choice):
        for option in dimension.options:
            if given == option or str(given).strip().lower() == str(option).lower():
                return option, None
        return None, f"not one of {', '.join(str(each) for each in dimension.options)}"
    try:
        number = float(given)
    except (TypeError, ValueError):
        return None, "not a number"
    if not dimension.low <= number <= dimension.high:
        return None, f"not from {dimension.low:g} to {dimension.high:g}"
    if isinstance(dimension, Whole):
        return (int(number), None) if number == int(number) else (None, "not a whole number")
    return number, None
