"""Constraints that contradict each other, named in pairs."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from itertools import combinations
from math import ceil, floor
from typing import Literal

from assay.errors import InputError
from assay.synth.constraints.spec import (
    SLACK,
    AtMost,
    Between,
    Constraint,
    Decides,
    OneOf,
    SumOf,
    Whole,
    _text,
)


def require_consistent(constraints: Sequence[Constraint]) -> None:
    """Raise an InputError that names the first two constraints that no row can keep.

    Raises
    ------
    InputError
        Also for a single constraint that holds nowhere.
    """
    for one in constraints:
        if isinstance(one, Between) and _none_inside(one.low, one.high):
            raise InputError(
                "A constraint allows no value.", given=one, next_step="mend constraints.toml"
            )
    for one, two in combinations(constraints, 2):
        if contradict(one, two):
            raise InputError(
                f"Two constraints contradict each other: {one}; {two}.",
                next_step="remove or mend one of them in constraints.toml",
            )
    ranges = {each.column: each for each in constraints if isinstance(each, Between)}
    _require_order(constraints, ranges)
    _require_sums(constraints, ranges)


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


def contradict(one: Constraint, two: Constraint) -> bool:
    """Whether no filled cell can keep both; either order."""
    return _conflict(one, two) or _conflict(two, one)


def _conflict(one: Constraint, two: Constraint) -> bool:
    match one, two:
        case Between(), Between() if one.column == two.column:
            return _beyond(one.low, two.high) or _beyond(two.low, one.high)
        case Between(), Whole() if one.column == two.column:
            return _without_whole(one)
        case Between(), OneOf() if one.column == two.column:
            return not any(_inside(each, one) for each in two.values)
        case OneOf(), OneOf() if one.column == two.column:
            return not {*map(_text, one.values)} & {*map(_text, two.values)}
        case Whole(), OneOf() if one.column == two.column:
            return not any(_is_whole(each) for each in two.values)
        case Decides(), Decides() if one.columns == two.columns:
            other = {_text(value): _text(follows) for value, follows in two.table}
            return any(
                other.get(_text(value), _text(follows)) != _text(follows)
                for value, follows in one.table
            )
        case Decides(), OneOf() if one.follows == two.column:
            allowed = {*map(_text, two.values)}
            return not any(_text(follows) in allowed for _, follows in one.table)
    return False


def _require_order(constraints: Sequence[Constraint], ranges: Mapping[str, Between]) -> None:
    """Look for an order between two columns whose ranges leave no room for it."""
    for order in constraints:
        if not isinstance(order, AtMost):
            continue
        small, great = ranges.get(order.smaller), ranges.get(order.greater)
        if small is not None and great is not None and _beyond(small.low, great.high):
            raise InputError(
                f"Two constraints contradict each other: {small}; {great} ({order}).",
                next_step="remove or mend one of them in constraints.toml",
            )


def _require_sums(constraints: Sequence[Constraint], ranges: Mapping[str, Between]) -> None:
    """Look for columns whose ranges cannot add up to the range of their sum."""
    for each in constraints:
        named = [ranges.get(name) for name in each.columns] if isinstance(each, SumOf) else [None]
        known = [one for one in named if one is not None]
        if len(known) < len(named):
            continue
        *parts, total = known
        if _beyond(_added(parts, "low"), total.high) or _beyond(total.low, _added(parts, "high")):
            told = "; ".join(map(str, (*known, each)))
            raise InputError(
                f"Constraints contradict each other: {told}.",
                next_step="remove or mend one of them in constraints.toml",
            )


def _added(parts: Sequence[Between], side: Literal["low", "high"]) -> float | None:
    """Return the sum of one side of the ranges, a little wider for rounding.

    None where one is open on that side, or of dates.
    """
    ends = [getattr(each, side) for each in parts]
    numbers = [each for each in ends if isinstance(each, int | float)]
    if len(numbers) < len(ends):
        return None
    room = SLACK * (1 + abs(sum(numbers)))
    return sum(numbers) + (room if side == "high" else -room)


def _beyond(low: object, high: object) -> bool:
    try:
        return low is not None and high is not None and low > high  # type: ignore[operator]
    except TypeError:
        return True  # a number and a date


def _none_inside(low: object, high: object) -> bool:
    return _beyond(low, high)


def _without_whole(one: Between) -> bool:
    if isinstance(one.low, int | float) and isinstance(one.high, int | float):
        return ceil(one.low) > floor(one.high)
    return False


def _inside(value: object, one: Between) -> bool:
    return not _beyond(one.low, value) and not _beyond(value, one.high)


def _is_whole(value: object) -> bool:
    return isinstance(value, int | float) and float(value).is_integer()
