"""Finding what to review: the ledger, the labelling, and the rows drawn from it."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import numpy as np

from assay.config import cache_dir
from assay.errors import AssayError, InputError, ProjectError
from assay.label.result import LabelResult
from assay.label.review.order import Embed, worth_checking
from assay.label.review.record import Batch, read_batches, read_decisions, record_batch
from assay.label.rows import read_rows
from assay.label.spec import Answers
from assay.label.store import LABELLING, Labelling, is_of, recall, save
from assay.label.task import LabelTask
from assay.ledger import Ledger
from assay.llm import Gateway, Spend
from assay.project import Project
from assay.seeds import derive_seed
from assay.tables import read_table


@contextmanager
def labelling_ledger(path: Path) -> Iterator[tuple[Ledger, Project | None]]:
    """Yield the ledger of the project at ``path``, or the user's own where there is none."""
    try:
        project = Project.open(path)
    except ProjectError:
        if path != Path():
            raise
        folder = cache_dir() / "label"
        folder.mkdir(exist_ok=True)
        with Ledger.open(folder / "ledger.sqlite") as ledger:
            yield ledger, None
    else:
        yield project.ledger(), project


def labelling_of(
    ledger: Ledger,
    project: Project | None,
    *,
    rows: Any = None,
    run: str | None = None,
    classes: Sequence[str] = (),
) -> Labelling:
    """Return the labelling to review.

    Parameters
    ----------
    rows
        Rows that were labelled, or that nobody labelled yet; those are reviewed without
        suggestions.
    run
        The labelling's run; by default the latest one.
    classes
        Of rows that nobody labelled; by default the project's.

    Raises
    ------
    InputError
        When the rows and a run are both given, the file of rows cannot be read, or there are no
        classes.
    LedgerError
        When there is no such labelling.
    """
    if rows is None:
        return recall(ledger, run)
    if run is not None:
        raise InputError("Give rows or --run, not both.")
    if isinstance(rows, str | Path):
        rows = read_table(rows)
    found = _earlier(ledger, rows)
    return found or _unlabelled(ledger, project, rows, classes)


def batches_of(
    labelling: Labelling,
    ledger: Ledger,
    *,
    reviewer: str | None,
    n: int,
    embed: Embed | None = None,
) -> list[Batch]:
    """Return the rows drawn so far; a new draw where the reviewer has decided on all of them.

    With None as the reviewer: where every row was decided by somebody.
    """
    run, result = labelling.result.run, labelling.result
    batches, decisions = read_batches(ledger, run), read_decisions(ledger, run)
    drawn = {each for batch in batches for each in batch.row_ids}
    own = {each.row_id for each in decisions if reviewer in (None, each.reviewer)}
    if drawn - own:
        return batches
    seen = drawn | {each.row_id for each in decisions}
    seed = derive_seed(labelling.settings.seed, "review", len(batches))
    rows = worth_checking(result, embed, n=n, seed=seed, leave_out=seen)
    return batches if rows.is_empty() else [*batches, record_batch(ledger, run, rows)]


def embedder(
    labelling: Labelling, ledger: Ledger, project: Project | None, notes: list[str]
) -> Embed:
    """Return what turns texts into vectors; where that fails, rows are alike and ``notes`` say so.

    Texts that were embedded for the labelling are not embedded again.
    """

    def embed(texts: Sequence[str]) -> Any:
        run = labelling.result.run
        made = Gateway(ledger, run=run) if project is None else project.gateway(run=run)
        with made as gateway:
            return spreading(gateway, labelling.settings.embed, notes)(texts)

    return embed


def spreading(gateway: Gateway, model: str, notes: list[str]) -> Embed:
    """Return what embeds texts; where that fails, rows are alike and ``notes`` say so."""

    def embed(texts: Sequence[str]) -> Any:
        try:
            return gateway.embed(model, texts)
        except AssayError as error:
            notes.append(f"The rows are not spread over kinds of text: {error.problem}")
            return np.zeros((len(texts), 1))

    return embed


def _earlier(ledger: Ledger, rows: Any) -> Labelling | None:
    """Return the latest labelling of exactly these rows."""
    for event in reversed(ledger.entries("event")):
        if event.key != LABELLING:
            continue
        try:
            read, _ = read_rows(rows, LabelTask.model_validate(event.body["task"]))
        except InputError:  # other columns, so other rows
            continue
        if is_of(event, read.table, ledger):
            return recall(ledger, event.run)
    return None


def _unlabelled(
    ledger: Ledger, project: Project | None, rows: Any, classes: Sequence[str]
) -> Labelling:
    if not classes and project is None:
        raise InputError(
            "Nobody labelled these rows yet, and there are no classes to choose from.",
            next_step="name them with --classes A,B, or label the rows first",
        )
    task = LabelTask.of(list(classes) if classes or project is None else project.task)
    read, task = read_rows(rows, task)
    run = ledger.start_run("review", {})
    nothing = Answers([None] * len(read), np.full(len(read), np.nan), why=dict(read.why))
    result = LabelResult(
        task=task, rows=read, answers=nothing, checked=None, given={}, precision=None,
        confidence=0.95, steps=(), notes=(), spend=Spend(), seconds=0.0, run=run,
    )  # fmt: skip
    save(result, ledger)
    return recall(ledger, run)
