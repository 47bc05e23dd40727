"""Test cases for chosen capabilities, made from real texts by rules (after CheckList).

Ribeiro et al. 2020. They judge a model and never train one: every row carries the mark that
:meth:`assay.Project.create` refuses.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence

import numpy as np
import polars as pl

from assay.errors import InputError
from assay.project.prepare import PURPOSE
from assay.recipe import MADE_FROM
from assay.synth.spec import require_free_names
from assay.synth.text.editing import cut
from assay.task import Task

NAMES = ("Amara", "Bjorn", "Chidi", "Dolores", "Esra", "Farid", "Greta", "Hiro")
VERBS = re.compile(r"\b(is|are|was|were|has|have|will|can|could|should|would|did|does|do)\b")
NUMBER = re.compile(r"\d+")
NAME = re.compile(r"(?<=[a-z,;] )[A-Z][a-z]{2,}")
UNRELATED = (
    "Stir the onions until they are soft, then add the rice.",
    "The kettle has a blue handle.",
    "lorem ipsum dolor sit amet",
    "Turn left after the second bridge and wait for me there.",
    "asdf qwer zxcv",
)
SAME, REVIEW, NONE = "same label", "review by hand", "no class"
CAPABILITY, EXPECTED = "capability", "expected"


def capability_tests(
    rows: pl.DataFrame,
    task: Task,
    *,
    count: int,
    seed: int,
    capabilities: Sequence[str] | None = None,
) -> pl.DataFrame:
    """Return test cases, ``count`` for each capability where there are real texts that allow it.

    Parameters
    ----------
    rows
        Labelled rows.
    capabilities
        Of ``typos``, ``numbers``, ``names``, ``negation``, ``out_of_scope``; by default all.

    Returns
    -------
    DataFrame
        Inputs, target (empty where out of scope), ``capability``, ``expected`` (``same label``,
        ``review by hand`` for a negation, ``no class``), ``made_from``, ``assay_purpose``.

    Raises
    ------
    InputError
        When ``count`` is not positive, the task has no text, a capability is not known, or a
        column of the task is called as one of those.
    """
    wanted = tuple(CHANGES) if capabilities is None else tuple(dict.fromkeys(capabilities))
    unknown = [each for each in wanted if each not in CHANGES]
    if unknown:
        raise InputError("capability is not known.", given=unknown[0], allowed=", ".join(CHANGES))
    if count < 1:
        raise InputError("rows must be positive.", given=count, allowed="at least 1")
    if task.text is None:
        raise InputError("Test cases are made of texts, so far.", given=task.modality)
    require_free_names(task, (CAPABILITY, EXPECTED, MADE_FROM, PURPOSE))
    random = np.random.default_rng(seed)
    tables = [_cases(rows, task, name, count, random) for name in wanted]
    return pl.concat(tables)


def _cases(
    rows: pl.DataFrame, task: Task, name: str, count: int, random: np.random.Generator
) -> pl.DataFrame:
    change, expected = CHANGES[name]
    texts = rows[str(task.text)].fill_null("").to_list()
    places, found = [], []
    for at in random.permutation(rows.height).tolist():
        text = cut(texts[at])
        changed = change(text, random)
        if changed != text:
            places.append(at)
            found.append(changed)
        if len(found) == count:
            break
    target = pl.col(task.target) if expected != NONE else pl.lit(None, rows.schema[task.target])
    return rows[places].select(
        *(
            pl.Series(each, found, dtype=pl.String) if each == task.text else pl.col(each)
            for each in task.inputs
        ),
        target.alias(task.target),
        pl.lit(name).alias(CAPABILITY),
        pl.lit(expected).alias(EXPECTED),
        pl.col("row_id").alias(MADE_FROM),
        pl.lit("test").alias(PURPOSE),
    )


def _typo(text: str, random: np.random.Generator) -> str:
    places = [at for at in range(len(text) - 1) if text[at : at + 2].isalpha()]
    places = [at for at in places if text[at] != text[at + 1]]
    if not places:
        return text
    return swapped(text, int(random.choice(places)))


def _number(text: str, random: np.random.Generator) -> str:
    def other(match: re.Match[str]) -> str:
        digits = [str(int(random.integers(10))) for _ in match[0][1:]]
        return str(int(random.integers(1, 10))) + "".join(digits)

    return NUMBER.sub(other, text)


def _name(text: str, random: np.random.Generator) -> str:
    return NAME.sub(lambda _: str(random.choice(NAMES)), text, count=1)


def negated(text: str) -> str:
    """Return the text with "not" after its first auxiliary verb."""
    return VERBS.sub(lambda match: f"{match[0]} not", text, count=1)


def swapped(text: str, at: int) -> str:
    """Return the text with the letter at a place and the next one swapped."""
    return text[:at] + text[at + 1] + text[at] + text[at + 2 :]


def _unrelated(text: str, random: np.random.Generator) -> str:
    return str(random.choice(UNRELATED))


CHANGES: dict[str, tuple[Callable[[str, np.random.Generator], str], str]] = {
    "typos": (_typo, SAME),
    "numbers": (_number, SAME),
    "names": (_name, SAME),
    "negation": (lambda text, _: negated(text), REVIEW),
    "out_of_scope": (_unrelated, NONE),
}
"""How each capability changes a text, and what is expected of its label."""
