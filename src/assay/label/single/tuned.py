"""The fine-tuned student: the sentence encoder itself learns from votes and from gold.

The rows are cut in three. For each part an encoder is tuned on the two others: on the confident
rows among them, under soft targets, and on their gold. So gold rows are judged by an encoder that
never saw their labels, nor votes that these labels weighed. Which part a row is in follows from
its text. They are cut twice, in different parts, so that two encoders judge each row.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from assay.label.single.fitted import TUNED, Votes, total
from assay.label.single.levels import level_of, shares_proven
from assay.label.single.scores import Codes, Scores, logs, softmax, spread
from assay.label.single.student import SHARE, confident, parts_of
from assay.label.single.truth import Truth
from assay.label.single.weighing import learned
from assay.seeds import derive_seed

if TYPE_CHECKING:
    from assay.llm.local.tuning import TunedClassifier

PARTS, CUTS = 3, 2
PLACES = [(cut, part) for cut in range(CUTS) for part in range(PARTS)]
"""Where an encoder is needed: each part of each cut."""
MOST_TEXTS = 2_000
"""Unlabelled texts that are learned from; a seeded sample where there are more."""
FEWEST_TEXTS = 100
FEWEST_GOLD = 20
"""In two parts; with fewer, the votes that teach are weighed too badly."""
GOLD_COUNT = 3.0
"""How much a gold row counts beside a row whose label is voted."""
VOTE_SHARPNESS, TARGET_SHARPNESS = 2.0, 2.0
"""Of the votes that choose the confident rows, and of these rows' targets beyond that."""
LEVELLED_ON = 300
"""Rows of a part on which its encoder's class shares are seen."""


@dataclass(frozen=True, eq=False)
class Known:
    """Gold rows with what the annotators say of them.

    Attributes
    ----------
    texts, votes, truth
        Of m rows.
    """

    texts: Sequence[str]
    votes: Votes
    truth: Truth

    def only(self, rows: Codes) -> Known:
        """Return some of the rows."""
        texts = [self.texts[row] for row in rows.tolist()]
        return Known(texts, self.votes.only(rows), self.truth.only(rows))


@dataclass(frozen=True, eq=False)
class TunedStudent:
    """An encoder for each part of the rows, under each cut.

    Attributes
    ----------
    readers
        One for each of ``PLACES``: it judges the rows of that part of that cut, and was tuned on
        the cut's others.
    levels, size
        (places, k) what is taken off the log-probabilities, see :func:`level_of`, and their spread,
        divided out.
    """

    readers: tuple[TunedClassifier, ...]
    levels: Scores
    size: float = 1.0

    def scores(self, texts: Sequence[str]) -> Scores:
        """Return (n, k) scores."""
        found = np.zeros((len(texts), self.levels.shape[1]))
        for (cut, part), reader, level in zip(PLACES, self.readers, self.levels, strict=True):
            rows = np.flatnonzero(parts_of(texts, PARTS, cut) == part)
            found[rows] += _read(reader, [texts[row] for row in rows.tolist()]) - level
        return found / (CUTS * self.size)


def expected_seconds(texts: Sequence[str], rows: int, gold: int) -> float:
    """Return how long this machine would take to tune the student and to judge all rows.

    Parameters
    ----------
    texts
        Some of the rows; a few of them are learned from, to take the time.
    rows, gold
        How many there are in all, and how many of them are checked.
    """
    from assay.llm.local.tuning import EPOCHS, pace

    if len(texts) < FEWEST_TEXTS:
        return 0.0
    learning, judging = pace(texts)
    lesson = (SHARE * min(rows, MOST_TEXTS) + gold) * (PARTS - 1) / PARTS
    return len(PLACES) * lesson * EPOCHS * learning + CUTS * rows * judging


def taught_with_gold(
    texts: Sequence[str],
    votes: Votes,
    gold: Known,
    *,
    seed: int,
    told: Callable[[int, int], None],
) -> TunedStudent | str:
    """Return the fine-tuned student, or why there is none.

    Parameters
    ----------
    texts, votes
        Unlabelled rows, and what annotators that saw no label say of them; those of
        ``gold.votes`` are the first of these.
    told
        Is told how many steps are done, of how many.
    """
    from assay.llm.local.tuning import tuned

    votes, checked = votes.upto(len(gold.votes.names)), set(gold.texts)
    free = np.array([row for row, text in enumerate(texts) if text not in checked], dtype=np.intp)
    free = free[np.isfinite(votes.scores[:, free]).all(axis=(0, 2))]
    if len(free) < FEWEST_TEXTS:
        return f"skipped: {len(free)} rows without a label are too few to learn from"
    random = np.random.default_rng(derive_seed(seed, TUNED))
    if len(free) > MOST_TEXTS:
        free = np.sort(random.choice(free, MOST_TEXTS, replace=False))
    lessons, taught = [], []
    for cut, part in PLACES:
        others = parts_of([texts[row] for row in free.tolist()], PARTS, cut) != part
        if others.all() or not others.any():
            return "skipped: the rows are too alike to be cut in parts"
        known = gold.only(np.flatnonzero(parts_of(gold.texts, PARTS, cut) != part))
        if len(known.truth) < FEWEST_GOLD or not known.truth.several:
            return f"skipped: two thirds of the checked rows, {len(known.truth)}, cannot teach it"
        lessons.append(_lesson(texts, votes, free[others], known))
        taught.append((free[~others], known.truth))
    readers = tuple(
        tuned(*lesson, seed=derive_seed(seed, TUNED, str(place)), told=_in_turn(told, place))
        for place, lesson in enumerate(lessons)
    )
    levels, rest = [], []
    for reader, (rows, truth) in zip(readers, taught, strict=True):
        some = random.permutation(rows)[:LEVELLED_ON].tolist()
        read = _read(reader, [texts[row] for row in some])
        levels.append(level_of(read, shares_proven(truth, read.shape[1], random)))
        rest.append(read - read.mean(axis=0))
    return TunedStudent(readers, np.stack(levels), spread(np.concatenate(rest)))


def _read(reader: TunedClassifier, texts: Sequence[str]) -> Scores:
    """Return (n, k) log-probabilities."""
    return logs(softmax(reader.scores(texts)))


def _lesson(
    texts: Sequence[str], votes: Votes, rows: Codes, known: Known
) -> tuple[list[str], Scores, Scores]:
    """Return the texts that one encoder learns from, their targets, and how much each counts."""
    classes = votes.scores.shape[2]
    codes, counts = known.truth.codes, known.truth.teaching
    weights = learned(known.votes.scores, known.votes.embeddings, codes, counts)
    some = votes.only(rows)
    said = weights.scores(some.scores, some.embeddings)
    said *= spread(total(some, None)) / spread(said)
    chosen = confident(softmax(VOTE_SHARPNESS * said))
    targets = softmax(VOTE_SHARPNESS * TARGET_SHARPNESS * said[chosen])
    learned_from = [*(texts[row] for row in rows[chosen]), *known.texts]
    gold_counts = np.ones(len(codes)) if counts is None else counts
    return (
        learned_from,
        np.concatenate([targets, np.eye(classes)[codes]]),
        np.concatenate([np.ones(len(chosen)), GOLD_COUNT * gold_counts]),
    )


def _in_turn(told: Callable[[int, int], None], place: int) -> Callable[[int, int], None]:
    return lambda done, steps: told(place * steps + done, len(PLACES) * steps)
