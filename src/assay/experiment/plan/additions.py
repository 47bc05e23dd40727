"""What a language model adds to a plan: taken where it is valid, else dropped with the reason."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any, get_args

from assay.experiment.leaks import explained_alone
from assay.experiment.plan.ground import Ground
from assay.experiment.plan.spec import Dropped, ExperimentPlan, Line, Section, Try
from assay.experiment.plan.suggestions import (
    SuggestedFeature,
    SuggestedLate,
    SuggestedRisk,
    SuggestedTry,
    Suggestions,
)
from assay.experiment.plan.values import fitting
from assay.llm import Gateway, Prompt
from assay.tables import CATEGORIES, ColumnKind

_NUMBER: tuple[ColumnKind, ...] = ("number",)
_WORDS: tuple[ColumnKind, ...] = ("text", "many categories", "category")
_ANY: tuple[ColumnKind, ...] = get_args(ColumnKind)

OPERATIONS: dict[str, tuple[tuple[ColumnKind, ...], ...]] = {
    "ratio": (_NUMBER, _NUMBER),
    "difference": (_NUMBER, _NUMBER),
    "product": (_NUMBER, _NUMBER),
    "logarithm": (_NUMBER,),
    "number beside its group": (_NUMBER, CATEGORIES),
    "parts of date": (("date",),),
    "time between": (("date",), ("date",)),
    "length": (_WORDS,),
    "how often it occurs": (_WORDS,),
    "is empty": (_ANY,),
}
"""What can be computed, and what each of its columns must hold."""


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
        instructions=_instructions(plan, ground), text=plan.question, columns=ground.task.inputs
    )
    (found,) = gateway.generate(model, [prompt], Suggestions)
    additions = _Additions(plan, ground, model)
    if found is None:
        additions.drop("all", "no valid answer")
    else:
        assert isinstance(found, Suggestions)  # noqa: S101 - the gateway validated it
        additions.take(found)
    return additions.plan


@dataclass
class _Additions:
    """A plan that grows by what holds."""

    plan: ExperimentPlan
    ground: Ground
    model: str
    _kinds: dict[str, ColumnKind] = field(init=False)

    def __post_init__(self) -> None:
        self._kinds = {each.name: each.kind for each in self.ground.columns}

    def take(self, found: Suggestions) -> None:
        for one in found.tries:
            self._take_try(one)
        for feature in found.features:
            self._take_feature(feature)
        for late in found.known_late:
            self._take_late(late)
        for risk in found.risks:
            self._take_risk(risk)

    def drop(self, what: str, reason: str) -> None:
        self._extend("dropped", Dropped(what=what, reason=reason, by=self.model))

    def _add(self, section: Section, what: str, why: str = "") -> None:
        self._extend("lines", Line(section=section, what=what, why=why, by=self.model))

    def _extend(self, name: str, value: Any) -> None:
        self.plan = self.plan.model_copy(update={name: (*getattr(self.plan, name), value)})

    def _take_try(self, given: SuggestedTry) -> None:
        families = {each.name: each for each in self.ground.families}
        what = f"{given.family}: {given.parameter} = {given.value}"
        family = families.get(given.family)
        if family is None:
            self.drop(what, f"no such family; there are {', '.join(families)}")
            return
        if given.parameter not in family.space:
            self.drop(what, f"no such parameter; there are {', '.join(family.space)}")
            return
        value, reason = fitting(given.value, family.space[given.parameter])
        if reason is not None:
            self.drop(what, reason)
            return
        values = {**family.defaults[0], given.parameter: value}
        self._extend("tries", Try(family=given.family, values=values, why=given.why, by=self.model))

    def _take_feature(self, given: SuggestedFeature) -> None:
        what = f"{given.operation} of {', '.join(given.columns)}"
        needed = OPERATIONS.get(given.operation)
        if needed is None:
            self.drop(what, f"no such operation; there are {', '.join(OPERATIONS)}")
        elif len(given.columns) != len(needed):
            self.drop(what, f"it needs {len(needed)} column{'s' * (len(needed) > 1)}")
        elif reason := self._unfit(given.columns, needed):
            self.drop(what, reason)
        else:
            self._add("features", what, given.why)

    def _unfit(self, columns: list[str], needed: tuple[tuple[ColumnKind, ...], ...]) -> str | None:
        for name, kinds in zip(columns, needed, strict=True):
            if name not in self._kinds:
                return self._absent(name)
            if self._kinds[name] not in kinds:
                return f"{name} holds {self._kinds[name]}, not {' or '.join(kinds)}"
        return "it names one column twice" if len(set(columns)) < len(columns) else None

    def _take_late(self, given: SuggestedLate) -> None:
        ground = self.ground
        if given.column not in self._kinds or given.column not in ground.task.features:
            self.drop(f"{given.column} is known late", self._absent(given.column))
            return
        seed = ground.project.settings.seed
        share = explained_alone(ground.rows, ground.task, given.column, seed=seed)
        self._add(
            "leakage",
            f"is {given.column!r} known when you predict? If not, add it to left_out: alone it "
            f"explains {share:.1%} of the target",
            given.why,
        )

    def _take_risk(self, given: SuggestedRisk) -> None:
        told = given.risk.strip()
        if given.column not in self._kinds:
            self.drop(f"{given.column}: {told}", self._absent(given.column))
        elif not told:
            self.drop(given.column, "it says nothing")
        else:
            self._add("risks", f"{given.column}: {told}")

    def _absent(self, name: str) -> str:
        return "it is left out" if name in self.plan.left_out else "no such column"


def _instructions(plan: ExperimentPlan, ground: Ground) -> str:
    families = "\n".join(f"- {each.name}: {', '.join(each.space)}" for each in ground.families)
    operations = "\n".join(
        f"- {name}: {', '.join(' or '.join(kinds) for kinds in needed)}"
        for name, needed in OPERATIONS.items()
    )
    columns = "\n".join(
        f"- {each.name}: {each.kind}, {each.distinct} values, {each.empty:.0%} empty"
        for each in ground.columns
    )
    return (
        f"An experiment is planned that answers the question below, by {plan.metric}. Suggest "
        "values of parameters worth trying, features to compute, columns that are known only "
        "after the outcome (known_late), and risks that columns carry: bias, drift. Use only "
        "these names.\n"
        f"Model families and their parameters:\n{families}\n"
        f"Operations of features, and what each column of them holds:\n{operations}\n"
        f"Columns:\n{columns}"
    )
