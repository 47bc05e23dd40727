"""Fits a cascade: each model on what those before it leave open, in the cheapest order."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import cast

import numpy as np

from assay.label.cascade import Cascade
from assay.label.kinds import Fitted, Kind
from assay.label.ordering import WORTH, Known, Way, cheapest
from assay.label.policy import acceptance_of, expected_coverage, finite, measuring
from assay.label.rehearsal import Rehearsal
from assay.label.spec import Checked, Cost, Gold, LabelSettings, Stage
from assay.label.task import LabelTask
from assay.llm import Gateway
from assay.llm.counting import count_tokens
from assay.llm.model import Usage

REHEARSED = 200
"""Rows whose real prompts give the price of a row."""


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

    The models are tried from the cheapest up, or as named where a price is not known. Where what
    they say of the gold rows shows that another order, or fewer of them, accepts more, or as much
    for less (:func:`cheapest`), they are fitted anew in that order: answers on record are not asked
    for again. Which stages are used is decided from scores and prices; the threshold then comes
    from one test of the whole policy (:func:`assay.evidence.accept_cascade`).
    """
    work = _Work(texts, gold, task, kind, gateway, settings, goal)
    models, prices = settings.models, None
    if gold is not None and goal.precision is not None:
        prices = _prices(work)
    if prices is not None:
        models = tuple(sorted(models, key=prices.__getitem__))
    tried = _Building.of(work, models[0])
    for model in models[1:]:
        tried.consider(model)
    found = None if prices is None else tried.cheaper(prices)
    return tried.finished() if found is None else _anew(work, tried, *found)


@dataclass(frozen=True, eq=False)
class _Work:
    """What every stage is fitted for."""

    texts: Sequence[str]
    gold: Gold | None
    task: LabelTask
    kind: Kind
    gateway: Gateway
    settings: LabelSettings
    goal: Goal

    def fit(self, model: str, texts: Sequence[str]) -> Fitted:
        """Fit one model alone."""
        alone = self.settings.model_copy(update={"models": (model,)})
        return self.kind.fit(texts, self.gold, self.task, self.gateway, alone)


@dataclass
class _Building:
    work: _Work
    fitted: list[Fitted]
    stages: list[Stage]

    @classmethod
    def of(cls, work: _Work, model: str, why: str = "asked first") -> _Building:
        """Return the building of a cascade that begins with ``model``."""
        first = work.fit(model, work.texts)
        begun = Stage(model, True, why, 1.0, checked=first.checked, judged=True)
        return cls(work, [first], [begun])

    def consider(self, model: str) -> None:
        """Fit one more stage, or note why it is skipped."""
        why, precision = self._no_ground(), self.work.goal.precision
        if why is not None or precision is None:
            self.stages.append(Stage(model, False, why or ""))
            return
        held = self._held()
        before, level = expected_coverage(held, held[0].weights, precision)
        found = self._fitted_on_open_rows(model, level)
        if found is None:
            return
        told, fitted = found
        after, _ = expected_coverage(self._held(told), held[0].weights, precision)
        gain = f"with it about {after:.0%} of the rows can be accepted, without it {before:.0%}"
        if after < before + WORTH:
            self.stages.append(replace(told, used=False, why=f"it would not pay: {gain}"))
            return
        self._take(told, fitted, gain)

    def add(self, model: str, why: str) -> None:
        """Fit a stage that is known to pay."""
        held = self._held()
        _, level = expected_coverage(held, held[0].weights, self.work.goal.precision or 0.0)
        found = self._fitted_on_open_rows(model, level)
        if found is not None:
            self._take(*found, why)

    def cheaper(self, prices: Mapping[str, int]) -> tuple[Way, str] | None:
        """Return the way to accept as much for less, or more, and why; None where there is none."""
        work, precision = self.work, self.work.goal.precision
        held = {each.model: known for each in self.stages for known in measuring([each])}
        answered = {frozenset(each.row_ids) for each in held.values()}
        alike = len(answered) == 1 and held.keys() >= set(self._models())
        if precision is None or len(held) < 2 or not alike:
            return None
        asked = {each.model: each.share or 0.0 for each in self.stages}
        known = Known(held, prices, precision, asked, len(work.texts), work.goal.rows)
        begun = Way.of(self._models(), known)
        way = cheapest(known, begun)
        if way.models == begun.models:
            return None
        less = f", at {way.cost / begun.cost:.0%} of the cost" if begun.cost else ""
        return way, f"it can accept {way.coverage:.0%} of the rows, not {begun.coverage:.0%}{less}"

    def finished(self) -> Cascade:
        """Return the cascade under the threshold that gold allows."""
        goal = self.work.goal
        stages, models, fitted = tuple(self.stages), self._models(), tuple(self.fitted)
        if len(fitted) == 1:
            return Cascade(models, fitted, np.inf, stages)
        accepted = acceptance_of(stages, goal.precision, goal.confidence)
        if accepted is None or accepted.threshold is None:
            return Cascade(models[:1], fitted[:1], np.inf, (stages[0], *map(_vain, stages[1:])))
        return Cascade(models, fitted, accepted.threshold, stages)

    def _take(self, told: Stage, fitted: Fitted, why: str) -> None:
        self.stages.append(replace(told, why=why, judged=True))
        self.fitted.append(fitted)

    def _fitted_on_open_rows(self, model: str, level: float) -> tuple[Stage, Fitted] | None:
        """Return one more stage, fitted on what is left open; None where it says nothing of it."""
        work = self.work
        so_far = Cascade(self._models(), tuple(self.fitted), level, tuple(self.stages))
        answers = so_far.answer(work.texts, work.gateway)
        going = np.flatnonzero(~(finite(answers.probability) > level)).tolist()
        if not going:
            self.stages.append(Stage(model, False, "those before it leave no row open", 0.0))
            return None
        share = len(going) / len(work.texts)
        texts = [work.texts[row] for row in going]
        told = Stage(model, True, "", share, self.expected_cost(model, texts, share))
        work.goal.tell(told)
        fitted = work.fit(model, texts)
        told = replace(told, checked=fitted.checked)
        if not measuring([told]):
            self.stages.append(replace(told, used=False, why="it answered no checked row"))
            return None
        return told, fitted

    def _no_ground(self) -> str | None:
        if self.work.goal.precision is None:
            return "no precision was asked, so no row is left open"
        if self.work.gold is None or not self._held():
            return "without checked rows nothing tells which rows to send up"
        return None

    def _held(self, *more: Stage) -> list[Checked]:
        return measuring(each for each in [*self.stages, *more] if each.used)

    def _models(self) -> tuple[str, ...]:
        return tuple(each.model for each in self.stages if each.used)

    def expected_cost(self, model: str, texts: Sequence[str], share: float) -> Cost:
        """Return the cost of the gold rows and of all rows that go up, from real prompts."""
        work = self.work
        first = self.stages[0].model
        rehearsal = Rehearsal(work.gateway, instead={first: model}, embeds=True, anew=True)
        some = list(texts[:REHEARSED])
        self.fitted[0].answer(some, cast(Gateway, rehearsal))
        gold = 0 if work.gold is None else len(work.gold)
        asked = rehearsal.costs.get(model, Cost())  # what votes beside it answered before
        return asked.times((share * work.goal.rows + gold) / len(some))


def _anew(work: _Work, tried: _Building, way: Way, why: str) -> Cascade:
    """Return the cascade of a better way."""
    first = way.models[0]
    work.goal.tell(Stage(first, True, why, 1.0, tried.expected_cost(first, work.texts, 1.0)))
    building = _Building.of(work, first, f"asked first: {why}")
    for model in way.models[1:]:
        building.add(model, why)
    known = {each.model for each in building.stages}
    for stage in tried.stages:
        if stage.model not in known:
            told = f"tried, and left out: without it {way.coverage:.0%} of the rows can be accepted"
            kept = replace(stage, used=False, judged=False, why=told if stage.used else stage.why)
            building.stages.append(kept)
    return building.finished()


def _prices(work: _Work) -> dict[str, int] | None:
    """Return what one row costs each model at list price, in 1e-12 US dollars.

    Instructions, alike for all models, are left out; what is on record does not count, so that a
    run which goes on takes the same way. None where a price is not known.
    """
    some = work.texts[:REHEARSED]
    read = sum(map(count_tokens, some)) // max(len(some), 1)
    writes = work.task.kind == "extract"
    usage = Usage(read, count_tokens(str(work.task.fields)) // 2 if writes else 1)
    prices = {}
    for model in work.settings.models:
        price = work.gateway.price_of(model, usage, chooses=not writes)
        if price is None:
            return None
        prices[model] = price
    return prices


def _vain(stage: Stage) -> Stage:
    """Return a stage that is not asked: nothing could be accepted. The test took it in."""
    if not stage.used:
        return stage
    return replace(stage, used=False, why="no threshold holds the precision, even with it")
