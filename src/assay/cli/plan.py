"""``assay plan``: from a sentence to ``plan.toml`` and a page."""

from __future__ import annotations

import shlex
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from assay.cli.output import AsJson, ProjectPath, console, emit_json

if TYPE_CHECKING:
    from rich.table import Table

    from assay.experiment.plan import ExperimentPlan


def plan(
    question: Annotated[str, typer.Argument(help="What is wanted, and what mistakes cost.")],
    path: ProjectPath = Path(),
    model: Annotated[
        str | None, typer.Option(help="A language model that adds to the rules' plan.")
    ] = None,
    out: Annotated[
        Path | None, typer.Option(help="Where the plan goes; plan.toml by default.")
    ] = None,
    as_json: AsJson = False,
) -> None:
    """Plan an experiment from a sentence, by rules; a language model may add to it.

    Writes plan.toml and plan.html beside it. What a model suggests is taken only where columns,
    families and parameters exist and values are in range.
    """
    from assay.experiment.plan import make_plan, write_plan
    from assay.experiment.plan.page import write_page
    from assay.project import Project

    project = Project.open(path)
    with console(err=True).status("reading the project"):
        made = make_plan(project, question, model=model)
    file = out or project.path / "plan.toml"
    write_plan(made, file)
    write_page(made, file.with_suffix(".html"))
    if as_json:
        emit_json(made.model_dump(mode="json"))
        return
    console().print(_table(made))
    for each in made.dropped:
        told = f"dropped, from {each.by}: {each.what} ({each.reason})"
        console().print(told, style="dim", highlight=False, markup=False)
    where = [] if path == Path() else ["--path", str(path)]
    command = shlex.join(["assay", "experiment", *where, "--plan", str(file)])
    told = f"plan: {file}; follow it with {command}"
    console().print(told, highlight=False, markup=False, soft_wrap=True)


def _table(plan: ExperimentPlan) -> Table:
    from rich.table import Table
    from rich.text import Text

    table = Table(box=None, show_header=False, padding=(0, 2, 0, 0), pad_edge=False)
    table.add_column(style="dim", no_wrap=True)
    table.add_column(ratio=3, overflow="fold")
    table.add_column(ratio=2, overflow="fold", style="dim")
    before = ""
    for line in plan.lines:
        if line.section == "search space":  # long, and in the files
            continue
        heading = "" if line.section == before else line.section
        by = "" if line.by == "rule" else f" [{line.by}]"
        table.add_row(heading, Text(line.what + by), Text(line.why))
        before = line.section
    return table
