"""Votes: for each row, a probability for each class, from annotators that saw no label."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import polars as pl

from assay.llm import Gateway, Prompt
from assay.recipe import VOTE
from assay.task import Task

SHARPNESS = 20.0
"""Inverse temperature of a softmax over cosine similarities, which lie close together."""


def collect_votes(
    rows: pl.DataFrame,
    task: Task,
    gateway: Gateway,
    *,
    label_model: str,
    embed_model: str,
    max_text_tokens: int | None = None,
) -> pl.DataFrame:
    """Return ``rows`` with a column ``vote:NAME:CLASS`` for each annotator and class.

    Rows that the language model could not answer are left out.

    Parameters
    ----------
    rows
        ``row_id`` and the task's text column; no label is read.
    label_model
        Asked for the class of each row.
    embed_model
        The similarity of row and class description is the second vote.
    max_text_tokens
        Longer texts are cut to head and tail for the language model.
    """
    texts = rows[str(task.text)].fill_null("").to_list()
    asked = ask_language_model(texts, task, gateway, label_model, max_text_tokens)
    similar = embedding_similarity(texts, task, gateway, embed_model)
    answered = np.isfinite(asked).all(axis=1)
    columns = [*_columns("model", asked, task), *_columns("embedding", similar, task)]
    return rows.with_columns(columns).filter(pl.Series(answered))


def ask_language_model(
    texts: Sequence[str],
    task: Task,
    gateway: Gateway,
    model: str,
    max_text_tokens: int | None = None,
) -> np.ndarray:
    """Return (n, k) probabilities; a row of NaN where there was no answer."""
    instructions = classification_instructions(task)
    columns = (str(task.text), task.target)  # the options are the target's values
    prompts = [Prompt(instructions=instructions, text=text, columns=columns) for text in texts]
    options = [each.words for each in task.classes]
    return gateway.choose(model, prompts, options, max_text_tokens=max_text_tokens).probabilities


def embedding_similarity(
    texts: Sequence[str], task: Task, gateway: Gateway, model: str
) -> np.ndarray:
    """Return (n, k) probabilities: a softmax of cosine similarity to the class descriptions."""
    rows = gateway.embed(model, texts, columns=(str(task.text),))
    words = [each.words for each in task.classes]
    classes = gateway.embed(model, words, columns=(task.target,))
    scores = SHARPNESS * rows @ classes.T
    scores = np.exp(scores - scores.max(axis=1, keepdims=True))
    return np.asarray(scores / scores.sum(axis=1, keepdims=True), dtype=np.float64)


def classification_instructions(task: Task) -> str:
    """Return what an annotator is told before the row."""
    listed = "\n".join(f"- {each.words}" for each in task.classes)
    parts = ["Say which category the text belongs to.", f"Categories:\n{listed}"]
    if task.guidelines:
        parts.insert(1, task.guidelines)
    return "\n".join(parts)


def _columns(name: str, probabilities: np.ndarray, task: Task) -> list[pl.Series]:
    return [
        pl.Series(f"{VOTE}{name}:{each}", probabilities[:, code])
        for code, each in enumerate(task.class_names)
    ]
