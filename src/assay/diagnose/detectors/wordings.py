"""Other wordings of the same text, by rule: contractions written out, names exchanged."""

from __future__ import annotations

import re

import numpy as np

CONTRACTIONS = {
    "can't": "cannot", "won't": "will not", "shan't": "shall not", "n't": " not",
    "i'm": "I am", "'re": " are", "'ve": " have", "'ll": " will",
}  # fmt: skip
"""Those that can be written out one way only: ``'s`` and ``'d`` cannot."""

NAMES = (
    "James", "Mary", "John", "Linda", "Robert", "Susan", "Michael", "Karen", "David", "Lisa",
    "Thomas", "Nancy", "Daniel", "Emma", "Paul", "Laura", "Peter", "Anna", "Kevin", "Julia",
    "Ahmed", "Fatima", "Mohammed", "Aisha", "Wei", "Mei", "Raj", "Priya", "Carlos", "Maria",
)  # fmt: skip
"""First names that are hardly ever anything else, of several origins."""

_CONTRACTED = re.compile(
    r"\b(?:can't|won't|shan't|i'm)|(?:n't|'re|'ve|'ll)\b".replace(
        "'", "['\N{RIGHT SINGLE QUOTATION MARK}]"
    ),
    re.IGNORECASE,
)
_NAMED = re.compile(rf"\b(?:{'|'.join(NAMES)})\b")


def written_out(text: str, _: np.random.Generator) -> str:
    """Return the text with its contractions written out."""

    def whole(found: re.Match[str]) -> str:
        short = found.group().replace("\N{RIGHT SINGLE QUOTATION MARK}", "'")
        long = CONTRACTIONS[short.lower()]
        return long[0].upper() + long[1:] if short[0].isupper() else long

    return _CONTRACTED.sub(whole, text)


def with_other_names(text: str, random: np.random.Generator) -> str:
    """Return the text with each first name exchanged for another, the same one for the same."""
    exchanged: dict[str, str] = {}
    for name in dict.fromkeys(_NAMED.findall(text)):
        others = [each for each in NAMES if each != name]
        exchanged[name] = others[int(random.integers(len(others)))]
    return _NAMED.sub(lambda found: exchanged[found.group()], text)
