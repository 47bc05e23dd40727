"""What a column may hold, narrowed by one constraint after another until nothing changes."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import date, datetime
from itertools import combinations_with_replacement
from math import ceil, floor
from typing import Any

from assay.synth.constraints.spec import (
    SLACK,
    AtMost,
    Between,
    Constraint,
    Decides,
    Never,
    OneOf,
    SumOf,
    Whole,
)
from assay.synth.constraints.values import Value, text_of

ROUNDS = 50
"""Sums that feed each other may narrow for ever, by less and less."""


@dataclass
class Domain:
    """What one column may hold: a range, whole numbers or all, and a list of values or any."""

    low: Any = None
    high: Any = None
    whole: bool = False
    values: dict[str, Value] | None = None

    def at_least(self, bound: Any) -> None:
        """Raise the lower end to ``bound``; None raises nothing."""
        if self.low is None or _below(self.low, bound):
            self.low = bound

    def at_most(self, bound: Any) -> None:
        """Lower the upper end to ``bound``; None lowers nothing."""
        if self.high is None or _below(bound, self.high):
            self.high = bound

    def only(self, values: Sequence[Value]) -> None:
        """Allow none but these values."""
        allowed = {text_of(each): each for each in values}
        known = allowed if self.values is None else self.values
        self.values = {text: each for text, each in known.items() if text in allowed}

    def allows(self, value: Value) -> bool:
        """Whether the column may hold the value."""
        if self.values is not None and text_of(value) not in self.values:
            return False
        place = _placed(value)
        fraction = self.whole and isinstance(place, float) and not place.is_integer()
        return not (fraction or _below(place, self.low) or _below(self.high, place))

    def settle(self) -> None:
        """Drop the values outside the range, and draw the range around those that are left."""
        if self.whole and isinstance(self.low, int | float):
            self.low = ceil(self.low)
        if self.whole and isinstance(self.high, int | float):
            self.high = floor(self.high)
        if self.values is None:
            return
        self.values = {text: each for text, each in self.values.items() if self.allows(each)}
        places = [_placed(each) for each in self.values.values()]
        if places and len({type(each) for each in places}) == 1 and None not in places:
            self.at_least(min(places))
            self.at_most(max(places))

    @property
    def is_empty(self) -> bool:
        """Whether nothing is left."""
        return self.values == {} or _below(self.high, self.low)


Domains = defaultdict[str, Domain]


def is_possible(constraints: Sequence[Constraint]) -> bool:
    """Return False where the constraints are seen to leave a column no value.

    Each constraint narrows the ranges and the lists of values of its columns, until nothing
    changes. That sees what follows from one column to the next, and misses what only a search
    over rows would find: values that pairwise go together and never all at once. A cell that may
    be empty is taken to be filled.
    """
    decided = [each for each in constraints if isinstance(each, Decides)]
    if any(_disagree(*pair) for pair in combinations_with_replacement(decided, 2)):
        return False
    domains: Domains = defaultdict(Domain)
    for _ in range(ROUNDS):
        before = {name: replace(each) for name, each in domains.items()}
        for each in constraints:
            if not _narrow(each, domains):
                return False
        for domain in domains.values():
            domain.settle()
            if domain.is_empty:
                return False
        if domains == before:
            break
    return True


def _narrow(constraint: Constraint, domains: Domains) -> bool:
    """Narrow the columns of one constraint; return False where it allows nothing at all."""
    match constraint:
        case Between():
            low, high = _placed(constraint.low), _placed(constraint.high)
            if None not in (low, high) and type(low) is not type(high):
                return False  # a number and a date
            domains[constraint.column].at_least(low)
            domains[constraint.column].at_most(high)
        case Whole():
            domains[constraint.column].whole = True
        case OneOf():
            domains[constraint.column].only(constraint.values)
        case AtMost():
            small, great = domains[constraint.smaller], domains[constraint.greater]
            great.at_least(small.low)
            small.at_most(great.high)
        case SumOf():
            _narrow_sum([domains[each] for each in constraint.parts], domains[constraint.total])
        case Decides():
            return _narrow_decided(constraint, domains)
        case Never():
            _narrow_pair(constraint, domains)
    return True


def _narrow_sum(parts: Sequence[Domain], total: Domain) -> None:
    """Narrow a sum and its parts, a little less for rounding."""
    lows, highs = [each.low for each in parts], [each.high for each in parts]
    total.at_least(_less(_added(lows), 0, -1))
    total.at_most(_less(_added(highs), 0, 1))
    for at, part in enumerate(parts):
        part.at_least(_less(total.low, _added(highs[:at] + highs[at + 1 :]), -1))
        part.at_most(_less(total.high, _added(lows[:at] + lows[at + 1 :]), 1))


def _narrow_decided(constraint: Decides, domains: Domains) -> bool:
    one, two = domains[constraint.column], domains[constraint.follows]
    live = [(value, follows) for value, follows in constraint.table if one.allows(value)]
    kept = [(value, follows) for value, follows in live if two.allows(follows)]
    if live and not kept and one.values is None:
        return False
    if one.values is not None:
        lost = {text_of(value) for value, _ in live} - {text_of(value) for value, _ in kept}
        one.only([each for text, each in one.values.items() if text not in lost])
        if set(one.values) <= {text_of(value) for value, _ in kept}:
            two.only([follows for _, follows in kept])
    return True


def _narrow_pair(constraint: Never, domains: Domains) -> None:
    forbidden = {(text_of(one), text_of(two)) for one, two in constraint.values}
    one, two = (domains[each] for each in constraint.pair)
    if one.values is None or two.values is None:
        return
    left = [(a, b) for a in one.values for b in two.values if (a, b) not in forbidden]
    one.only([one.values[each] for each in dict.fromkeys(a for a, _ in left)])
    two.only([two.values[each] for each in dict.fromkeys(b for _, b in left)])


def _disagree(one: Decides, two: Decides) -> bool:
    """Whether both say what decides the same column, and not alike of every value."""
    fixed: dict[str, str] = {}
    said = [(text_of(value), text_of(follows)) for value, follows in (*one.table, *two.table)]
    return one.columns == two.columns and any(
        fixed.setdefault(value, follows) != follows for value, follows in said
    )


def _placed(value: object) -> Any:
    """Return where a value lies on a scale: numbers, dates; None for what has no order."""
    if isinstance(value, str):
        try:
            value = datetime.fromisoformat(value)
        except ValueError:
            return None
    if isinstance(value, datetime):
        return value.replace(tzinfo=None)
    if isinstance(value, date):
        return datetime(value.year, value.month, value.day)
    return float(value) if isinstance(value, int | float) and not isinstance(value, bool) else None


def _below(one: Any, two: Any) -> bool:
    """Whether one place is known to lie below the other."""
    if one is None or two is None or isinstance(one, datetime) != isinstance(two, datetime):
        return False
    return bool(one < two)


def _added(ends: Sequence[Any]) -> float | None:
    numbers = [each for each in ends if isinstance(each, int | float)]
    return sum(numbers) if len(numbers) == len(ends) else None


def _less(end: Any, other: float | None, side: int) -> float | None:
    """Return ``end`` less ``other``, moved out by what rounding may be; None where one is open."""
    if other is None or not isinstance(end, int | float):
        return None
    return end - other + side * SLACK * (1 + abs(end) + abs(other))
