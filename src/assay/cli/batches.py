"""``assay batches``: what providers were given to answer later."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from assay.cli.output import AsJson, ProjectPath, console, emit_json

if TYPE_CHECKING:
    from assay.project import Project

app = typer.Typer(help="List and cancel batches at providers.", invoke_without_command=True)


@app.callback()
def batches(context: typer.Context, path: ProjectPath = Path(), as_json: AsJson = False) -> None:
    """List batches: state, rows, model and cost. Providers are asked about the open ones."""
    if context.invoked_subcommand is not None:
        return
    from dataclasses import asdict

    from rich.table import Table

    from assay.llm.batch.listing import Desk
    from assay.project import Project

    with Desk(Project.open(path).ledger()) as desk:
        found = desk.listed()
    if as_json:
        emit_json([asdict(each) for each in found])
        return
    table = Table(box=None, header_style="dim")
    for heading in ("batch", "model", "state"):
        table.add_column(heading)
    for heading in ("rows", "answered", "collected", "US dollars", "reserved"):
        table.add_column(heading, justify="right")
    for each in found:
        counts = (f"{each.rows:,}", f"{each.done:,}", f"{each.collected:,}")
        table.add_row(
            each.id, each.model, each.state, *counts, f"{each.money:.4f}", f"{each.reserved:.4f}"
        )
    console().print(table if found else "No batches yet. They are made by --batch.")
    for each in found:
        if each.why is not None:
            console(err=True).print(f"{each.id}: {each.why}", markup=False)


@app.command()
def cancel(
    batch: Annotated[str, typer.Argument(help="Its id; see assay batches.")],
    path: ProjectPath = Path(),
    as_json: AsJson = False,
) -> None:
    """Stop a batch. What was answered by then is paid for, and is collected as ever."""
    from dataclasses import asdict

    from assay.llm.batch.listing import Desk
    from assay.project import Project

    with Desk(Project.open(path).ledger()) as desk:
        stopped = desk.cancel(batch)
    if as_json:
        emit_json(asdict(stopped))
        return
    console().print(f"{stopped.id} is {stopped.state}.", markup=False)
    console().print("The command that made it collects what was answered.")


@contextmanager
def telling_what_goes_on(project: Project, *, batch: bool) -> Iterator[None]:
    """Say at the end, Ctrl-C included, which batches go on without this process."""
    try:
        yield
    finally:
        if batch:
            _tell(project)


def _tell(project: Project) -> None:
    from assay.ledger.batches import BatchBook

    going_on = [each.remote for each in BatchBook(project.ledger()).open() if each.remote]
    if going_on:
        what = "A batch goes" if len(going_on) == 1 else f"{len(going_on)} batches go"
        console(err=True).print(
            f"{what} on at the provider: {', '.join(going_on)}. Run the same command again to "
            "collect; assay batches lists, assay batches cancel ID stops.",
            markup=False,
            highlight=False,
            soft_wrap=True,
        )
