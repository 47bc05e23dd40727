"""Which words moved a model: each is left out in turn (leave-one-out; Zeiler and Fergus 2014)."""

from __future__ import annotations

import re
from collections.abc import Sequence

import numpy as np

from assay.label.explanation import Piece
from assay.label.spec import LabelSettings
from assay.label.task import LabelTask
from assay.llm import Gateway, Prompt

MOST_PIECES = 40
_WORD = re.compile(r"\S+")


def occlude(
    text: str,
    columns: Sequence[str] | None,
    task: LabelTask,
    gateway: Gateway,
    settings: LabelSettings,
    model: str,
) -> tuple[str, tuple[Piece, ...]]:
    """Return the model's own class for a row, and how much each piece spoke for it.

    All readings of the row are one question, so they are cached and budgeted together.

    Parameters
    ----------
    text
        What the model read.
    columns
        The row's lines, one for each column of a table; None for a single text.
    model
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
    asked = gateway.choose(
        model,
        [_prompt(each, task) for each in readings],
        [each.words for each in task.classes],
        max_text_tokens=settings.max_text_tokens,
    )
    shares = asked.probabilities
    if not np.isfinite(shares[0]).all():
        raise ValueError(asked.why.get(0, "the model gave no answer"))
    best = int(shares[0].argmax())
    effects = np.nan_to_num(shares[0, best] - shares[1:, best])
    found = tuple(Piece(part, float(each)) for part, each in zip(parts, effects, strict=True))
    return task.class_names[best], found


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


def _prompt(text: str, task: LabelTask) -> Prompt:
    listed = "\n".join(f"- {each.words}" for each in task.classes)
    told = ["Say which category the text belongs to.", task.guidelines, f"Categories:\n{listed}"]
    return Prompt(
        instructions="\n".join(filter(None, told)),
        text=text,
        columns=(*task.inputs, task.target),
        cue="Category",
    )
