"""``assay label``: rows in a file get labels, and a guarantee measured on checked rows."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from assay.cli.output import AsJson, console, emit_json, progress_bar

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from rich.console import RenderableType

    from assay.label.dry import Forecast
    from assay.label.open import Desk
    from assay.label.run import Order
    from assay.label.spec import LabelSettings, Stage
    from assay.label.task import LabelTask
    from assay.llm import Budget, Progress
    from assay.project import Project

TO_CHECK = 60
"""Rows that a person is offered to check where there is no gold."""

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
        list[str] | None, typer.Option(help="provider:model; several from the cheapest up.")
    ] = None,
    embed: Annotated[str | None, typer.Option(help="Turns texts into vectors.")] = None,
    copies: Annotated[
        str, typer.Option(help="Which copies are asked once: exact, near, off.")
    ] = "exact",
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
    from assay.label.open import desk
    from assay.label.run import Order
    from assay.tables import read_table

    project = _project(path, given=bool(classes or task))
    asked = _task(classes, task, {"inputs": text, "target": target}, project)
    settings = _settings(project, {"models": tuple(model or ()) or None, "embed": embed,
                                   "copies": copies, "seed": seed})  # fmt: skip
    checked = None if gold is None else read_table(gold)
    budget = _budget(project, money=money, calls=calls, tokens=tokens, minutes=minutes)
    order = Order(settings, precision, confidence, engine, _say_stage(as_json),
                  reviewed=project is not None)  # fmt: skip
    with (
        _watching() as watch,
        desk(project, budget=budget, progress=watch, unpriced_ok=unpriced_ok) as made,
    ):
        if dry_run:
            _foresee(data, asked, checked, made, settings, as_json=as_json)
            return
        found = _label(data, asked, checked, _wanted(out), made, order, watch)
    _told(found, as_json=as_json)


def _label(
    data: Path,
    task: LabelTask,
    gold: Any,
    out: Path,
    made: Desk,
    order: Order,
    watch: Callable[[Progress], None],
) -> dict[str, Any]:
    """Label the file; where there is no gold, write the rows to check beside the output."""
    from assay.label.checklist import Checklist
    from assay.label.files import label_file
    from assay.tables import write_table

    checklist = Checklist(TO_CHECK, order.settings.seed)
    summary = label_file(data, task, gold, out=out, desk=made, order=order, progress=watch,
                         checklist=checklist)  # fmt: skip
    check = None
    if gold is None and checklist.rows.height:
        check = out.with_name(f"{out.name.partition('.')[0]}.check.csv")
        write_table(checklist.to_fill(task), check)
    return {"summary": summary, "out": out, "check": check}


def _told(found: dict[str, Any], *, as_json: bool) -> None:
    from assay.label.report import render_terminal

    out, check = found["out"], found["check"]
    if as_json:
        paths = {"out": str(out), "check": None if check is None else str(check)}
        emit_json(found["summary"].as_dict() | paths)
        return
    console().print(render_terminal(found["summary"]))
    for name, path in (("rows to check", check), ("labels", out)):
        if path is not None:
            console().print(f"{name}: {path}", highlight=False, markup=False, soft_wrap=True)


def _foresee(
    data: Path, task: LabelTask, gold: Any, made: Desk, settings: LabelSettings, *, as_json: bool
) -> None:
    from assay.label.dry import forecast

    found = forecast(data, task, gold, gateway=made.gateway, settings=settings)
    if as_json:
        emit_json(found.as_dict())
    else:
        console().print(_forecast(found))


def _forecast(found: Forecast) -> RenderableType:
    from rich.console import Group
    from rich.table import Table
    from rich.text import Text

    table = Table(box=None, header_style="dim")
    for heading in ("model", "calls", "tokens", "US dollars"):
        table.add_column(heading, justify="left" if heading == "model" else "right")
    for name, cost in found.costs.items():
        table.add_row(name, f"{cost.requests:,}", f"{cost.tokens:,}", f"{cost.money:,.4f}")
    rows = (
        f"{found.rows:,} rows, {found.copies:,} of them copies, {found.unread:,} without text; "
        f"{found.gold:,} checked rows"
    )
    parts: list[RenderableType] = [Text(rows), Text(), table]
    if len(found.costs) > 1:
        more = "A further model is counted as if every row reached it; fewer will."
        parts += [Text(), Text(more, "dim")]
    return Group(*parts)


def _task(
    classes: list[str] | None,
    file: Path | None,
    changes: dict[str, Any],
    project: Project | None,
) -> LabelTask:
    from assay.errors import InputError
    from assay.label.task import LabelTask

    if classes and file:
        raise InputError("Name classes or a task file, not both.", given="--class and --task")
    if classes:
        named = [each.partition("=") for each in classes]
        twice = [name for name, _, _ in named if [each[0] for each in named].count(name) > 1]
        if twice:
            raise InputError("Two classes have one name.", given=twice[0])
        found = LabelTask.of({name.strip(): words.strip() for name, _, words in named})
    elif file:
        found = _read_task(file)
    elif project is not None:
        found = LabelTask.of(project.task)
    else:
        raise InputError(
            "There are no classes to choose from.",
            next_step="give --class NAME=DESCRIPTION for each, --task FILE, or run in a project",
        )
    chosen = {name: tuple(each) if name == "inputs" else each
              for name, each in changes.items() if each}  # fmt: skip
    return found.model_copy(update=chosen)


def _read_task(file: Path) -> LabelTask:
    import json
    import tomllib

    from assay.errors import InputError
    from assay.label.task import LabelTask
    from assay.recipe.text import checked

    try:
        words = file.read_text(encoding="utf-8")
        values = json.loads(words) if file.suffix == ".json" else tomllib.loads(words)
    except (OSError, ValueError) as error:
        raise InputError(f"The task cannot be read: {error}.", given=file) from error
    return checked(LabelTask, values, file.name)


def _project(path: Path | None, *, given: bool) -> Project | None:
    """Return the project that was named, or the one here; none is needed where a task is given."""
    from assay.errors import ProjectError
    from assay.project import Project

    if path is not None:
        return Project.open(path)
    try:
        return Project.open()
    except ProjectError:
        if Path("assay.toml").exists() and not given:
            raise
        return None


def _settings(project: Project | None, options: dict[str, Any]) -> LabelSettings:
    from assay.label.spec import LabelSettings
    from assay.recipe.text import checked

    known: dict[str, Any] = {}
    if project is not None:
        models = project.settings.models
        known = {"models": (models.label,), "embed": models.embed, "seed": project.settings.seed}
    return checked(LabelSettings, known | _given(options), "settings")


def _budget(project: Project | None, **caps: Any) -> Budget:
    from dataclasses import replace

    from assay.llm import Budget

    return replace(Budget() if project is None else project.settings.budget, **_given(caps))


def _wanted(out: Path | None) -> Path:
    from assay.errors import InputError

    if out is None:
        raise InputError("--out is missing.", next_step="say where the labelled rows go")
    return out


def _given(options: dict[str, Any]) -> dict[str, Any]:
    return {name: value for name, value in options.items() if value is not None}


def _say_stage(as_json: bool) -> Callable[[Stage], None]:
    """Return what tells the expected cost of a stronger model before it is asked."""

    def say(stage: Stage) -> None:
        from assay.label.report import cost_text

        if not as_json:
            share = f"{stage.share:.0%}" if stage.share is not None else "some"
            line = f"{share} of the rows go up to {stage.model}: about {cost_text(stage.expected)}"
            console(err=True).print(line, highlight=False, markup=False)

    return say


def _watching() -> Any:
    from contextlib import contextmanager

    @contextmanager
    def watching() -> Iterator[Callable[[Progress], None]]:
        with progress_bar() as bar:
            rows = bar.add_task("rows", total=None)
            question = bar.add_task("starting", total=None)

            def show(seen: Progress) -> None:
                if seen.what == "rows":
                    bar.update(rows, completed=seen.done, total=seen.total)
                    return
                bar.update(
                    question,
                    description=seen.what,
                    completed=seen.done,
                    total=seen.total or None,
                )

            yield show

    return watching()
