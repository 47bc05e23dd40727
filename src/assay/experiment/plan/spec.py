"""The plan of an experiment: what will be done and why, each line with who wrote it."""

from __future__ import annotations

from typing import Any, Literal

from pydantic import BaseModel, ConfigDict, Field

from assay.task import Costs, MetricName

FORMAT: Literal[1] = 1

Section = Literal[
    "question",
    "metric",
    "split",
    "leakage",
    "baselines",
    "preprocessing",
    "features",
    "families",
    "search space",
    "stopping",
    "power",
    "cost",
    "risks",
]
RULE = "rule"


class _Part(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid")


class Line(_Part):
    """One line of a plan.

    Attributes
    ----------
    by
        ``rule``, or the name of the language model that wrote it.
    """

    section: Section
    what: str
    why: str = ""
    by: str = RULE


class Try(_Part):
    """Values of a family worth a try before the search proposes its own.

    What they leave open is as in the family's first default.
    """

    family: str
    values: dict[str, Any]
    why: str = ""
    by: str = RULE


class Dropped(_Part):
    """What the model suggested and was not taken, and why."""

    what: str
    reason: str
    by: str


class ExperimentPlan(_Part):
    """A whole plan. ``assay experiment --plan`` follows the fields; the lines say why.

    Attributes
    ----------
    question
        As it was asked.
    metric
        What the question calls for; the project's own may differ, which a line then says.
    families
        Families to search in.
    left_out
        Columns that give the target away. An experiment leaves out these, and what it finds itself.
    """

    format: Literal[1] = FORMAT
    question: str
    metric: MetricName
    costs: Costs | None = None
    minutes: float = Field(default=10.0, gt=0)
    families: tuple[str, ...] = Field(min_length=1)
    left_out: tuple[str, ...] = ()
    tries: tuple[Try, ...] = ()
    lines: tuple[Line, ...] = ()
    dropped: tuple[Dropped, ...] = ()

    def section(self, name: Section) -> tuple[Line, ...]:
        """Return the lines of one section."""
        return tuple(each for each in self.lines if each.section == name)
