"""Labelling a file of any size: in constant memory, and on again after an interruption."""

from __future__ import annotations

import time
from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, replace
from importlib.metadata import version
from pathlib import Path
from typing import Any

import numpy as np
import polars as pl

from assay.label.answering import Answering, answer
from assay.label.cascade import Cascade, in_order
from assay.label.extract.places import in_own_place
from assay.label.gold import read_gold
from assay.label.kinds import Fitted, kind_of
from assay.label.open import Desk
from assay.label.output import beside
from assay.label.recording import record
from assay.label.result import LabelResult
from assay.label.review.gold import with_reviewed
from assay.label.rows import Rows, read_rows, rows_of
from assay.label.run import Order, fit, given_by, measured
from assay.label.spec import Answers, Gold
from assay.label.spool import Contents, Spool, fingerprint_of, numbered
from assay.label.summary import Summary
from assay.label.tabled import answers_table
from assay.label.task import LabelTask
from assay.llm import Gateway, Progress, Spend
from assay.tables.appending import appending, check_appendable
from assay.tables.door import to_polars
from assay.tables.fingerprint import fingerprint
from assay.tables.portions import Portions
from assay.tables.rows import ROW_ID

PIECE = 5000
"""Rows in memory at once."""


def stream_file(
    data: str | Path,
    task: Any,
    gold: Any = None,
    *,
    out: str | Path,
    desk: Desk,
    order: Order,
    progress: Callable[[Progress], None] = lambda _: None,
    piece: int = PIECE,
) -> Summary:
    """Label a CSV, TSV, JSON lines or Parquet file; write the rows with their labels.

    The rows get the labels that :func:`assay.label.label` would give them. A labelling that
    was killed goes on where it was when it is called again with the same input and order: rows
    that were answered are not asked again, and the file comes out the same.

    Parameters
    ----------
    out
        Where the rows go; CSV, TSV, JSON lines or Parquet.
    progress
        Told how many rows are done.
    piece
        Rows in memory at once.
    """
    began = time.monotonic()
    check_appendable(Path(out))
    task, data = LabelTask.of(task), Path(data)
    portions = Portions(data, piece)
    if order.reviewed:
        gold = with_reviewed(gold, desk.gateway.ledger, _reading(task, portions))
    gold = None if gold is None else to_polars(gold)
    spool = Spool(_folder(desk, data, task, gold, order, piece))
    progress(Progress("reading the rows", 0, 0))
    contents = spool.fill(portions, task, order.settings, _named_ids(gold, task))
    task, kind = contents.task, kind_of(contents.task)
    checked = read_gold(gold, task, kind, rows_of(spool.named(), task))
    fitted = spool.fitted()
    if fitted is None:
        spool.forget_parts()
        unasked = desk.gateway.unasked
        fitted = fit(spool.sample(), checked, task, kind, desk.gateway, order, contents.rows)
        if desk.gateway.unasked == unasked:  # else a higher cap fits it better
            spool.keep(fitted)
    whole = _whole(task, checked, fitted, order, desk)
    answering = Answering(fitted, order.settings.embed)
    work = PartWork(spool.folder, task, checked, answering, whole)
    _answer_all(work, contents, order, desk, progress)
    status = _write_out(Path(out), spool, contents)
    seconds = time.monotonic() - began
    settings = in_order(order.settings, fitted)
    record(whole, spool, contents, desk, seconds=seconds, gold=checked, settings=settings)
    summary = _summary(whole, contents, status, desk, seconds)
    spool.remove()
    return summary


@dataclass(frozen=True, eq=False)
class PartWork:
    """Answers pieces of a spool; it can be pickled.

    Attributes
    ----------
    whole
        The result as of no row: its guarantee is that of every piece.
    """

    folder: Path
    task: LabelTask
    gold: Gold | None
    answering: Answering
    whole: LabelResult

    def do(self, number: int, gateway: Gateway) -> int:
        """Answer one piece, write the part, and return its rows."""
        spool = Spool(self.folder)
        _, rows, originals = spool.rows(number, self.task)
        answers = answer(originals, rows, lambda texts: self.answering.answer(texts, gateway))
        answers = in_own_place(answers, rows, self.task)
        result = replace(
            self.whole, rows=rows, answers=answers, given=given_by(self.gold, rows.texts)
        )
        spool.write_answers(number, answers_table(result))
        spool.write_part(number, result.table)
        return len(rows)


@dataclass(frozen=True, eq=False)
class PartWorker:
    """Makes a worker with a gateway of its own."""

    work: PartWork
    door: Any

    @contextmanager
    def __call__(self) -> Iterator[Callable[[int], int]]:
        """Yield what answers one piece."""
        with self.door.opened() as gateway:
            yield lambda number: self.work.do(number, gateway)


def _answer_all(
    work: PartWork,
    contents: Contents,
    order: Order,
    desk: Desk,
    progress: Callable[[Progress], None],
) -> None:
    """Answer the pieces that have no whole part yet."""
    spool = Spool(work.folder)
    left = [number for number in range(contents.pieces) if not spool.part(number).is_file()]
    began, done = time.monotonic(), 0
    for rows in _parts(work, left, order, desk):
        done += rows
        rate = done / (time.monotonic() - began)
        progress(Progress("rows", done, contents.rows, rate, desk.gateway.spend.money))


def _parts(work: PartWork, left: Sequence[int], order: Order, desk: Desk) -> Iterator[int]:
    if order.engine == "local" or not left:
        yield from (work.do(number, desk.gateway) for number in left)
        return
    from assay.engine.cluster import (
        cluster_machines,
        cluster_workers,
        connected,
        run_on_cluster,
    )

    with connected():
        desk.door.check_reach(cluster_machines())
        workers = min(len(left), cluster_workers())
        minutes = desk.gateway.spend.seconds / 60
        make = PartWorker(work, desk.door.shared_by(workers, minutes=minutes))
        yield from run_on_cluster(make, left, workers=workers)


def _whole(
    task: LabelTask, gold: Gold | None, fitted: Fitted, order: Order, desk: Desk
) -> LabelResult:
    none = Rows(pl.DataFrame(schema={ROW_ID: pl.String}), [], {})
    return LabelResult(
        task=task,
        rows=none,
        answers=Answers([], np.empty(0)),
        checked=fitted.checked,
        given={},
        precision=order.precision,
        confidence=order.confidence,
        steps=fitted.steps,
        notes=() if gold is None else gold.notes,
        spend=Spend(),
        seconds=0.0,
        run=desk.run,
        stages=fitted.stages if isinstance(fitted, Cascade) else (),
    )


def _write_out(out: Path, spool: Spool, contents: Contents) -> Counter[str]:
    status: Counter[str] = Counter()
    with appending(out) as add:
        for number in range(contents.pieces):
            own, found = pl.read_parquet(spool.piece(number)), spool.read_part(number)
            status.update(found["status"].to_list())
            add(beside(own, found, contents.task))
    return status


def _summary(
    whole: LabelResult, contents: Contents, status: Counter[str], desk: Desk, seconds: float
) -> Summary:
    return Summary(
        run=desk.run,
        rows=contents.rows,
        status=dict(status),
        coverage=status["accepted"] / contents.rows,
        precision=whole.precision,
        confidence=whole.confidence,
        guarantee=whole.guarantee,
        accuracy=whole.accuracy,
        steps=whole.steps,
        stages=measured(whole.stages, desk.gateway, desk.run),
        notes=whole.notes,
        spend=desk.gateway.spend,
        seconds=seconds,
        copies=contents.copies,
    )


def _reading(task: LabelTask, portions: Portions) -> LabelTask:
    """Return the task with the columns that it reads: those of the first rows where it names none.

    Rows that were reviewed in another file are told from these by what they say.
    """
    first = None if task.inputs else next(iter(portions), None)
    return task if first is None else read_rows(numbered(first, 0), task, portion=True)[1]


def _named_ids(gold: pl.DataFrame | None, task: LabelTask) -> list[str]:
    """Return the ids of gold rows that hold nothing to read but their id."""
    if gold is None or ROW_ID not in gold.columns:
        return []
    if task.inputs and set(task.inputs) <= set(gold.columns):
        return []
    return gold[ROW_ID].cast(pl.String).to_list()


def _folder(
    desk: Desk, data: Path, task: LabelTask, gold: pl.DataFrame | None, order: Order, piece: int
) -> Path:
    """Return the folder of this very labelling, beside the ledger."""
    if not data.is_file():
        Portions(data, piece)  # says what is wrong
    known = fingerprint_of(
        data,
        data.suffixes,
        task.model_dump_json(),
        None if gold is None else fingerprint(gold),
        order.settings.model_dump_json(),
        [rule.written for rule in order.settings.rules],
        order.precision,
        order.confidence,
        piece,
        version("assay"),
    )
    return desk.door.artefacts.parent / "labelling" / known
