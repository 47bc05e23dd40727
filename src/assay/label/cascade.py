"""A cascade: rows that a cheap model leaves open go up to a stronger one."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field, replace
from typing import cast

import numpy as np

from assay.label.extract.fit import AGREEMENT
from assay.label.kinds import Fitted, Kind
from assay.label.learning import CHANCES
from assay.label.policy import (
    acceptance_of,
    expected_coverage,
    finite,
    measuring,
    under_policy,
)
from assay.label.rehearsal import Rehearsal
from assay.label.spec import Answers, Checked, Cost, Gold, LabelSettings, Stage, Step
from assay.label.task import LabelTask
from assay.llm import Gateway

REHEARSED = 200
"""Rows whose real prompts give the price of a row."""

WORTH = 0.01
"""A stage that makes no further hundredth of the rows acceptable is not asked."""

OWN = ("combined", CHANCES, AGREEMENT)
"""Votes that are the answer's own probabilities: they go with it."""


@dataclass(frozen=True)
class Goal:
    """What is asked of the accepted labels.

    Attributes
    ----------
    precision
        Share that must be right; None accepts every label.
    confidence
        How sure that must be.
    rows
        How many rows are to be labelled.
    tell
        Told of each stage before its model is asked.
    """

    precision: float | None
    confidence: float = 0.95
    rows: int = 0
    tell: Callable[[Stage], None] = field(default=lambda _: None)


@dataclass(frozen=True, eq=False)
class Cascade:
    """Models from the cheapest up; see :class:`assay.label.kinds.Fitted`.

    Attributes
    ----------
    models, fitted
        The stages that are used.
    threshold
        What a stage leaves at or below it goes up.
    stages
        All stages, those skipped too.
    """

    models: tuple[str, ...]
    fitted: tuple[Fitted, ...]
    threshold: float
    stages: tuple[Stage, ...]

    @property
    def checked(self) -> Checked | None:
        """How the gold rows fare under the whole policy."""
        held = [each.checked for each in self.stages if each.used and each.checked is not None]
        if len(self.models) == 1 or len(held) < len(self.models):
            return self.fitted[0].checked
        return under_policy(held, self.threshold)

    @property
    def steps(self) -> tuple[Step, ...]:
        """The steps of every stage; those after the first name their model."""
        further = [
            replace(step, name=f"{step.name} ({model})")
            for model, fitted in zip(self.models[1:], self.fitted[1:], strict=True)
            for step in fitted.steps
        ]
        return (*self.fitted[0].steps, *further)

    def answer(self, texts: Sequence[str], gateway: Gateway) -> Answers:
        """Answer each row by the first stage that is certain enough, else by the surest."""
        found = self.fitted[0].answer(texts, gateway)
        for model, fitted in zip(self.models[1:], self.fitted[1:], strict=True):
            going = np.flatnonzero(~(finite(found.probability) > self.threshold)).tolist()
            if not going:
                break
            further = fitted.answer([texts[row] for row in going], gateway)
            found = _merged(found, further, going, model)
        return found


def fit_cascade(
    texts: Sequence[str],
    gold: Gold | None,
    task: LabelTask,
    kind: Kind,
    gateway: Gateway,
    settings: LabelSettings,
    goal: Goal,
) -> Cascade:
    """Fit stage after stage, each on the rows that those before it leave open.

    Which stages are used is decided from scores and prices; the threshold then comes from one
    test of the whole policy (:func:`assay.evidence.accept_cascade`).
    """
    first = kind.fit(texts, gold, task, gateway, _alone(settings, 0))
    begun = Stage(settings.models[0], True, "asked first", 1.0, checked=first.checked, judged=True)
    building = _Building(gold, task, kind, gateway, settings, goal, [first], [begun])
    for place in range(1, len(settings.models)):
        building.consider(place, texts)
    return building.finished()


@dataclass
class _Building:
    gold: Gold | None
    task: LabelTask
    kind: Kind
    gateway: Gateway
    settings: LabelSettings
    goal: Goal
    fitted: list[Fitted]
    stages: list[Stage]

    def consider(self, place: int, texts: Sequence[str]) -> None:
        """Fit one more stage, or note why it is skipped."""
        model = self.settings.models[place]
        why = self._no_ground()
        if why is not None or self.goal.precision is None:
            self.stages.append(Stage(model, False, why or ""))
            return
        held = self._held()
        weights = None if self.gold is None else held[0].weights
        before, level = expected_coverage(held, weights, self.goal.precision)
        so_far = Cascade(self._models(), tuple(self.fitted), level, tuple(self.stages))
        answers = so_far.answer(texts, self.gateway)
        going = np.flatnonzero(~(finite(answers.probability) > level)).tolist()
        share = len(going) / max(len(texts), 1)
        if not going:
            self.stages.append(Stage(model, False, "those before it leave no row open", 0.0))
            return
        open_texts = [texts[row] for row in going]
        told = Stage(model, True, "", share, self._expected_cost(model, open_texts, share))
        self.goal.tell(told)
        fitted = self.kind.fit(
            open_texts, self.gold, self.task, self.gateway, _alone(self.settings, place)
        )
        told = replace(told, checked=fitted.checked)
        if told.checked is None:
            self.stages.append(replace(told, used=False, why="it answered no checked row"))
            return
        after, _ = expected_coverage([*held, told.checked], weights, self.goal.precision)
        gain = f"with it about {after:.0%} of the rows can be accepted, without it {before:.0%}"
        if after < before + WORTH:
            self.stages.append(replace(told, used=False, why=f"it would not pay: {gain}"))
            return
        self.stages.append(replace(told, why=gain, judged=True))
        self.fitted.append(fitted)

    def finished(self) -> Cascade:
        """Return the cascade under the threshold that gold allows."""
        stages, models, fitted = tuple(self.stages), self._models(), tuple(self.fitted)
        if len(fitted) == 1:
            return Cascade(models, fitted, np.inf, stages)
        accepted = acceptance_of(stages, self.goal.precision, self.goal.confidence)
        if accepted is None or accepted.threshold is None:
            return Cascade(models[:1], fitted[:1], np.inf, (stages[0], *map(_vain, stages[1:])))
        return Cascade(models, fitted, accepted.threshold, stages)

    def _no_ground(self) -> str | None:
        if self.goal.precision is None:
            return "no precision was asked, so no row is left open"
        if self.gold is None or not self._held():
            return "without checked rows nothing tells which rows to send up"
        return None

    def _held(self) -> list[Checked]:
        return measuring(each for each in self.stages if each.used)

    def _models(self) -> tuple[str, ...]:
        return tuple(each.model for each in self.stages if each.used)

    def _expected_cost(self, model: str, texts: Sequence[str], share: float) -> Cost:
        """Return the cost of the gold rows and of all rows that go up, from real prompts."""
        rehearsal = Rehearsal(self.gateway, instead={self.settings.models[0]: model}, embeds=True)
        some = list(texts[:REHEARSED])
        self.fitted[0].answer(some, cast(Gateway, rehearsal))
        gold = 0 if self.gold is None else len(self.gold)
        return rehearsal.cost.times((share * self.goal.rows + gold) / len(some))


def _vain(stage: Stage) -> Stage:
    """Return a stage that is not asked: nothing could be accepted. The test took it in."""
    if not stage.used:
        return stage
    return replace(stage, used=False, why="no threshold holds the precision, even with it")


def _merged(before: Answers, further: Answers, going: Sequence[int], model: str) -> Answers:
    """Put a stage's answers in the place of less certain ones."""
    labels, probability = list(before.labels), before.probability.copy()
    why, flags = dict(before.why), dict(before.flags)
    least = finite(before.probability)
    surer = [place for place, row in enumerate(going) if further.probability[place] > least[row]]
    for place in surer:
        row = going[place]
        labels[row], probability[row] = further.labels[place], further.probability[place]
        why.pop(row, None)
        flags[row] = _joined(further.flags.get(place), f"answered by {model}")
    votes = dict(before.votes)
    for name, given in further.votes.items():
        if name in OWN and name in votes:
            votes[name] = votes[name].copy()
            votes[name][[going[place] for place in surer]] = given[surer]
            continue
        votes[f"{name} ({model})"] = np.full((len(labels), given.shape[1]), np.nan)
        votes[f"{name} ({model})"][list(going)] = given
    return Answers(labels, probability, why, votes, flags)


def _joined(*told: str | None) -> str:
    return "; ".join(each for each in told if each)


def _alone(settings: LabelSettings, place: int) -> LabelSettings:
    return settings.model_copy(update={"models": (settings.models[place],)})
