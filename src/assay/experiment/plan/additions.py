"""What a language model adds to a plan: taken where it is valid, else dropped with the reason."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from pydantic import BaseModel, Field

from assay.experiment.plan.ground import Ground
from assay.experiment.plan.spec import Dropped, ExperimentPlan, Line, Try
from assay.experiment.search.space import Choice, Dimension, Family, Real, Whole
from assay.llm import Gateway, Prompt

MOST = 8
"""So many suggestions of each kind are read."""


class SuggestedTry(BaseModel):
    """Values of one family."""

    family: str
    parameter: str
    value: str = Field(description="a number, or one of the words allowed")
    why: str = ""


class SuggestedRisk(BaseModel):
    """A risk that a column carries."""

    column: str
    risk: str


class Suggestions(BaseModel):
    """What a language model is asked for."""

    tries: list[SuggestedTry] = Field(default_factory=list, max_length=MOST)
    risks: list[SuggestedRisk] = Field(default_factory=list, max_length=MOST)


def with_additions(
    plan: ExperimentPlan, ground: Ground, gateway: Gateway, model: str
) -> ExperimentPlan:
    """Return the plan with what ``model`` adds.

    Raises
    ------
    ModelError
        When the model cannot be reached.
    """
    prompt = Prompt(
        instructions=_instructions(ground), text=plan.question, columns=ground.task.inputs
    )
    (found,) = gateway.generate(model, [prompt], Suggestions)
    if found is None:
        return _extended(plan, dropped=[Dropped(what="all", reason="no valid answer", by=model)])
    assert isinstance(found, Suggestions)  # noqa: S101 - the gateway validated it
    return taken(plan, ground.families, ground.task.inputs, found, model)


def taken(
    plan: ExperimentPlan,
    families: Sequence[Family],
    columns: Sequence[str],
    found: Suggestions,
    model: str,
) -> ExperimentPlan:
    """Return the plan with the suggestions that are valid, and why the others are not."""
    by_name = {each.name: each for each in families}
    tries, lines, dropped = list(plan.tries), list(plan.lines), list(plan.dropped)
    for each in found.tries:
        what = f"{each.family}: {each.parameter} = {each.value}"
        family = by_name.get(each.family)
        if family is None:
            reason: str | None = f"no such family; there are {', '.join(by_name)}"
        elif each.parameter not in family.space:
            reason = f"no such parameter; there are {', '.join(family.space)}"
        else:
            value, reason = _valid(each.value, family.space[each.parameter])
            if reason is None:
                values = {**family.defaults[0], each.parameter: value}
                tries.append(Try(family=each.family, values=values, why=each.why, by=model))
        if reason is not None:
            dropped.append(Dropped(what=what, reason=reason, by=model))
    for risk in found.risks:
        if risk.column in columns and risk.risk.strip():
            what = f"{risk.column}: {risk.risk.strip()}"
            lines.append(Line(section="risks", what=what, by=model))
        else:
            reason = "no such column" if risk.column not in columns else "it says nothing"
            dropped.append(Dropped(what=f"{risk.column}: {risk.risk}", reason=reason, by=model))
    return plan.model_copy(
        update={"tries": tuple(tries), "lines": tuple(lines), "dropped": tuple(dropped)}
    )


def _extended(plan: ExperimentPlan, dropped: list[Dropped]) -> ExperimentPlan:
    return plan.model_copy(update={"dropped": (*plan.dropped, *dropped)})


def _valid(given: str, dimension: Dimension) -> tuple[Any, str | None]:
    """Return the value as the dimension has it, or why it is none of it."""
    if isinstance(dimension, Choice):
        for option in dimension.options:
            if given.strip().lower() == str(option).lower():
                return option, None
        return None, f"not one of {', '.join(str(each) for each in dimension.options)}"
    try:
        number = float(given)
    except ValueError:
        return None, "not a number"
    if not dimension.low <= number <= dimension.high:
        return None, f"not from {dimension.low:g} to {dimension.high:g}"
    if isinstance(dimension, Whole):
        return (int(number), None) if number == int(number) else (None, "not a whole number")
    assert isinstance(dimension, Real)  # noqa: S101 - the third kind
    return number, None


def _instructions(ground: Ground) -> str:
    families = "\n".join(f"- {each.name}: {', '.join(each.space)}" for each in ground.families)
    columns = "\n".join(
        f"- {each.name}: {each.kind}, {each.distinct} values, {each.empty:.0%} empty"
        for each in ground.columns
    )
    return (
        "An experiment is planned that answers the question below. Suggest values of parameters "
        "worth trying, and risks that columns carry: leakage, bias, drift. Use only these names.\n"
        f"Model families and their parameters:\n{families}\nColumns:\n{columns}"
    )
