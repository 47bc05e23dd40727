"""Which texts to ask for: topics and lengths drawn from the class's real rows, balanced."""

from __future__ import annotations

from dataclasses import dataclass
from itertools import product

import numpy as np
import polars as pl

from assay.task import Task

REGISTERS = ("a neutral report", "an informal note", "a formal statement")
DIFFICULTIES = ("typical", "borderline, yet still of this class")
MOST_TOPICS = 5
ROWS_PER_TOPIC = 4
TERMS = 4


@dataclass(frozen=True)
class Cell:
    """One kind of text: its topic as words, register, length in words, and difficulty."""

    topic: str
    register: str
    words: int
    difficulty: str

    def __str__(self) -> str:
        about = f"about {self.topic}; " if self.topic else ""
        return f"{about}{self.register}; some {self.words} words; {self.difficulty}"


@dataclass(frozen=True)
class AttributePlan:
    """The cells, every one of which gets as many rows as the others, give or take one."""

    cells: tuple[Cell, ...]

    def assigned(self, count: int, seed: int) -> list[Cell]:
        """Return a cell for each of ``count`` rows, in a random order that is balanced."""
        random = np.random.default_rng(seed)
        rounds = -(-count // len(self.cells))
        places = np.concatenate([random.permutation(len(self.cells)) for _ in range(rounds)])
        return [self.cells[at] for at in places[:count].tolist()]


def attribute_plan(rows: pl.DataFrame, task: Task, seed: int) -> AttributePlan:
    """Return the plan for real rows of one class.

    Topics are clusters of the texts by TF-IDF, told by their foremost terms; lengths are the
    quartiles of the texts' words.
    """
    texts = rows[str(task.text)].fill_null("").to_list()
    lengths = np.quantile([len(each.split()) for each in texts], (0.25, 0.5, 0.75))
    words = sorted({max(3, round(float(each))) for each in lengths})
    cells = product(_topics(texts, seed), REGISTERS, words, DIFFICULTIES)
    return AttributePlan(tuple(Cell(*each) for each in cells))


def _topics(texts: list[str], seed: int) -> list[str]:
    from sklearn.cluster import KMeans
    from sklearn.feature_extraction.text import TfidfVectorizer

    vectorizer = TfidfVectorizer(stop_words="english", sublinear_tf=True, max_features=5000)
    try:
        matrix = vectorizer.fit_transform(texts)
    except ValueError:  # nothing but stop words
        return [""]
    distinct = len(set(texts))
    count = min(MOST_TOPICS, max(1, distinct // ROWS_PER_TOPIC))
    centres = KMeans(count, n_init=3, random_state=seed % 2**32).fit(matrix).cluster_centers_
    names = vectorizer.get_feature_names_out()
    return [", ".join(names[np.argsort(-each)[:TERMS]]) for each in centres]
