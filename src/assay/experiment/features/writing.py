"""Features that a language model writes, from what columns are called and what they hold.

After CAAFE (Hollmann et al. 2023), with three differences: the model sees no row and nothing of
the target but its name; the code runs in a sandbox that is not given the target; and the gate
keeps a feature on a paired test of fresh folds, not on a rise of the mean.
"""

from __future__ import annotations

import json
from collections.abc import Iterator
from operator import methodcaller
from typing import Any

import polars as pl
from pydantic import BaseModel, Field

from assay.llm import Prompt
from assay.llm.registry import EMBEDDED
from assay.recipe import Derived, Observation, Proposal

MOST_IDEAS = 5
DESCRIBED_COLUMNS = 60

INSTRUCTIONS = """\
Suggest up to {most} new features for a model that predicts `{target}` ({kind}) from a table.

Each is a Python function `feature(rows, seen)`. `rows` is a Polars table of the columns that you
name; `seen` holds the same columns of the training rows, for statistics such as a group's mean.
Return a Polars Series, or a table, with one number for each row of `rows`, in their order. The
value of a row may depend on that row and on `seen`, never on the other rows of `rows`. The target
is not given. Import what you need inside the function; there is no network. Give the function a
docstring that says what it computes. Prefer what a person who knows the subject would try.
"""


class Idea(BaseModel):
    """One feature."""

    name: str = Field(min_length=3, max_length=60)
    why: str = Field(min_length=5, max_length=200)
    columns: list[str] = Field(min_length=1, max_length=20)
    code: str = Field(min_length=20, max_length=4000)


class Ideas(BaseModel):
    """What a language model is asked for."""

    ideas: list[Idea] = Field(min_length=1, max_length=MOST_IDEAS)


class WrittenFeatureSource:
    """Functions that the project's model for labels writes, where it can write code."""

    name = "written_features"

    def propose(self, observation: Observation) -> Iterator[Proposal]:
        """Yield one edit for each idea that reads feature columns alone.

        What does not run, or depends on other rows, is passed over with its reason when it is
        first built.
        """
        task, model = observation.task, observation.label_model
        if task.modality != "tabular" or model == EMBEDDED:
            return
        instructions = INSTRUCTIONS.format(most=MOST_IDEAS, target=task.target, kind=task.kind)
        inputs = list(task.inputs)[:DESCRIBED_COLUMNS]
        text = json.dumps([described(observation.search[name]) for name in inputs])
        prompt = Prompt(instructions, text, columns=(*inputs, task.target))
        answer = observation.gateway.generate(model, [prompt], Ideas)[0]
        for idea in answer.ideas if isinstance(answer, Ideas) else ():
            if set(idea.columns) <= set(task.inputs):
                feature = Derived(name=idea.name, columns=tuple(idea.columns), code=idea.code)
                yield Proposal(
                    idea.name,
                    idea.why,
                    model,
                    methodcaller("with_feature", feature),
                )


def described(column: pl.Series) -> dict[str, Any]:
    """Return a column's name, type and statistics, and no value of any row but its extremes."""
    found: dict[str, Any] = {
        "column": column.name,
        "type": str(column.dtype),
        "distinct": column.n_unique(),
        "missing": round(column.null_count() / max(1, len(column)), 3),
    }
    if column.dtype.is_numeric():
        known = column.cast(pl.Float64).drop_nulls()
        for name in ("min", "median", "mean", "max"):
            value = getattr(known, name)()
            found[name] = None if value is None else float(f"{value:.4g}")
    return found
