"""Finds row text that speaks to the annotator instead of being judged by it.

No list of phrases finds every attempt. What it finds is left out of what annotators read, keeps
the row out of the rows that annotators learn from, and sends the row to a person; what it
misses can only sway the row that holds it, because texts are never joined into one prompt.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property

FLAG = "the text speaks to the annotator"

_HINTS = (
    "ignor", "disregard", "forget", "overrid", "overrul", "bypass", "skip", "not follow",
    "not obey", "not heed", "instruct", "prompt", "directi", "system", "assistant", "human", "<|",
    "[inst", "[/inst", "###", "##", "<<", "</", "_turn>", "answer", "respon", "reply",
    "output", "label",
    "classif", "categor", "class", "option", "choice", "choose", "select", "pick", "annotator",
    "grader", "language model", "you ", "act as", "pretend", "tag ", "mark ", "treat", "count",
    "file", "say ", "write ", "return ",
)  # fmt: skip
"""No attempt is without one of these; most rows are, and are done with."""

_BEFORE = r"(?:above|preceding|previous(?:ly)?|prior(?! to)|foregoing)"
_ORDERS = (
    r"instructions?|prompts?|rules?|guidelines|directions|directives|orders|"
    r"definitions|descriptions|categor(?:y|ies)|options"
)
_DROP = r"(?:ignore|disregard|forget|override|overrule|bypass|skip|do not (?:follow|obey|heed))"
_MARKS = (
    r"<\|[a-z_]{2,20}\|>|\[/?INST\]|<</?SYS>>|</?(?:system|assistant|user|instructions?)>|"
    r"<(?:start|end)_of_turn>|^\s*#{2,}\s*(?:instruction|response|system|answer|input|output)\b|"
    r"^\s*(?:system|assistant|human)\s*:"
)
_GENERAL = (
    _MARKS,
    rf"\b{_DROP}\b[^.!?\n]{{0,30}}\b{_BEFORE}\b",
    r"\b(?:ignore|disregard) (?:everything|anything|all of (?:this|that|it))\b",
    rf"\b{_DROP}\b[^.!?\n]{{0,40}}\b(?:{_ORDERS})\b",
    rf"\b(?:new|updated|revised|real|actual|your) (?:{_ORDERS})\b\s*[:=]",
    r"\b(?:system|developer) (?:prompt|message|override|notice)\b",
    r"\b(?:note|message|attention|notice|important|instructions?)\b[^.!?\n]{0,15}"
    r"\b(?:to|for) (?:the )?(?:annotator|labell?er|classifier|grader|model|ai|llm|assistant)\b",
    r"\byou (?:are|must|should|will|have to) (?:now |always |only |instead )*"
    r"(?:answer|respond|reply|output|label|classify|choose|select|say)\b",
    r"\b(?:you are|act as|pretend to be) (?:now )?(?:a|an|the) "
    r"(?:\w+ )?(?:ai|assistant|language model|classifier|annotator|labell?er)\b",
)
_END = re.compile(r"[.!?](?=\s|$)|\n")


@dataclass(frozen=True)
class Instructions:
    """Recognises instructions to an annotator of these classes.

    Attributes
    ----------
    classes
        The answers that a text could ask for.
    """

    classes: tuple[str, ...] = ()

    def cut_from(self, text: str) -> str | None:
        """Return ``text`` without what speaks to the annotator; None where nothing does."""
        lowered = text.lower()
        if not any(hint in lowered for hint in _HINTS) and not self._lists_options(text):
            return None
        orders = self._sentences(text)
        spans = sorted({*orders, *self._option_lines(text, least=1 if orders else 2)})
        if not spans:
            return None
        kept, last = [], 0
        for begin, end in spans:
            kept.append(text[last:begin])
            last = max(last, end)
        return "".join([*kept, text[last:]]).strip()

    @cached_property
    def _pattern(self) -> re.Pattern[str]:
        flags = re.IGNORECASE | re.MULTILINE
        return re.compile("|".join((*_GENERAL, *_asking_for(self.classes))), flags)

    @cached_property
    def _option(self) -> re.Pattern[str] | None:
        if not self.classes:
            return None
        named = _any_of(self.classes)
        line = rf"^[ \t]*(?:[-*•]|\(?[A-Za-z0-9]{{1,2}}[.):])?[ \t]*(?:{named})[ \t]*[.,;]?[ \t]*$"
        return re.compile(line, re.IGNORECASE | re.MULTILINE)

    def _sentences(self, text: str) -> list[tuple[int, int]]:
        """Return the sentences in which an instruction is found."""
        found = []
        for match in self._pattern.finditer(text):
            begin = max(text.rfind(end, 0, match.start()) for end in (". ", "! ", "? ", "\n")) + 1
            ending = _END.search(text, max(match.start(), match.end() - 1))
            found.append((begin, ending.end() if ending else len(text)))
        return found

    def _option_lines(self, text: str, least: int) -> list[tuple[int, int]]:
        """Return lines that are one class name each, where there are ``least`` or more."""
        if self._option is None:
            return []
        lines = [match.span() for match in self._option.finditer(text)]
        return lines if len(lines) >= least else []

    def _lists_options(self, text: str) -> bool:
        return "\n" in text and bool(self._option_lines(text, least=2))


def _asking_for(classes: Sequence[str]) -> list[str]:
    """Return patterns of "answer X" for the classes."""
    if not classes:
        return []
    named = rf"""["'\u201c\u2018*\[(]*(?:{_any_of(classes)})\b"""
    return [
        rf"\b(?:correct|right|true|proper|final|only|expected|gold)\b[^.!?\n]{{0,20}}"
        rf"\b(?:answer|label|category|class|option|choice|output)\b[^.!?\n]{{0,12}}{named}",
        rf"\b(?:answer|label|category|class|output|response|classification)\s*(?:[:=]|->|→)\s*{named}",
        rf"\b(?:answer|respond|reply|output|say|write|choose|select|pick|return)"
        rf"(?: only| just| simply| always| with| by saying| the (?:word|label|category|option))*"
        rf"\s*[:=]?\s*{named}\s*(?:[.!\"'\u201d\u2019)\]*]|$|\band\b|\bfor\b|\binstead\b|\bregardless\b)",
        rf"\b(?:classify|label|mark|tag|categori[sz]e|treat|count|file)\b[^.!?\n]{{0,40}}"
        rf"\b(?:as|under|into)\b[^.!?\n]{{0,12}}{named}",
    ]


def _any_of(classes: Sequence[str]) -> str:
    longest_first = sorted({each.strip() for each in classes if each.strip()}, key=len)[::-1]
    return "|".join(map(re.escape, longest_first))
