"""Drops texts that hold a word of a list, where the real rows of the class do not."""

from __future__ import annotations

import re
from functools import cache
from importlib.resources import files

import polars as pl

from assay.synth.spec import Order, Sifted, sifted


class Harmless:
    """No word of ``harmful_words.txt`` that real rows of the class do without.

    A class of complaints or of abuse needs its own words, so a word that a real row holds is no
    reason. A list knows words and no meaning: harm said politely passes.

    Parameters
    ----------
    words
        Others than those of the list: whole words or phrases, case does not matter.
    """

    name = "harmful words"

    def __init__(self, words: tuple[str, ...] | None = None) -> None:
        self._words = _listed() if words is None else words

    def sift(self, made: pl.DataFrame, order: Order) -> Sifted:
        """Name the first such word of each text."""
        task = order.task
        if task.text is None or not self._words:
            return sifted(made, [None] * made.height, self.name)
        pattern = _pattern(self._words)
        usual = {
            found.lower()
            for text in _texts(order.own, task.text)
            for found in pattern.findall(text)
        }
        reasons: list[str | None] = []
        for text in _texts(made, task.text):
            new = [each for each in pattern.findall(text) if each.lower() not in usual]
            reasons.append(f"holds {new[0].lower()!r}" if new else None)
        return sifted(made, reasons, self.name)


@cache
def _listed() -> tuple[str, ...]:
    text = (files(__package__) / "harmful_words.txt").read_text(encoding="utf-8")
    return tuple(line for line in text.splitlines() if line and not line.startswith("#"))


def _pattern(words: tuple[str, ...]) -> re.Pattern[str]:
    longest_first = sorted(words, key=len, reverse=True)
    return re.compile(rf"\b(?:{'|'.join(map(re.escape, longest_first))})\b", re.IGNORECASE)


def _texts(rows: pl.DataFrame, column: str) -> list[str]:
    return rows[column].fill_null("").to_list()
