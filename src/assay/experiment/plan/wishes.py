"""What a sentence asks for, read by rules: costs, time, groups, explanations, speed."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass

from assay.task import Costs

_ALARM = r"false (?:alarms?|positives?)"
_MISS = r"(?:miss(?:es|ed)?|misses|missed \w+|false negatives?)"
_COST = r"(?: \w+){0,2}? (?:costs?|is|are|worth)? ?[$€£]?(\d+(?:\.\d+)?)"
_EXPLAIN = re.compile(r"explain|auditor|regulat|interpret|transparen|justif")
_AHEAD = re.compile(
    r"next (?:hour|day|week|month|quarter|year)|tomorrow|forecast|in the future|\d+ days ahead"
)
_FAST = re.compile(r"latency|millisecond|real[- ]time|on (?:a )?(?:phone|device)|fast predict")
_RANK = re.compile(r"\brank|priorit|\btop \d+|most likely")
_CHANCE = re.compile(r"probabilit|calibrat|how likely|\bodds\b|chance")
_RARE = re.compile(r"\brare|imbalanc|every class|all classes")
_OUTLIER = re.compile(r"large errors|outlier|big mistakes|squared")
_MINUTES = re.compile(r"(\d+(?:\.\d+)?) ?(minutes?|min\b|hours?)")
_FOR_EACH = re.compile(r"(?:per|by|new|unseen|for each|across) (\w+)")


@dataclass(frozen=True)
class Wishes:
    """What a sentence asks for; what it does not say is None or False.

    Attributes
    ----------
    ahead
        The words that say that the future is predicted.
    group
        The column whose values new rows will not share.
    """

    costs: Costs | None
    ahead: str | None
    group: str | None
    explain: bool
    fast: bool
    ranking: bool
    chances: bool
    every_class: bool
    large_errors: bool
    minutes: float | None


def wishes_in(sentence: str, columns: Sequence[str]) -> Wishes:
    """Return what ``sentence`` asks for; ``columns`` are those that it may name."""
    words = " ".join(sentence.lower().split())
    ahead = _AHEAD.search(words)
    return Wishes(
        costs=_costs(words),
        ahead=ahead.group() if ahead else None,
        group=_group(words, columns),
        explain=bool(_EXPLAIN.search(words)),
        fast=bool(_FAST.search(words)),
        ranking=bool(_RANK.search(words)),
        chances=bool(_CHANCE.search(words)),
        every_class=bool(_RARE.search(words)),
        large_errors=bool(_OUTLIER.search(words)),
        minutes=_minutes(words),
    )


def _costs(words: str) -> Costs | None:
    alarm, miss = (re.search(each + _COST, words) for each in (_ALARM, _MISS))
    if alarm is None or miss is None:
        return None
    false_alarm, missed = float(alarm.group(1)), float(miss.group(1))
    both = false_alarm > 0 and missed > 0
    return Costs(false_alarm=false_alarm, miss=missed) if both else None


def _minutes(words: str) -> float | None:
    found = _MINUTES.search(words)
    if found is None or float(found.group(1)) == 0:
        return None
    return float(found.group(1)) * (60 if found.group(2).startswith("hour") else 1)


def _group(words: str, columns: Sequence[str]) -> str | None:
    """Return the column that words such as "for new customers" name."""
    for named in _FOR_EACH.findall(words):
        stem = named.rstrip("s")
        for column in columns:
            bare = re.sub(r"[_ ]?(id|no|number|key)$", "", column.lower())
            if len(stem) > 2 and bare == stem:
                return column
    return None
