"""New texts of a class by editing or recombining its own: a baseline that costs nothing.

``edit`` swaps, drops and inserts words (EDA; Wei and Zou 2019), the inserted ones from other texts
of the class in place of a thesaurus; ``recombine`` joins sentences of two texts of the class.
"""

from __future__ import annotations

import re
from typing import Literal, get_args

import numpy as np
import polars as pl

from assay.errors import InputError
from assay.recipe import MADE_FROM
from assay.synth.spec import MADE_BY, own_rows, synthetic_ids
from assay.task import Task

TextMethod = Literal["edit", "recombine"]
METHODS: tuple[TextMethod, ...] = get_args(TextMethod)

FEWEST = 2
SHARE = 0.2
"""Of the words, so many are edited."""

LONGEST = 4000
"""Characters of a text that are looked at; longer ones keep their beginning and end."""

SENTENCE = re.compile(r"(?<=[.!?])\s+")


def made_texts(
    rows: pl.DataFrame,
    task: Task,
    *,
    method: TextMethod,
    class_name: str | None,
    count: int,
    seed: int,
) -> pl.DataFrame:
    """Make texts; columns beside the text stay those of the row that was edited.

    Parameters
    ----------
    rows
        Labelled rows: ``row_id``, inputs, target. Nothing else is read.
    method
        ``edit`` or ``recombine``.
    class_name
        The class; None edits rows of any class, and each keeps its target.

    Returns
    -------
    DataFrame
        Inputs, target, ``made_from`` (the edited row), ``made_by``, ``synthetic_id``.

    Raises
    ------
    InputError
        When the method is not known, the task has no text, or the class has fewer than two rows.
    """
    own = own_rows(rows, task, class_name)
    _check(task, method, own.height)
    random = np.random.default_rng(seed)
    texts = [cut(each) for each in own[str(task.text)].fill_null("").to_list()]
    partners = [_partners(own, task, at) for at in range(own.height)]
    sources = np.concatenate(
        [random.permutation(own.height) for _ in range(-(-count // own.height))]
    )[:count]
    change = _edited if method == "edit" else _recombined
    new = [
        change(texts[at], texts[random.choice(partners[at])] if partners[at] else texts[at], random)
        for at in sources.tolist()
    ]
    return own[sources].select(
        *(
            pl.Series(name, new, dtype=pl.String) if name == task.text else pl.col(name)
            for name in task.inputs
        ),
        pl.col(task.target),
        pl.col("row_id").cast(pl.String).alias(MADE_FROM),
        pl.lit(method).alias(MADE_BY),
        synthetic_ids(method, seed, count),
    )


def cut(text: str, longest: int = LONGEST) -> str:
    """Return a text whole, or its beginning and end where it is longer than ``longest``."""
    half = longest // 2
    return text if len(text) <= longest else f"{text[:half]} … {text[-half:]}"


def _partners(own: pl.DataFrame, task: Task, at: int) -> list[int]:
    """Return the positions of the other rows with the same target."""
    if own[task.target].n_unique() == 1:
        return [*range(at), *range(at + 1, own.height)]
    same = own[task.target] == own[task.target][at]
    return [each for each in same.arg_true().to_list() if each != at]


def _edited(text: str, other: str, random: np.random.Generator) -> str:
    words, foreign = text.split(), other.split()
    for _ in range(max(1, round(SHARE * len(words)))):
        if not words:
            break
        at = int(random.integers(len(words)))
        match int(random.integers(3)):
            case 0:
                to = int(random.integers(len(words)))
                words[at], words[to] = words[to], words[at]
            case 1 if len(words) > 3:
                del words[at]
            case _ if foreign:
                words.insert(at, foreign[int(random.integers(len(foreign)))])
    return " ".join(words)


def _recombined(text: str, other: str, random: np.random.Generator) -> str:
    first, second = _pieces(text), _pieces(other)
    kept = [each for each in first if random.random() < 0.5] or first[:1]
    return " ".join([*kept, *(each for each in second if random.random() < 0.5)])


def _pieces(text: str) -> list[str]:
    """Return the sentences; the halves of a text that has one alone."""
    found = SENTENCE.split(text.strip())
    if len(found) > 1:
        return found
    words = text.split()
    half = (len(words) + 1) // 2
    return [" ".join(words[:half]), " ".join(words[half:])]


def _check(task: Task, method: str, rows: int) -> None:
    if method not in METHODS:
        raise InputError("method is not known.", given=method, allowed=", ".join(METHODS))
    if task.text is None:
        raise InputError(f"{method} needs a text column.", next_step="choose a method for tables")
    if rows < FEWEST:
        raise InputError(
            f"Too few rows to make others from, by {method}.",
            given=rows,
            allowed=f"at least {FEWEST}",
            next_step="label more of them",
        )
