"""From a sentence to a plan: rules alone give a full one, a language model may add to it."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from assay.experiment.plan.spec import Dropped, ExperimentPlan, Line, Try
from assay.experiment.plan.text import plan_to_toml, read_plan, write_plan
from assay.task import Costs

if TYPE_CHECKING:
    from assay.project import Project

__all__ = [
    "Costs",
    "Dropped",
    "ExperimentPlan",
    "Line",
    "Try",
    "make_plan",
    "plan_to_toml",
    "read_plan",
    "write_plan",
]


def make_plan(
    project: Project,
    question: str,
    *,
    model: str | None = None,
    models: Mapping[str, Any] | None = None,
) -> ExperimentPlan:
    """Return the plan of an experiment that answers ``question``.

    Parameters
    ----------
    question
        One sentence or more: what is wanted, what mistakes cost, who must understand it.
    model
        A language model that adds to the plan. It sees the question, and of the columns their
        names, kinds and counts on the search rows, never a row. What it suggests is taken where
        the column, the family and the parameter exist, the value is in range, and the operation
        of a feature fits what its columns hold; else it is listed under ``dropped`` with the
        reason.
    models
        Language models by name, in place of the ones the gateway would load.

    Raises
    ------
    InputError
        When the question is empty.
    ModelError
        When the model cannot be reached.
    """
    from assay.errors import InputError
    from assay.experiment.plan.rules import plan_by_rules

    if not question.strip():
        raise InputError("The question is empty.", next_step="say what is to be predicted, and why")
    plan, ground = plan_by_rules(project, question)
    if model is None:
        return plan
    from assay.experiment.plan.additions import with_additions

    with project.gateway(models=models, capability="plan") as gateway:
        return with_additions(plan, ground, gateway, model)
