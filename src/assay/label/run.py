"""One labelling from the door to its result."""

from __future__ import annotations

import time
from collections.abc import Callable, Collection, Sequence
from dataclasses import dataclass, field, replace
from typing import Any

from assay.engine import check_engine
from assay.errors import InputError
from assay.evidence.precision_tests import require_shares
from assay.label.answering import answer, ask_with
from assay.label.building import Goal, fit_cascade
from assay.label.cascade import Cascade, in_order
from assay.label.copies import Original, copies_of
from assay.label.door import Door
from assay.label.extract.places import in_own_place
from assay.label.gold import contradicted, read_gold
from assay.label.kinds import Fitted, Kind, kind_of
from assay.label.result import LabelResult
from assay.label.review.gold import with_reviewed
from assay.label.rows import read_rows
from assay.label.sample import Sample
from assay.label.spec import Cost, Gold, LabelSettings, Stage
from assay.label.store import save
from assay.label.task import LabelTask
from assay.ledger.spending import spending
from assay.llm import Gateway

RULED = ("single", "multi", "ordinal", "match")
"""Kinds of task in which the user's own rules, and further models, vote."""


@dataclass(frozen=True)
class Order:
    """What is asked of a labelling.

    Attributes
    ----------
    settings
        How the annotators work.
    precision, confidence
        What the accepted labels must hold; no precision: every label is accepted.
    engine
        ``local``, or ``ray``.
    tell
        Told of each stage of a cascade before its model is asked.
    reviewed
        Whether rows that people checked earlier in this ledger are gold too.
    """

    settings: LabelSettings
    precision: float | None = None
    confidence: float = 0.95
    engine: str = "local"
    tell: Callable[[Stage], None] = field(default=lambda _: None)
    reviewed: bool = False

    def __post_init__(self) -> None:
        check_engine(self.engine)
        if not self.settings.models:
            raise InputError("No model is named.", next_step="name one, or leave the models out")
        named = [*self.settings.models, *self.settings.voters]
        if len(set(named)) < len(named):
            raise InputError("A model is named twice.", given=", ".join(named),
                             next_step="name each once, in the cascade or as a voter")  # fmt: skip
        rules = [each.name for each in self.settings.rules]
        if len(set(rules)) < len(rules):
            raise InputError("Two rules have one name.", given=", ".join(rules))
        require_shares(precision=self.precision, confidence=self.confidence)

    def goal(self, rows: int) -> Goal:
        """Return what a cascade of ``rows`` rows aims at."""
        return Goal(self.precision, self.confidence, rows, self.tell)


def run_labelling(
    given: Any,
    task: LabelTask,
    gold: Any,
    order: Order,
    *,
    gateway: Gateway,
    run: str,
    door: Door | None = None,
) -> LabelResult:
    """Label all rows; see :func:`assay.label.label`."""
    began, settings = time.monotonic(), order.settings
    rows, task = read_rows(given, task)
    kind = kind_of(task)
    if order.reviewed:
        gold = with_reviewed(gold, gateway.ledger, task)
    checked_rows = read_gold(gold, task, kind, rows)
    ids = rows.table["row_id"].to_list()
    originals = copies_of(task, settings).originals(ids, rows.texts)
    sample = Sample(settings.fit_rows, settings.seed)
    sample.add(readable(originals, rows.unfit))
    fitted = fit(sample.texts, checked_rows, task, kind, gateway, order, len(rows))
    ask = ask_with(order.engine, fitted, gateway, door, order.settings.embed)
    answers = in_own_place(answer(originals, rows, ask), rows, task)
    stages = fitted.stages if isinstance(fitted, Cascade) else ()
    result = LabelResult(
        task=task,
        rows=rows,
        answers=answers,
        checked=fitted.checked,
        given=given_by(checked_rows, rows.texts),
        precision=order.precision,
        confidence=order.confidence,
        steps=fitted.steps,
        notes=() if checked_rows is None else checked_rows.notes,
        spend=gateway.spend,
        seconds=time.monotonic() - began,
        run=run,
        stages=measured(stages, gateway, run),
    )
    save(result, gateway.ledger, gold=checked_rows, settings=in_order(settings, fitted))
    return result


def fit(
    texts: Sequence[str],
    gold: Gold | None,
    task: LabelTask,
    kind: Kind,
    gateway: Gateway,
    order: Order,
    rows: int,
) -> Fitted:
    """Learn how much each annotator counts, from gold and a sample of the rows."""
    if (order.settings.rules or order.settings.voters) and task.kind not in RULED:
        raise InputError("Rules and further models vote only where a row gets classes.",
                         given=task.kind, allowed=", ".join(RULED),
                         next_step="leave the rules and the voters out")  # fmt: skip
    if len(order.settings.models) == 1:
        return kind.fit(texts, gold, task, gateway, order.settings)
    return fit_cascade(texts, gold, task, kind, gateway, order.settings, order.goal(rows))


def readable(originals: Sequence[Original], left_out: Collection[int]) -> list[str]:
    """Return what the rows are asked with, but for those left out."""
    return [each.text for row, each in enumerate(originals) if row not in left_out]


def given_by(gold: Gold | None, texts: Sequence[str]) -> dict[int, Any]:
    """Return the rows to label that gold holds, by what they say."""
    if gold is None:
        return {}
    known = dict(zip(gold.texts, gold.labels, strict=True))
    for text in contradicted(gold):
        del known[text]
    return {row: known[text] for row, text in enumerate(texts) if text in known}


def measured(stages: Sequence[Stage], gateway: Gateway, run: str) -> tuple[Stage, ...]:
    """Return the stages with what each model cost in this run."""
    if not stages:
        return ()
    spent = {each.group: each for each in spending(gateway.ledger, "model", run=run)}

    def cost(model: str) -> Cost:
        if model not in spent:
            return Cost()
        found = spent[model]
        return Cost(found.calls, found.tokens_in + found.tokens_out, found.money)

    return tuple(replace(each, measured=cost(each.model)) for each in stages)
