"""Votes on each class: asked outright, chosen among all classes, by similarity, and by rules."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from assay.label.asking import Asker, listed
from assay.label.learning import Votes
from assay.label.voting import Floats
from assay.task import ClassDescription


def collect(texts: Sequence[str], asker: Asker) -> Votes:
    """Ask about every class of every text; (n, k) votes by annotator."""
    ruled = {rule.called: rule.holds(texts, asker.task) for rule in asker.settings.rules}
    vectors = asker.embed(texts)
    said: dict[str, Floats] = {}
    why: dict[int, str] = {}
    for each in asker.by_model():
        said[each.called("asked of each class")], missing = _outright(texts, each)
        why |= missing
        if len(asker.task.classes) > 1:
            said[each.called("chosen among all")], missing = _chosen(texts, each)
            why |= missing
    said["similarity"] = asker.similarity(vectors)
    said |= ruled
    votes = np.stack([*said.values()], axis=2)
    votes[list(why)] = np.nan
    return Votes(votes, vectors, why, tuple(said), len(ruled))


def _outright(texts: Sequence[str], asker: Asker) -> tuple[Floats, dict[int, str]]:
    classes = asker.task.classes
    out, why = np.empty((len(texts), len(classes))), dict[int, str]()
    for column, each in enumerate(classes):
        out[:, column], missing = asker.yes_no(texts, _question(each))
        why |= missing
    return out, why


def _chosen(texts: Sequence[str], asker: Asker) -> tuple[Floats, dict[int, str]]:
    words = [each.words for each in asker.task.classes]
    question = f"Say which category the text belongs to most.\nCategories:\n{listed(words)}"
    chosen, why = asker.which(texts, question, words)
    return chosen - chosen.mean(axis=1, keepdims=True), why


def _question(each: ClassDescription) -> str:
    name = each.name if each.name == each.words else f"{each.name} ({each.words})"
    return f"Is the text about this category: {name}? Answer yes or no."
