"""The phrases by which a model may name a class."""

from __future__ import annotations

import re
from collections.abc import Sequence

from assay.task import ClassDescription

_PARTS = re.compile(r",\s*|;\s*|\s+(?:and|or)\s+|/")
_ARTICLE = re.compile(r"^(?:the|a|an)\s+", re.IGNORECASE)
LONGEST = 8
"""Words; a part of a description that is longer is a sentence, which no model answers."""


def phrases_of(described: ClassDescription) -> tuple[str, ...]:
    """Return the ways to name a class: its description, the parts of it, and its name.

    >>> phrases_of(ClassDescription(name="Sci/Tech", description="science and technology"))
    ('science and technology', 'science', 'technology', 'Sci', 'Tech')
    """
    name = described.name.replace("_", " ").strip()
    words = (described.description or name).strip()
    parts = [words, *_PARTS.split(words), *_PARTS.split(name)]
    found: dict[str, str] = {}
    for part in parts:
        phrase = _ARTICLE.sub("", part.strip(" .")).strip()
        if phrase and len(phrase.split()) <= LONGEST:
            found.setdefault(phrase.lower(), phrase)
    return tuple(found.values()) or (name or described.name,)


class Phrasebook:
    """The phrases of all classes; one that two classes share belongs to the first.

    Attributes
    ----------
    phrases
        p phrases, each once.
    owner
        p positions of the class that a phrase names.
    """

    def __init__(self, classes: Sequence[ClassDescription]) -> None:
        own: dict[str, tuple[str, int]] = {}
        for code, described in enumerate(classes):
            for phrase in phrases_of(described):
                own.setdefault(phrase.lower(), (phrase, code))
        named = {code for _, code in own.values()}
        for code, described in enumerate(classes):
            if code not in named:  # all its phrases name others too
                own[f"\0{code}"] = (described.name, code)
        self.phrases = tuple(phrase for phrase, _ in own.values())
        self.owner = tuple(code for _, code in own.values())
