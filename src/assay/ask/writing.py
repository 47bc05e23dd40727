"""Having a language model write a snippet, and mend it by what went wrong."""

from __future__ import annotations

import json
from collections.abc import Sequence

from pydantic import BaseModel, Field

from assay.ask.given import Given, described
from assay.ask.spec import Snippet, Trial
from assay.ask.trying import fault_of, try_snippet
from assay.llm import Example, Gateway, Prompt

REPAIRS = 2
SHOWN_RECIPES = 3


class Written(BaseModel):
    """What a language model is asked for."""

    title: str = Field(min_length=3, max_length=120)
    code: str = Field(min_length=10, max_length=6000)
    promise: str = Field(min_length=5, max_length=300)
    check: str = Field(min_length=5, max_length=2000)


INSTRUCTIONS = """\
Answer a question about machine-learning work in Python with a short snippet.

`code` starts from variables that exist: `rows` (a Polars DataFrame), `target` (the name of the
column to predict), `numeric` and `categorical` (lists of column names), and `text`, `group`, `time`
(column names or None). It imports what it needs and leaves its results in variables. It has no
network, and writes only to the current folder. It takes seconds.

`promise` says in one sentence what is true afterwards; `check` is Python with `assert` statements
that test this on the variables that the code has made. Both are run, and only what holds is shown.

The table: {table}
"""


def write_snippet(
    gateway: Gateway, model: str, question: str, shown: Sequence[Snippet], given: Given
) -> tuple[Snippet | None, Trial | None, int]:
    """Return what a model wrote, how its last version fared, and how many it took.

    A version that fails is given back with its error, at most twice.

    Parameters
    ----------
    shown
        Recipes that are near the question: the model sees how an answer looks.
    """
    instructions = INSTRUCTIONS.format(table=json.dumps(described(given)))
    examples = tuple(Example(each.title, _as_json(each)) for each in shown)
    columns = tuple(given.rows.columns)
    text, snippet, trial = question, None, None
    for attempt in range(1 + REPAIRS):
        prompt = Prompt(instructions, text, examples, columns)
        answers = gateway.generate(model, [prompt], Written)
        written = answers[0]
        if not isinstance(written, Written):
            return snippet, trial, attempt + 1
        snippet = Snippet(**written.model_dump(), origin=model)
        trial = _tried(snippet, given)
        if trial.met:
            break
        text = f"{question}\n\nYour last answer:\n{_as_json(snippet)}\n\nIt failed: {trial.why}"
    return snippet, trial, attempt + 1


def _tried(snippet: Snippet, given: Given) -> Trial:
    fault = fault_of(snippet)
    if fault:
        return Trial(False, fault, 0, given.whose, 0.0, "none: it was not run")
    return try_snippet(snippet, given)


def _as_json(snippet: Snippet) -> str:
    names = ("title", "code", "promise", "check")
    return json.dumps({name: getattr(snippet, name) for name in names})
