"""One labelling from the door to its result."""

from __future__ import annotations

import time
from collections.abc import Mapping
from typing import Any

import numpy as np

from assay.label.gold import contradicted, read_gold
from assay.label.kinds import Fitted, Kind, kind_of
from assay.label.result import LabelResult
from assay.label.rows import Rows, read_rows
from assay.label.spec import Answers, Gold, LabelSettings
from assay.label.store import save
from assay.label.task import LabelTask
from assay.llm import Gateway
from assay.seeds import derive_seed


def run_labelling(
    given: Any,
    task: LabelTask,
    gold: Any,
    *,
    gateway: Gateway,
    settings: LabelSettings,
    precision: float | None,
    confidence: float,
    run: str,
) -> LabelResult:
    """Label all rows; see :func:`assay.label.label`."""
    began = time.monotonic()
    rows, task = read_rows(given, task)
    kind = kind_of(task)
    checked_rows = read_gold(gold, task, kind, rows)
    fitted = fit(rows, checked_rows, task, kind, gateway, settings)
    answers = answer(rows, fitted, gateway)
    result = LabelResult(
        task=task,
        rows=rows,
        answers=answers,
        checked=fitted.checked,
        given=_given(rows, checked_rows),
        precision=precision,
        confidence=confidence,
        steps=fitted.steps,
        notes=() if checked_rows is None else checked_rows.notes,
        spend=gateway.spend,
        seconds=time.monotonic() - began,
        run=run,
    )
    save(result, gateway.ledger, gold=checked_rows, settings=settings)
    return result


def fit(
    rows: Rows,
    gold: Gold | None,
    task: LabelTask,
    kind: Kind,
    gateway: Gateway,
    settings: LabelSettings,
) -> Fitted:
    """Learn how much each annotator counts, from gold and a sample of the rows."""
    usable = [row for row in range(len(rows)) if row not in rows.why and row not in rows.suspect]
    if len(usable) > settings.fit_rows:
        random = np.random.default_rng(derive_seed(settings.seed, "fit"))
        usable = sorted(random.choice(usable, settings.fit_rows, replace=False).tolist())
    return kind.fit([rows.texts[row] for row in usable], gold, task, gateway, settings)


def answer(rows: Rows, fitted: Fitted, gateway: Gateway) -> Answers:
    """Answer every row that can be asked about."""
    usable = [row for row in range(len(rows)) if row not in rows.why]
    some = fitted.answer([rows.texts[row] for row in usable], gateway)
    labels: list[Any] = [None] * len(rows)
    probability = np.full(len(rows), np.nan)
    probability[usable] = some.probability
    for row, label in zip(usable, some.labels, strict=True):
        labels[row] = label
    votes = {}
    for name, shares in some.votes.items():
        votes[name] = np.full((len(rows), shares.shape[1]), np.nan)
        votes[name][usable] = shares
    why = dict(rows.why) | {usable[row]: each for row, each in some.why.items()}
    flags = _both(rows.flags, {usable[row]: each for row, each in some.flags.items()})
    return Answers(labels, probability, why, votes, flags)


def _given(rows: Rows, gold: Gold | None) -> dict[int, Any]:
    """Return the rows to label that gold holds, by what they say."""
    if gold is None:
        return {}
    known = dict(zip(gold.texts, gold.labels, strict=True))
    for text in contradicted(gold):
        del known[text]
    return {row: known[text] for row, text in enumerate(rows.texts) if text in known}


def _both(some: Mapping[int, str], others: Mapping[int, str]) -> dict[int, str]:
    told = dict(some)
    for row, each in others.items():
        told[row] = f"{told[row]}; {each}" if row in told else each
    return told
