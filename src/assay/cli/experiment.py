"""``assay experiment``: the search for the best recipe, watched, then told."""

from __future__ import annotations

import sys
from collections.abc import Iterator
from contextlib import contextmanager, nullcontext, redirect_stdout
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from assay.cli.output import AsJson, ProjectPath, console, emit_json, progress_bar, say_page
from assay.engine.ahead import started_ahead

if TYPE_CHECKING:
    from rich.text import Text

    from assay.experiment.events import Event, Listener, Tried
    from assay.project import Project
    from assay.recipe import Estimator

WORKER = "assay.experiment.search.worker"
"""A search's first process; it starts while this one imports."""


def experiment(
    path: ProjectPath = Path(),
    minutes: Annotated[
        float | None, typer.Option(help="For all of it; the plan's by default, else 10.")
    ] = None,
    plan: Annotated[Path | None, typer.Option(help="A plan by assay plan to follow.")] = None,
    family: Annotated[
        list[str] | None, typer.Option(help="Search in this family alone; may be repeated.")
    ] = None,
    estimator: Annotated[
        list[str] | None, typer.Option(help="Your own, by import path; may be repeated.")
    ] = None,
    command: Annotated[
        str | None, typer.Option(help="Your own training program; see docs/experiments.md.")
    ] = None,
    keep: Annotated[
        list[str] | None, typer.Option(help="A column that gives nothing away; may be repeated.")
    ] = None,
    leave_out: Annotated[
        list[str] | None, typer.Option(help="A column that no recipe reads; may be repeated.")
    ] = None,
    most: Annotated[int | None, typer.Option(help="At most so many recipes.")] = None,
    workers: Annotated[
        int | None, typer.Option(help="Fits side by side; one for each core by default.")
    ] = None,
    fit_seconds: Annotated[float | None, typer.Option(help="The longest one fit may take.")] = None,
    memory: Annotated[float | None, typer.Option(help="Most GiB that one fit may hold.")] = None,
    engine: Annotated[
        str, typer.Option(help="Where fits are done: local, or ray for a cluster.")
    ] = "local",
    confirm: Annotated[
        bool, typer.Option("--confirm/--no-confirm", help="Whether the vault is looked at.")
    ] = True,
    simplest: Annotated[
        bool, typer.Option("--simplest/--best", help="The simplest within one standard error.")
    ] = True,
    html: Annotated[
        Path | None, typer.Option(help="Where the page goes; experiment.html by default.")
    ] = None,
    as_json: AsJson = False,
) -> None:
    """Search for the best recipe and prove it.

    Defaults of many kinds first, then what Optuna proposes; the choice is judged on fresh folds
    and confirmed once on the vault. A stopped search goes on.
    """
    if estimator:
        sys.path.insert(0, str(Path.cwd()))  # before a process starts: it is told the path
    with started_ahead(WORKER) if engine == "local" else nullcontext():
        from assay.experiment import experiment as run
        from assay.experiment.plan import read_plan
        from assay.experiment.report import render_terminal, write_html
        from assay.project import Project

        project = Project.open(path)
        with _watching() as watch:
            result = run(
                project,
                minutes=minutes,
                plan=None if plan is None else read_plan(plan),
                families=family or (),
                estimators=_estimators(project, estimator or [], command),
                keep=keep or (),
                leave_out=leave_out or (),
                most=most,
                workers=workers,
                fit_seconds=fit_seconds,
                memory_gib=memory,
                engine=engine,
                confirm=confirm,
                simplest=simplest,
                on_event=watch,
            )
    if as_json:
        emit_json(result.as_dict())
    else:
        console().print(render_terminal(result))
    page = html or project.path / "experiment.html"
    write_html(result, page)  # told first: a page that cannot be written hides no result
    if not as_json:
        say_page(page)


def _estimators(project: Project, paths: list[str], command: str | None) -> list[Estimator]:
    from assay.recipe import Estimator
    from assay.recipe.command import command_estimator

    found = [Estimator(path=each) for each in paths]
    return found if command is None else [*found, command_estimator(command, project.task)]


@contextmanager
def _watching() -> Iterator[Listener]:
    """Yield a listener that shows a search on standard error.

    Ray tells of a lost worker on standard output, where the result alone belongs.
    """
    from assay.experiment import events

    with redirect_stdout(sys.stderr), progress_bar() as progress:
        task = progress.add_task("looking at the rows", total=None)

        def watch(event: Event) -> None:
            match event:
                case events.Noted(text):
                    progress.console.print(text, style="yellow", markup=False)
                case events.Tried():
                    progress.console.print(_line(event))
                case events.Working(what, done, total):
                    progress.update(
                        task, description=what, completed=round(done), total=round(total)
                    )

        yield watch


def _line(event: Tried) -> Text:
    from rich.text import Text

    entrant = event.entrant
    if entrant.state == "failed":
        return Text(f"failed     {entrant.family}: {entrant.reason}", style="red")
    told = f"{entrant.state:<9}  {entrant.score:+.4f}  {entrant.family} ({entrant.origin})"
    style = "bold green" if event.best else "" if entrant.state == "finished" else "dim"
    return Text(told, style=style)
