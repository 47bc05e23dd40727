"""How alike two texts are on their face: letters, words, numbers. Swapping them changes nothing."""

from __future__ import annotations

import re
import unicodedata

import numpy as np

from assay.label.voting import Floats

_WORD = re.compile(r"[^\W\d_]+|\d+(?:[.,]\d+)*")
_NUMBER = re.compile(r"\d+(?:[.,]\d+)*")
LETTERS = 3
LIKENESS = ("letters", "words", "words of the shorter side", "numbers")
"""What :func:`likeness` compares, in its order."""


def likeness(left: str, right: str) -> Floats:
    """Return the shares that two texts have in common, (4,).

    Of letter triples; of words; of words, by the shorter side; and of numbers, dates included,
    with a half where neither side holds one.
    """
    one, other = _plain(left), _plain(right)
    triples, words, numbers = ((part(one), part(other)) for part in (_triples, _words, _numbers))
    return np.array(
        [_common(*triples), _common(*words), _contained(*words),
         _common(*numbers) if any(numbers) else 0.5]
    )  # fmt: skip


def _plain(text: str) -> str:
    """Return the text without case and accents."""
    spread = unicodedata.normalize("NFKD", text.casefold())
    return "".join(letter for letter in spread if not unicodedata.combining(letter))


def _triples(text: str) -> frozenset[str]:
    padded = f"  {' '.join(_WORD.findall(text))} "
    return frozenset(padded[at : at + LETTERS] for at in range(len(padded) - LETTERS + 1))


def _words(text: str) -> frozenset[str]:
    return frozenset(_WORD.findall(text))


def _numbers(text: str) -> frozenset[str]:
    return frozenset(each.replace(",", "").lstrip("0") or "0" for each in _NUMBER.findall(text))


def _common(one: frozenset[str], other: frozenset[str]) -> float:
    together = len(one | other)
    return len(one & other) / together if together else 0.0


def _contained(one: frozenset[str], other: frozenset[str]) -> float:
    shorter = min(len(one), len(other))
    return len(one & other) / shorter if shorter else 0.0
