"""What an annotator reads of a row: its text without what no reader would see."""

from __future__ import annotations

import re
from dataclasses import dataclass
from html.parser import HTMLParser

from assay.label.injection import FLAG, Instructions

MAX_CHARACTERS = 40_000
"""Longer texts keep their first two thirds and last third: no annotator reads further."""
GAP = " […] "

CUT, HTML, CONTROLS = (
    "cut: only its beginning and end were read",
    "its HTML tags were not read",
    "its control characters were not read",
)
JOINT = "; "
"""Between remarks on one row."""
_TAG = re.compile(
    r"<(?:!doctype|!--|/?(?:html|head|body|div|span|p|a|b|i|u|em|strong|br|hr|h[1-6]|ul|ol|li|table|"
    r"thead|tbody|tr|td|th|img|font|center|script|style|iframe|form|input|button|section|article|"
    r"header|footer|nav|blockquote|pre|code|sup|sub|small|svg|meta|link|title)(?=[\s/>]))[^<>]*>",
    re.IGNORECASE,
)
_CONTROL = re.compile("[\x00-\x08\x0e-\x1f\x7f-\x84\x86-\x9f\ufff9-\ufffb]")
_HIDDEN = re.compile(
    # Marks that hide or reorder text, and letters that are never shown.
    "[\u00ad\u200b\u2060-\u2064\u202a-\u202e\u2066-\u206f\ufeff\U000e0000-\U000e007f]"
)
_BLANKS = re.compile(r"[ \t\x0b\x0c\x85\xa0]{2,}")
_LINES = re.compile(r"\s*\n\s*\n\s*")
_SILENT = frozenset({"script", "style", "head", "template"})
_BREAKS = frozenset({"p", "div", "br", "li", "tr", "table", "section", "article"})


@dataclass(frozen=True)
class Reading:
    """What is read of one text.

    Attributes
    ----------
    text
        For the annotators.
    flags
        What was left out.
    suspect
        Whether the text speaks to the annotator.
    """

    text: str
    flags: tuple[str, ...] = ()
    suspect: bool = False


def read(text: str, instructions: Instructions) -> Reading:
    """Return what an annotator reads of ``text``."""
    text, flags = whole(text)
    if "<" in text and _TAG.search(text):
        text = _without_tags(text)
        flags = (*flags, HTML)
    kept = instructions.cut_from(text)
    if kept is None:
        return Reading(text, flags)
    return Reading(kept or text, (*flags, FLAG), suspect=True)


def whole(text: str) -> tuple[str, tuple[str, ...]]:
    """Return ``text`` at a length that can be read, without hidden characters, and flags."""
    flags: tuple[str, ...] = ()
    if len(text) > MAX_CHARACTERS:
        text, flags = shortened(text, MAX_CHARACTERS), (CUT,)
    seen = _seen(text)
    if seen != text:
        flags = (*flags, CONTROLS)
    return seen, flags


def places_read(text: str) -> list[int | None]:
    """Return where each character of what :func:`whole` reads stands in ``text``.

    None for those of the gap in a text that was cut.
    """
    places: list[int | None] = list(range(len(text)))
    if len(text) > MAX_CHARACTERS:
        last = MAX_CHARACTERS // 3
        nowhere: list[int | None] = [None] * len(GAP)
        places = [*places[: MAX_CHARACTERS - last], *nowhere, *places[len(text) - last :]]
    return [place for place in places if place is None or not _HIDDEN.match(text[place])]


def shortened(text: str, characters: int) -> str:
    """Return the first two thirds and the last third of so many characters of ``text``."""
    if len(text) <= characters:
        return text
    last = characters // 3
    return text[: characters - last] + GAP + text[len(text) - last :]


def _without_tags(text: str) -> str:
    reader = _Words()
    reader.feed(text)
    reader.close()
    seen = _BLANKS.sub(" ", "".join(reader.said))
    return _seen(_LINES.sub("\n", seen)).strip()


def _seen(text: str) -> str:
    return _HIDDEN.sub("", _CONTROL.sub(" ", text))


class _Words(HTMLParser):
    """Keeps the words between tags, those of scripts and styles left out."""

    def __init__(self) -> None:
        super().__init__(convert_charrefs=True)
        self.said: list[str] = []
        self._silent = 0

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        """Open a tag."""
        self._silent += tag in _SILENT
        if tag in _BREAKS:
            self.said.append("\n")

    def handle_endtag(self, tag: str) -> None:
        """Close a tag."""
        if tag in _SILENT:
            self._silent = max(0, self._silent - 1)
        if tag in _BREAKS:
            self.said.append("\n")

    def handle_data(self, data: str) -> None:
        """Keep the words."""
        if not self._silent:
            self.said.append(data)
