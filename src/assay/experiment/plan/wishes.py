"""What a sentence asks for, read by rules: costs, time, groups, explanations, speed."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass

from assay.experiment.plan.costs import costs_in, speaks_of_costs
from assay.task import Costs

_EXPLAIN = re.compile(r"explain|auditor|regulat|interpret|transparen|justif")
_AHEAD = re.compile(
    r"next (?:hour|day|week|month|quarter|year)|tomorrow|forecast|in the future|\d+ days ahead"
)
_FAST = re.compile(r"latency|millisecond|real[- ]time|on (?:a )?(?:phone|device)|fast predict")
_RANK = re.compile(r"\brank|priorit|\btop \d+|most likely")
_CHANCE = re.compile(r"probabilit|calibrat|how likely|\bodds\b|chance")
_RARE = re.compile(r"\brare|imbalanc|every class|all classes")
_OUTLIER = re.compile(r"large errors|outlier|big mistakes|squared")
_SPAN = r"(\d+(?:\.\d+)?) ?(minutes?|mins?|hours?)\b"
_UP_TO = r"(?:(?:in|within|for|after|of|at most|no more than|up to|about|only|take|you have) )*"
_MINUTES = tuple(
    re.compile(each)
    for each in (
        rf"\b(?:search(?:ing)?|budget|time limit|spend|stop)[: ] ?{_UP_TO}{_SPAN}",
        rf"{_SPAN} (?:of search|to search|search)",
        rf"(?:^|[,;.:!?] ){_UP_TO}{_SPAN}(?: at (?:the )?most)?(?=$|[,;.!?])",
    )
)
"""A time that is a clause of its own is the search's; "readmitted within 48 hours" is not."""

_FOR_EACH = re.compile(r"(?:per|by|new|unseen|for each|across) (\w+)")


@dataclass(frozen=True)
class Wishes:
    """What a sentence asks for; what it does not say is None or False.

    Attributes
    ----------
    costs_unread
        Whether it speaks of what mistakes cost, in words that were not understood.
    ahead
        The words that say that the future is predicted.
    group
        The column whose values new rows will not share.
    minutes
        What the search may take.
    minutes_unread
        Whether a time is named that is not clearly the search's.
    """

    costs: Costs | None
    costs_unread: bool
    ahead: str | None
    group: str | None
    explain: bool
    fast: bool
    ranking: bool
    chances: bool
    every_class: bool
    large_errors: bool
    minutes: float | None
    minutes_unread: bool


def wishes_in(sentence: str, columns: Sequence[str]) -> Wishes:
    """Return what ``sentence`` asks for; ``columns`` are those that it may name."""
    words = " ".join(sentence.lower().split())
    ahead, costs, minutes = _AHEAD.search(words), costs_in(words), _minutes(words)
    return Wishes(
        costs=costs,
        costs_unread=costs is None and speaks_of_costs(words),
        ahead=ahead.group() if ahead else None,
        group=_group(words, columns),
        explain=bool(_EXPLAIN.search(words)),
        fast=bool(_FAST.search(words)),
        ranking=bool(_RANK.search(words)),
        chances=bool(_CHANCE.search(words)),
        every_class=bool(_RARE.search(words)),
        large_errors=bool(_OUTLIER.search(words)),
        minutes=minutes,
        minutes_unread=minutes is None and bool(re.search(_SPAN, words)),
    )


def _minutes(words: str) -> float | None:
    for pattern in _MINUTES:
        for found in pattern.finditer(words):
            minutes = float(found.group(1)) * (60 if found.group(2).startswith("hour") else 1)
            if minutes > 0:
                return minutes
    return None


def _group(words: str, columns: Sequence[str]) -> str | None:
    """Return the column that words such as "for new customers" name."""
    for named in _FOR_EACH.findall(words):
        stem = named.rstrip("s")
        for column in columns:
            bare = re.sub(r"[_ ]?(id|no|number|key)$", "", column.lower())
            if len(stem) > 2 and bare == stem:
                return column
    return None
