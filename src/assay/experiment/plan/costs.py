"""What a sentence says that mistakes cost: amounts that can be read one way, or none."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass

from assay.task import Costs, costs_of

_TERMS = {
    "false_alarm": r"false[ -](?:alarms?|positives?)",
    "miss": r"(?:miss(?:es)?|missed [a-z]+|false[ -]negatives?)",
}
_THE = r"(?:an? |the |each |every |one )?"
_SOME = r"(?:(?!(?:and|or|than|not|no)\b)[a-z'-]+ ){0,3}?"
_ABOUT = r"(?:(?:us|me|you|them|(?:the|our) [a-z]+|about|around|roughly|only|just) ){0,2}"

_NUMBER = r"(?![1-9]\d{0,2}\.\d{3}(?!\d))(?:[1-9]\d{0,2}(?:,\d{3})+|\d+)(?:\.\d+)?"
"""A decimal point or thousands commas; 2.000 is a thousand times more in half of Europe."""

_SCALES = {"k": 1e3, "thousand": 1e3, "m": 1e6, "million": 1e6, "bn": 1e9, "billion": 1e9}
_SCALE = r"k|thousand|million|bn|billion|(?(sign)m|(?!))"
"""Without a currency, 5m may be five metres or minutes."""

_NO_UNIT = r"and|but|while|whereas|each|every|apiece|per|an?|the|to|or|for|on|in|of|at|if|when|as"
_NO_MORE = r"(?![\w%'\u2019]|[.,]\d| ?(?:%|per ?cent|times|x|fold|m|mn|hundred|dozen)(?!\w))"
_NO_RANGE = (
    r"(?!(?: up)?(?: to| or| per)?[ (/~+\u2013\u2014-]*[$€£]?\d)"
    r"(?!(?:,| and) [$€£]?\d++(?! ?(?:min|hour)))"
)
_AMOUNT = (
    rf"(?P<sign>[$€£]|usd |eur |gbp )? ?(?>(?P<number>{_NUMBER})(?: ?(?P<scale>{_SCALE})\b)?)"
    rf"{_NO_MORE}(?>(?: (?!(?:{_NO_UNIT})\b)(?P<unit>[a-z]+|[$€£]))?){_NO_RANGE}"
)
_THEN = rf"[,;:]?(?: and| but| while| whereas)?(?: of| for)? {_THE}"
_WORSE = r"(?:as|much|more|worse|bad|costly|expensive|serious|severe|important)"
_MONEY = {"usd": "$", "dollar": "$", "eur": "€", "euro": "€", "gbp": "£", "pound": "£"}


def _priced(term: str) -> re.Pattern[str]:
    """Return what finds a mistake with the verb and the amount."""
    verb = rf"{term} {_SOME}(?:costs?|(?:is|are) worth)"
    noun = rf"costs?(?: of| for|:)? {_THE}{term}(?: is| are| ?[:=])?"
    return re.compile(rf"\b(?:{verb}|{noun}) {_ABOUT}{_AMOUNT}")


def _compared(term: str, other: str) -> re.Pattern[str]:
    """Return what finds how many times worse than another a mistake is."""
    times = rf"{_ABOUT}(?P<number>{_NUMBER})(?: times|x|-?fold)"
    than = rf"(?: {_WORSE}){{0,2}}(?: as| than)?(?: the cost of| that of)? {_THE}{other}\b"
    return re.compile(rf"\b{term} {_SOME}(?:costs?|is|are) {times}{than}")


_PRICED = {name: _priced(term) for name, term in _TERMS.items()}
_FOLLOWING = {
    name: re.compile(rf"{_THEN}{term}(?: ?[:=])? {_ABOUT}{_AMOUNT}")
    for name, term in _TERMS.items()
}
_OTHER = {"false_alarm": "miss", "miss": "false_alarm"}
_COMPARED = {name: _compared(_TERMS[name], _TERMS[other]) for name, other in _OTHER.items()}
_MISTAKE = re.compile(rf"\b(?:{'|'.join(_TERMS.values())})\b")
_COSTLY = re.compile(r"\b(?:costs?|costly|worth|worse|expensive|times|twice)\b")
_COSTS_A_NUMBER = re.compile(rf"\bcosts? {_SOME}[$€£]? ?\d")


@dataclass(frozen=True)
class _Amount:
    value: float
    unit: str | None


def costs_in(words: str) -> Costs | None:
    """Return what lower-case ``words`` say that mistakes cost.

    None where they say it of one mistake alone, in two ways, in unlike units, or in a number that
    can be read two ways.
    """
    found = {*_told_by_amounts(words), *_told_by_comparison(words)}
    if len(found) != 1:
        return None
    false_alarm, miss = found.pop()
    if not (false_alarm > 0 and miss > 0):
        return None
    costs = Costs(false_alarm=false_alarm, miss=miss)
    return costs if costs_of(costs.metric) == costs else None  # a metric's name has no exponent


def speaks_of_costs(words: str) -> bool:
    """Return whether ``words`` seem to say what mistakes cost, understood or not."""
    mistakes = [bool(re.search(rf"\b{term}\b", words)) for term in _TERMS.values()]
    counted = all(mistakes) and bool(re.search(r"\d", words))
    costly = any(mistakes) and bool(_COSTLY.search(words))
    return counted or costly or bool(_COSTS_A_NUMBER.search(words))


def _told_by_amounts(words: str) -> Iterator[tuple[float, float]]:
    amounts: dict[str, set[_Amount]] = {name: set() for name in _TERMS}
    for name, pattern in _PRICED.items():
        for found in pattern.finditer(words):
            amounts[name].add(_amount(found))
            other = _OTHER[name]
            if following := _FOLLOWING[other].match(words, found.end()):
                amounts[other].add(_amount(following))
    units = {each.unit for some in amounts.values() for each in some} - {None}
    if len(units) > 1:
        return
    for alarm in amounts["false_alarm"]:
        for miss in amounts["miss"]:
            yield alarm.value, miss.value


def _told_by_comparison(words: str) -> Iterator[tuple[float, float]]:
    for name, pattern in _COMPARED.items():
        for found in pattern.finditer(words):
            times = _value(found)
            yield (times, 1.0) if name == "false_alarm" else (1.0, times)


def _amount(found: re.Match[str]) -> _Amount:
    scale, unit = found.group("scale"), found.group("unit") or found.group("sign")
    unit = unit and unit.strip().rstrip("s")
    return _Amount(_value(found) * _SCALES.get(scale, 1.0), _MONEY.get(unit, unit))


def _value(found: re.Match[str]) -> float:
    return float(found.group("number").replace(",", ""))
