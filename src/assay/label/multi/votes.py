"""Votes on each class: asked outright, chosen among all classes, and by similarity."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from assay.label.asking import Asker, listed
from assay.label.learning import Votes
from assay.task import ClassDescription


def collect(texts: Sequence[str], asker: Asker) -> Votes:
    """Ask about every class of every text; three votes on each: (n, k, 3)."""
    classes = asker.task.classes
    out = np.zeros((len(texts), len(classes), 3))
    vectors = asker.embed(texts)
    if not texts:
        return Votes(out, vectors, {})
    why: dict[int, str] = {}
    for column, each in enumerate(classes):
        out[:, column, 0], missing = asker.yes_no(texts, _question(each))
        why |= missing
    if len(classes) > 1:
        words = [each.words for each in classes]
        question = f"Say which category the text belongs to most.\nCategories:\n{listed(words)}"
        chosen, missing = asker.which(texts, question, words)
        out[:, :, 1] = chosen - chosen.mean(axis=1, keepdims=True)
        why |= missing
    out[:, :, 2] = asker.similarity(vectors)
    out[list(why)] = np.nan
    return Votes(out, vectors, why)


def _question(each: ClassDescription) -> str:
    name = each.name if each.name == each.words else f"{each.name} ({each.words})"
    return f"Is the text about this category: {name}? Answer yes or no."
