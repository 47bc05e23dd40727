"""What a labelling would take: rehearsed on real prompts, with nothing sent."""

from __future__ import annotations

import warnings
from collections.abc import Mapping
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any, cast

import numpy as np
import polars as pl

from assay.errors import AssayError
from assay.label.copies import copies_of
from assay.label.gold import read_gold
from assay.label.kinds import kind_of
from assay.label.rehearsal import Rehearsal
from assay.label.review.gold import with_reviewed
from assay.label.rows import read_rows, rows_of
from assay.label.run import readable
from assay.label.sample import Sample
from assay.label.single import SingleLabel
from assay.label.single.fit import tunes
from assay.label.single.tuned import expected_seconds
from assay.label.spec import Cost, Gold, LabelSettings
from assay.label.spool import numbered
from assay.label.task import LabelTask
from assay.llm import Gateway
from assay.tables.door import to_polars
from assay.tables.portions import Portions
from assay.tables.rows import ROW_ID

REHEARSED = 300
"""Rows whose real prompts are counted; the others are supposed to be alike."""


@dataclass(frozen=True)
class Forecast:
    """What a labelling is expected to take.

    Attributes
    ----------
    rows, copies, unread
        Rows in all, those that copy an earlier one, and those without text.
    gold
        Checked rows.
    costs
        By model. A further model of a cascade is asked about the gold rows, and about those
        that are left open: how many is not known before, so it is counted as if all were.
    teaching
        Seconds to fine-tune the student and to judge all rows by it, measured on a few; None
        where its encoder cannot be had now.
    """

    rows: int
    copies: int
    unread: int
    gold: int
    costs: Mapping[str, Cost]
    teaching: float | None = 0.0

    @property
    def seconds(self) -> float:
        """Expected in all, as far as it is known: models one after the other, then teaching."""
        return self.total.seconds + (self.teaching or 0.0)

    @property
    def total(self) -> Cost:
        """Of all models."""
        return sum(self.costs.values(), Cost())

    def as_dict(self) -> dict[str, Any]:
        """Return plain JSON values."""
        costs = {name: asdict(each) for name, each in self.costs.items()}
        total = {"total": asdict(self.total), "seconds": self.seconds}
        return asdict(self) | {"costs": costs} | total


def forecast(
    data: Path,
    task: LabelTask,
    gold: Any,
    *,
    gateway: Gateway,
    settings: LabelSettings,
    reviewed: bool = False,
    piece: int = 5000,
) -> Forecast:
    """Return what labelling a file would take; nothing is sent.

    Answers are made up, so a step that real answers would switch off may be counted: it is an
    estimate. What the ledger knows already costs nothing and is not counted.

    Parameters
    ----------
    reviewed
        Whether rows that people checked earlier in this ledger are gold too.
    """
    copies, sample = copies_of(task, settings), Sample(REHEARSED, settings.seed)
    total = copied = unread = 0
    gold = None if gold is None else to_polars(gold)
    wanted = [] if gold is None or ROW_ID not in gold.columns else gold[ROW_ID].cast(pl.String)
    named: list[pl.DataFrame] = []
    for table in Portions(data, piece):
        rows, task = read_rows(numbered(table, total), task, portion=True)
        originals = copies.originals(rows.table[ROW_ID].to_list(), rows.texts)
        alone = {row for row, each in enumerate(originals) if each.row_id is not None}
        sample.add(readable(originals, alone | rows.unfit))
        named.append(rows.table.filter(rows.table[ROW_ID].is_in(list(wanted))))
        total, copied, unread = total + len(rows), copied + len(alone), unread + len(rows.why)
    kind = kind_of(task)
    if reviewed:
        gold = with_reviewed(gold, gateway.ledger, task)
    checked = read_gold(gold, task, kind, rows_of(pl.concat(named), task))
    asked = total - copied - unread
    costs: dict[str, Cost] = {}
    for model in settings.models:  # voters are asked once, beside the first
        voters = settings.voters if model == settings.models[0] else ()
        alone_settings = settings.model_copy(update={"models": (model,), "voters": voters})
        for name, cost in _rehearsed(sample.texts, checked, task, gateway, alone_settings, asked):
            costs[name] = costs.get(name, Cost()) + cost
    gold_rows = 0 if checked is None else len(checked)
    teaches = isinstance(kind, SingleLabel) and tunes(settings, _drawn(checked))
    teaching = _teaching(sample.texts, asked, gold_rows) if teaches else 0.0
    return Forecast(total, copied, unread, gold_rows, costs, teaching)


def _rehearsed(
    texts: list[str],
    gold: Gold | None,
    task: LabelTask,
    gateway: Gateway,
    settings: LabelSettings,
    rows: int,
) -> list[tuple[str, Cost]]:
    """Return the cost of gold and of all rows, by model."""
    kind = kind_of(task)
    learning, answering = Rehearsal(gateway), Rehearsal(gateway)
    settings = settings.model_copy(update={"student": "linear"})
    with warnings.catch_warnings(), np.errstate(all="ignore"):
        warnings.simplefilter("ignore")  # made-up answers need not make a good fit
        fitted = kind.fit(texts, gold, task, cast(Gateway, learning), settings)
        fitted.answer(texts, cast(Gateway, answering))
    factor = rows / max(len(texts), 1)
    found = [(name, cost.times(factor)) for name, cost in answering.costs.items()]
    if gold is not None:  # what was asked to learn, beyond the rows that are asked anyway
        for name, cost in learning.costs.items():
            found.append((name, _beyond(cost, answering.costs.get(name, Cost()))))
    return found


def _drawn(gold: Gold | None) -> int:
    if gold is None:
        return 0
    return len(gold) if gold.weights is None else int((gold.weights > 0).sum())


def _teaching(texts: list[str], rows: int, gold: int) -> float | None:
    try:
        return expected_seconds(texts, rows, gold)
    except AssayError:  # the encoder cannot be had now; the run will say so
        return None


def _beyond(cost: Cost, known: Cost) -> Cost:
    rest = cost + known.times(-1)
    return Cost(
        max(0, rest.requests), max(0, rest.tokens), max(0.0, rest.money), max(0.0, rest.seconds)
    )
