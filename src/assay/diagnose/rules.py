"""Rules for groups of like texts: small enough to be kept, so that later rows are told by them."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import Any

import numpy as np
from pydantic import TypeAdapter

from assay.diagnose.case import Case, Floats
from assay.errors import InputError
from assay.tables.predicate import Mask

WORDS = 60
"""Words that a rule counts: those that tell the group best."""
STRENGTH = 0.1
"""Inverse of the penalty on weights: groups are small."""
FEWEST_TEXTS = 3
"""Texts that hold a word, below which it tells nothing."""
WORD = re.compile(r"\b\w\w+\b")


@dataclass(frozen=True)
class WordRule:
    """Texts whose words weigh enough together.

    Attributes
    ----------
    weights
        Of each word that a text holds, however often.
    least
        The sum from which on a text is of the group.
    """

    words: tuple[str, ...]
    weights: tuple[float, ...]
    least: float

    def select(self, case: Case) -> Mask:
        """Return (n,) which texts are of the group."""
        return np.asarray(_held(case, self.words) @ np.array(self.weights) >= self.least)


@dataclass(frozen=True)
class NearRule:
    """Texts whose sentence embedding lies near the group's middle.

    Attributes
    ----------
    centre
        (d,) mean of the group's embeddings.
    radius
        The largest distance from it.
    """

    centre: tuple[float, ...]
    radius: float

    def select(self, case: Case) -> Mask:
        """Return (n,) which texts are of the group.

        Raises
        ------
        InputError
            When the embeddings are not those of the model that the rule was found by.
        """
        meaning = case.meaning
        if meaning is None or meaning.shape[1] != len(self.centre):
            raise InputError(
                "A group of like texts is told by other embeddings.",
                given="none" if meaning is None else f"{meaning.shape[1]} dimensions",
                allowed=f"{len(self.centre)} dimensions",
                next_step="name the model that the rule was found by",
            )
        return np.asarray(_distances(meaning, np.array(self.centre)) <= self.radius)


Rule = WordRule | NearRule


def read_rule(values: Any) -> Rule | None:
    """Return the rule that was written as plain JSON values; None of none."""
    found: Rule | None = TypeAdapter(Rule | None).validate_python(values)
    return found


def word_rule(part: Case, mask: Mask) -> WordRule | None:
    """Return the words that tell the texts of ``mask`` from the others; None where none does."""
    from sklearn.feature_extraction.text import CountVectorizer
    from sklearn.feature_selection import chi2
    from sklearn.linear_model import LogisticRegression

    try:
        terms = CountVectorizer(binary=True, min_df=FEWEST_TEXTS, token_pattern=WORD.pattern)
        counts: Any = terms.fit_transform(part.texts)
    except ValueError:  # no word is in three texts
        return None
    best = np.sort(np.argsort(-np.nan_to_num(chi2(counts, mask)[0]), kind="stable")[:WORDS])
    model = LogisticRegression(C=STRENGTH).fit(counts[:, best], mask)
    words = tuple(str(each) for each in terms.get_feature_names_out()[best])
    weights = model.coef_[0].round(4)
    least = _cut(_held(part, words) @ weights, mask)
    return WordRule(words, tuple(weights.tolist()), least)


def near_rule(part: Case, mask: Mask) -> NearRule | None:
    """Return the middle of the texts of ``mask`` and their reach; None without embeddings."""
    if part.meaning is None:
        return None
    centre = part.meaning[mask].mean(axis=0).round(5)
    return NearRule(tuple(centre.tolist()), -_cut(-_distances(part.meaning, centre), mask))


def _held(case: Case, words: tuple[str, ...]) -> Floats:
    """Return (n, words) 1 where a text holds a word."""
    place = {each: at for at, each in enumerate(words)}
    found = np.zeros((case.n, len(words)))
    for row, text in enumerate(case.texts):
        found[row, [place[each] for each in WORD.findall(text.lower()) if each in place]] = 1.0
    return found


def _distances(meaning: np.ndarray, centre: np.ndarray) -> Floats:
    return np.asarray(np.linalg.norm(meaning - centre, axis=1))


def _cut(scores: Floats, mask: Mask) -> float:
    """Return the score from which on the rows are most like those of ``mask`` (Jaccard)."""
    order = np.argsort(-scores, kind="stable")
    ranked, hits = scores[order], np.cumsum(mask[order])
    alike = hits / (np.arange(1, len(scores) + 1) + mask.sum() - hits)
    whole = np.append(ranked[1:] < ranked[:-1], True)  # rows of one score stand or fall together
    return float(ranked[np.argmax(np.where(whole, alike, -1.0))])
