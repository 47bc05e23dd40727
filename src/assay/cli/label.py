"""``assay label``: rows in a file get labels, and a guarantee measured on checked rows."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from assay.cli.label_order import (
    label_budget,
    label_settings,
    label_task,
    labelling_project,
    wanted_path,
)
from assay.cli.label_telling import say_stage, tell_forecast, tell_labelling, watching
from assay.cli.output import AsJson

if TYPE_CHECKING:
    from collections.abc import Callable

    from assay.label.open import Desk
    from assay.label.run import Order
    from assay.label.task import LabelTask
    from assay.llm import Progress

Data = Annotated[
    Path,
    typer.Argument(help="CSV, TSV, JSON lines (.gz too) or Parquet.", show_default=False),
]
Classes = Annotated[
    list[str] | None,
    typer.Option("--class", help="NAME or NAME=DESCRIPTION; once for each class."),
]


def label(
    data: Data,
    out: Annotated[
        Path | None, typer.Option(help="Where the rows go: .csv, .jsonl or .parquet.")
    ] = None,
    classes: Classes = None,
    task: Annotated[Path | None, typer.Option(help="A task as TOML or JSON.")] = None,
    text: Annotated[
        list[str] | None, typer.Option(help="A column to read; by default all.")
    ] = None,
    target: Annotated[
        str | None, typer.Option(help="What is asked, and the label's column: label by default.")
    ] = None,
    gold: Annotated[Path | None, typer.Option(help="Rows that a person checked.")] = None,
    precision: Annotated[
        float | None, typer.Option(help="Share of the accepted labels that must be right.")
    ] = None,
    confidence: Annotated[float, typer.Option(help="How sure that must be.")] = 0.95,
    model: Annotated[
        list[str] | None, typer.Option(help="provider:model; several are a cascade.")
    ] = None,
    voter: Annotated[
        list[str] | None, typer.Option(help="A further model that votes on every row.")
    ] = None,
    embed: Annotated[str | None, typer.Option(help="Turns texts into vectors.")] = None,
    copies: Annotated[
        str, typer.Option(help="Which copies are asked once: exact, near, off.")
    ] = "exact",
    student: Annotated[
        str | None,
        typer.Option(help="What learns from votes and checked rows: fine-tuned or linear."),
    ] = None,
    seed: Annotated[int | None, typer.Option(help="All randomness derives from it.")] = None,
    money: Annotated[float | None, typer.Option(help="At most so many US dollars.")] = None,
    calls: Annotated[int | None, typer.Option(help="At most so many model calls.")] = None,
    tokens: Annotated[int | None, typer.Option(help="At most so many tokens.")] = None,
    minutes: Annotated[float | None, typer.Option(help="Stop asking after so long.")] = None,
    unpriced_ok: Annotated[
        bool, typer.Option("--unpriced-ok", help="Ask models whose price is not known.")
    ] = False,
    engine: Annotated[str, typer.Option(help="local or ray.")] = "local",
    dry_run: Annotated[
        bool, typer.Option("--dry-run", help="Tell calls, tokens and cost; ask nothing.")
    ] = False,
    path: Annotated[
        Path | None, typer.Option("--path", help="A project: its task, models and ledger.")
    ] = None,
    as_json: AsJson = False,
) -> None:
    """Label the rows of a file.

    The rows are written with label, probability, status and why beside their own columns. A
    stopped run continues where it was. In a project the task and the models are the project's.
    """
    from assay.label.dry import forecast
    from assay.label.open import desk
    from assay.label.run import Order
    from assay.tables import read_table

    project = labelling_project(path, given=bool(classes or task))
    asked = label_task(classes, task, {"inputs": text, "target": target}, project)
    settings = label_settings(project, {"models": tuple(model or ()) or None,
                                   "voters": tuple(voter or ()) or None, "embed": embed,
                                   "copies": copies, "student": student, "seed": seed})  # fmt: skip
    checked = None if gold is None else read_table(gold)
    budget = label_budget(project, money=money, calls=calls, tokens=tokens, minutes=minutes)
    order = Order(settings, precision, confidence, engine, say_stage(as_json),
                  reviewed=project is not None)  # fmt: skip
    with (
        watching() as watch,
        desk(project, budget=budget, progress=watch, unpriced_ok=unpriced_ok) as made,
    ):
        if dry_run:
            tell_forecast(
                forecast(
                    data,
                    asked,
                    checked,
                    gateway=made.gateway,
                    settings=settings,
                    reviewed=order.reviewed,
                ),
                as_json=as_json,
            )
            return
        found = _label(data, asked, checked, wanted_path(out), made, order, watch)
    tell_labelling(found, as_json=as_json)


def _label(
    data: Path,
    task: LabelTask,
    gold: Any,
    out: Path,
    made: Desk,
    order: Order,
    watch: Callable[[Progress], None],
) -> dict[str, Any]:
    """Label the file; where gold measures nothing, write the rows to check beside the output."""
    from assay.label.files import label_file

    summary = label_file(data, task, gold, out=out, desk=made, order=order, progress=watch)
    notes: list[str] = []
    check = None if summary.accuracy is not None else _to_check(out, made, notes)
    return {"summary": summary, "out": out, "check": check, "warnings": notes}


def _to_check(out: Path, made: Desk, notes: list[str]) -> Path | None:
    """Write the rows most worth a check; return where they are."""
    from assay.label.review.filling import is_kept, rows_to_fill
    from assay.label.review.opening import spreading
    from assay.label.store import recall
    from assay.tables import write_table

    found = recall(made.ledger, made.run)
    rows = rows_to_fill(found, spreading(made.gateway, found.settings.embed, notes))
    if rows.is_empty():
        return None
    check = out.with_name(f"{out.name.partition('.')[0]}.check.csv")
    if is_kept(check, found.result.task.target):
        notes.append(
            f"{check.name} was left as it is: what it holds was filled in, or is not ours. "
            "Give it back with --gold, or move it away and run again."
        )
    else:
        write_table(rows, check)
    return check
