"""A made-up newsroom: short texts in three topics, from word lists with an overlap."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import polars as pl

from assay.task import ClassDescription, Task

LISTS = """
farm wheat corn harvest soil tractor rain barley crop field seed
money bank rate loan dollar bond market yield credit share price
sport goal match team coach league score season player cup win
common the a today said year new first week people more report time
"""
WORDS = {topic: words for topic, *words in map(str.split, LISTS.strip().splitlines())}
COMMON = WORDS.pop("common")

TASK = Task(
    kind="multiclass",
    modality="text",
    target="topic",
    text="text",
    classes=tuple(ClassDescription(name=each) for each in WORDS),
)


def newsroom(
    rows: int,
    seed: int = 0,
    *,
    words: int = 8,
    topical: float = 0.25,
    forms: int = 1,
    prefix: str = "r",
) -> pl.DataFrame:
    """Return ``row_id``, ``text``, ``topic``: texts of ``words`` words, some of the topic.

    With ``forms`` above 1 each word of a topic comes in so many spellings ("wheat7"), which
    words alone can hardly learn from few rows, and :func:`topic_counts` sees through.
    """
    random = np.random.default_rng(seed)
    topics = random.choice(list(WORDS), size=rows)
    texts = [
        " ".join(
            _one_of(WORDS[topic], random) + _form(forms, random)
            if random.random() < topical
            else _one_of(COMMON, random)
            for _ in range(words)
        )
        for topic in topics
    ]
    ids = [f"{prefix}{number}" for number in range(rows)]
    return pl.DataFrame({"row_id": ids, "text": texts, "topic": topics.tolist()})


def topic_counts(texts: Sequence[str]) -> np.ndarray:
    """Return (n, 3) float32: how many words of each topic a text has, whatever their form."""
    bare = [[word.rstrip("0123456789") for word in text.split()] for text in texts]
    counts = [[sum(word in WORDS[topic] for word in text) for topic in WORDS] for text in bare]
    return np.asarray(counts, dtype=np.float32)


def _one_of(words: list[str], random: np.random.Generator) -> str:
    """Draw as ``random.choice`` does, without making an array of the words for each draw."""
    return words[random.integers(len(words))]


def _form(forms: int, random: np.random.Generator) -> str:
    return "" if forms == 1 else str(random.integers(forms))
