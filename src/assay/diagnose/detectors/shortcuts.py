"""Words and values that the model takes for a class more often than they mean it."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from functools import partial
from heapq import nlargest

import numpy as np
import polars as pl

from assay.diagnose.case import Case, Floats
from assay.diagnose.commonest import commonest, left_aside
from assay.diagnose.excess import excess_loss
from assay.diagnose.means import mean_above
from assay.diagnose.spec import Remedy, Search, Suspicion
from assay.evidence import Evidence
from assay.tables import WORDS
from assay.tables.predicate import Condition, Mask, Predicate

CODE = "AS602"
FEWEST = 20
"""Rows of the discovery part that hold a word or a value."""
MOST_WORDS, MOST_VALUES = 2_000, 100
MOST = 5
REACH = 2.0
"""Standard errors above nothing from which the discovery part suggests one."""
LEAST = 0.05
"""Share of the rows with it that are given the class beyond those that have it."""


@dataclass(frozen=True)
class Clue:
    """A word of the text, or a value of a column."""

    column: str
    value: str
    word: bool

    @property
    def words(self) -> str:
        """How it is told."""
        return f"the word {self.value!r}" if self.word else f"{self.column} = {self.value}"

    def held(self, case: Case) -> Mask:
        """Return (n,) which rows hold it."""
        if self.word:
            return np.array([self.value in _split(text) for text in case.texts], dtype=np.bool_)
        return Condition(self.column, "=", self.value).select(case.rows)


@dataclass(frozen=True)
class ShortcutDetector:
    """Compares how often rows with a clue are given a class with how often they have it.

    A model that leans on a clue gives its class to rows that hold the clue and lack the class,
    and gives it too rarely to none in return. Where the model states probabilities, these are
    compared: the likelier of two classes is the better answer to all of them, and so is given
    oftener than it is right by any good model. What rows without the clue show too is no matter of
    the clue.
    """

    name: str = "shortcuts"
    codes: Mapping[str, str] = field(
        default_factory=lambda: {CODE: "a word or value that the model takes for a class"}
    )

    def detect(self, part: Case) -> Search:
        """Return the clues that the discovery part suggests, those of most rows first."""
        what = "words, and values of columns, against what rows with them are given"
        if part.task.kind == "regression":
            return Search(0, what, skipped="a regression has no classes")
        found, looked = [], 0
        gaps = {name: _gap(part, name) for name in part.task.class_names}
        aside: list[str] = []
        for clue, mask in _clues(part, aside):
            for name, gap in gaps.items():
                looked += 1
                within, without = gap[mask], gap[~mask]
                more = float(within.mean() - without.mean())
                error = (
                    within.var(ddof=1) / len(within) + without.var(ddof=1) / len(without)
                ) ** 0.5
                if min(more, float(within.mean())) >= LEAST and more > REACH * error:
                    found.append((more * len(within), clue, name))
        best = nlargest(MOST, found, key=lambda each: each[0])
        suspicions = tuple(_suspicion(clue, name) for _, clue, name in best)
        return Search(looked, what, suspicions, left_aside(aside))

    def again(
        self, case: Case, code: str, about: Sequence[str], predicate: Predicate | None
    ) -> Evidence | None:
        """Return the effect of the clue and the class that a frozen finding is about."""
        column, value, kind, name = about
        return _tested(Clue(column, value, word=kind == "word"), name, case)


def _clues(part: Case, aside: list[str]) -> Iterator[tuple[Clue, Mask]]:
    """Yield the clues that enough rows hold, and not nearly all; add to what is left aside."""
    text, most = part.task.text, 0.9 * part.n
    if text is not None:
        splits = [_split(each) for each in part.texts]
        counts: dict[str, int] = {}
        for words in splits:
            for word in words:
                counts[word] = counts.get(word, 0) + 1
        usual = [word for word, count in counts.items() if FEWEST <= count <= most]
        if len(usual) > MOST_WORDS:
            aside.append(f"all but the {MOST_WORDS:,} commonest of {len(usual):,} words")
        for word in nlargest(MOST_WORDS, usual, key=lambda each: counts[each]):
            held = np.array([word in words for words in splits], dtype=np.bool_)
            yield Clue(text, word, word=True), held
    for name in part.columns:
        values = part.rows[name]
        if name != text and values.dtype in (*WORDS, pl.Boolean):
            often, left = commonest(values, MOST_VALUES, fewest=FEWEST)
            aside += left
            for value in often:
                clue = Clue(name, value, word=False)
                mask = clue.held(part)
                if mask.sum() <= most:
                    yield clue, mask


def _tested(clue: Clue, name: str, case: Case) -> Evidence | None:
    """Return how much more rows with the clue are given the class than they have it."""
    told = f"share given {name!r} less share that has it, of rows with {clue.words} and without"
    gap, held = _gap(case, name), clue.held(case)
    more = excess_loss(replace(case, losses=gap), held, name=told)
    own = mean_above(case.take(np.flatnonzero(held)), gap[held], name=told)
    if more is None or own is None:
        return None
    return replace(more, p_value=max(more.p_value or 0.0, own.p_value or 0.0))


def _suspicion(clue: Clue, name: str) -> Suspicion:
    condition = Condition(clue.column, "=", clue.value)
    return Suspicion(
        code=CODE,
        title=f"{clue.words} is taken for {name!r}",
        cause="it went with the class in training more than it does here",
        confirm=partial(_tested, clue, name),
        select=clue.held,
        predicate=None if clue.word else Predicate((condition,)),
        remedies=(
            Remedy("collect", f"train on rows that hold {clue.words} and are not {name!r}"),
            Remedy(
                "drop",
                "leave it out of what the model reads, and measure again",
                None if clue.word else clue.column,
            ),
            Remedy("regularise", "hold the model back, so that it leans less on any one clue"),
        ),
        judged=False,
        about=(clue.column, clue.value, "word" if clue.word else "value", name),
    )


def _gap(part: Case, name: str) -> Floats:
    """Return (n,) how far the class is given, by probability or answer, less whether it is true."""
    if part.probabilities is None:
        given = (part.predictions == name).astype(np.float64)
    else:
        given = part.probabilities[:, part.task.class_names.index(name)]
    gap: Floats = given - (part.truth == name)
    return gap


def _split(text: str) -> set[str]:
    return set(text.lower().split())
