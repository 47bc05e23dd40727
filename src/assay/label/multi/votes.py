"""Votes on each class: asked outright, chosen among all classes, and by similarity."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from assay.label.asking import ask_which, ask_yes_no, embedded, told
from assay.label.learning import Votes
from assay.label.spec import LabelSettings
from assay.label.task import LabelTask
from assay.llm import Gateway
from assay.task import ClassDescription

SHARPNESS = 20.0
"""Cosine similarities lie close together; this brings them to the size of log-odds."""


def collect(
    texts: Sequence[str], task: LabelTask, gateway: Gateway, settings: LabelSettings
) -> Votes:
    """Ask about every class of every text; three votes on each: (n, k, 3)."""
    words = [each.words for each in task.classes]
    out = np.zeros((len(texts), len(words), 3))
    vectors = embedded(texts, gateway, settings)
    if not texts:
        return Votes(out, vectors, {})
    why: dict[int, str] = {}
    for column, each in enumerate(task.classes):
        out[:, column, 0], missing = ask_yes_no(texts, _question(task, each), gateway, settings)
        why |= missing
    if len(words) > 1:
        listed = "\n".join(f"- {each}" for each in words)
        question = told(task, "Say which category the text belongs to most.", "Categories:", listed)
        chosen, missing = ask_which(texts, question, words, gateway, settings)
        out[:, :, 1] = chosen - chosen.mean(axis=1, keepdims=True)
        why |= missing
    out[:, :, 2] = SHARPNESS * vectors @ embedded(words, gateway, settings).T
    out[list(why)] = np.nan
    return Votes(out, vectors, why)


def _question(task: LabelTask, each: ClassDescription) -> str:
    name = each.name if each.name == each.words else f"{each.name} ({each.words})"
    return told(task, f"Is the text about this category: {name}? Answer yes or no.")
