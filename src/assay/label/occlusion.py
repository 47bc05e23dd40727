"""Which words moved a model: each is left out in turn (leave-one-out; Zeiler and Fergus 2014)."""

from __future__ import annotations

import re
from collections.abc import Sequence

import numpy as np

from assay.label.explanation import Piece
from assay.label.single.annotators import ModelAnnotator
from assay.label.single.scores import softmax
from assay.label.spec import LabelSettings
from assay.label.task import LabelTask
from assay.llm import Gateway

MOST_PIECES = 40
REFERENCE = 100
"""Labelled rows that tell what the model likes to say anyway."""
_WORD = re.compile(r"\S+")


def occlude(
    text: str,
    columns: Sequence[str] | None,
    label: int,
    annotator: ModelAnnotator,
    gateway: Gateway,
) -> tuple[Piece, ...]:
    """Return how much each piece of a row speaks for a class, in the model's eyes.

    All readings of the row are one question, so they are cached and budgeted together.

    Parameters
    ----------
    text
        What the model read.
    columns
        The row's lines, one for each column of a table; None for a single text.
    label
        Position of the class.
    annotator
        Asked once for the whole row and once without each of at most 40 pieces.

    Raises
    ------
    ModelError
        When the model cannot be asked.
    ValueError
        When it gave no answer for the whole row.
    """
    parts = pieces_of(text) if columns is None else columns
    readings = [text, *without_each(text, parts, are_columns=columns is not None)]
    raw, why = annotator.ask(readings, gateway)
    shares = softmax(annotator.scores(raw))[:, label]
    if not np.isfinite(shares[0]):
        raise ValueError(why.get(0, "the model gave no answer"))
    effects = np.nan_to_num(shares[0] - shares[1:])
    return tuple(Piece(part, float(each)) for part, each in zip(parts, effects, strict=True))


def reading_model(
    texts: Sequence[str], task: LabelTask, gateway: Gateway, settings: LabelSettings
) -> ModelAnnotator:
    """Return the labelling's first model, what it says too often taken off as it was there.

    Some of the labelled rows are asked again for that; their answers are in the ledger.
    """
    annotator = ModelAnnotator.of(task, settings.models[0], gateway, settings)
    some = [text for text in texts[:: max(1, len(texts) // REFERENCE)] if text.strip()]
    raw, _ = annotator.ask(some, gateway)
    return annotator.settled(raw)


def pieces_of(text: str, most: int = MOST_PIECES) -> list[str]:
    """Return the words of ``text`` in order, neighbours joined where there are more than ``most``.

    A text without spaces, as in Chinese or Japanese, is cut into equal parts.
    """
    found = [each.span() for each in _WORD.finditer(text)]
    if len(found) < 2:
        found = [(place, place + 1) for place in range(len(text))]
    count = min(most, len(found))
    groups = np.array_split(np.arange(len(found)), count) if count else []
    return [text[found[each[0]][0] : found[each[-1]][1]] for each in groups]


def without_each(text: str, parts: Sequence[str], *, are_columns: bool) -> list[str]:
    """Return the text without its first part, without its second, and so on."""
    if are_columns:
        return ["\n".join([*parts[:skip], *parts[skip + 1 :]]) for skip in range(len(parts))]
    left, begin = [], 0
    for part in parts:
        start = text.index(part, begin)
        begin = start + len(part)
        left.append(text[:start] + text[begin:].lstrip(" "))
    return left
