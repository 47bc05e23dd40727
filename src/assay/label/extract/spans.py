"""Whether words that a model says it took from a text do stand there, and where."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import Any

_BLANKS = re.compile(r"\s+")


@dataclass(frozen=True)
class Span:
    """Words of a text.

    Attributes
    ----------
    text
        The words as they stand in it.
    start, end
        Characters from the text's beginning; ``text[start:end]`` are the words.
    exact
        Whether they were given letter for letter.
    """

    text: str
    start: int
    end: int
    exact: bool

    def as_dict(self) -> dict[str, Any]:
        """Return the span as it is stored in a label."""
        return {"text": self.text, "start": self.start, "end": self.end}


def find_span(words: str, text: str) -> Span | None:
    """Return where ``words`` stand in ``text``.

    The first place where they stand letter for letter; else the one place where they stand but
    for case and blanks; None where there is none, or several.
    """
    words = words.strip()
    if not words:
        return None
    start = text.find(words)
    if start >= 0:
        return Span(words, start, start + len(words), exact=True)
    loose = r"\s+".join(map(re.escape, _BLANKS.split(words)))
    found = [match.span() for match in re.finditer(loose, text, re.IGNORECASE)]
    if len(found) != 1:
        return None
    (start, end) = found[0]
    return Span(text[start:end], start, end, exact=False)
