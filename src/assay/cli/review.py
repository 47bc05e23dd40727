"""``assay review``: a person checks the rows that teach most."""

from __future__ import annotations

import getpass
from pathlib import Path
from typing import Annotated, Any

import typer
from typer.core import TyperGroup

from assay.cli.output import AsJson, ProjectPath, console, emit_json

RunId = Annotated[str | None, typer.Option(help="The labelling's run; by default the latest.")]


class DefaultToRows(TyperGroup):
    """A group that reviews rows where no other of its commands is named."""

    def parse_args(self, ctx: Any, args: list[str]) -> list[str]:
        """Put the name of the default command first where there is none."""
        if not args or (args[0] not in self.commands and args[0] not in ("--help", "-h")):
            args = ["rows", *args]
        return super().parse_args(ctx, args)


app = typer.Typer(
    cls=DefaultToRows,
    help="Check labels: in this terminal, or elsewhere by export and import.",
    pretty_exceptions_enable=False,
    add_completion=False,
)


@app.command()
def rows(
    data: Annotated[
        Path | None, typer.Argument(help="Rows to check; by default the latest labelling's.")
    ] = None,
    run: RunId = None,
    path: ProjectPath = Path(),
    count: Annotated[int, typer.Option("--rows", min=1, help="Rows in a new draw.")] = 60,
    classes: Annotated[
        str | None, typer.Option(help="Of rows nobody labelled yet, comma-separated.")
    ] = None,
    reviewer: Annotated[
        str | None, typer.Option(help="Who decides; by default your user name.")
    ] = None,
    blind: Annotated[bool, typer.Option("--blind", help="Hide suggestions and votes.")] = False,
    skipped: Annotated[
        bool, typer.Option("--skipped", help="Show rows again that were skipped.")
    ] = False,
    as_json: AsJson = False,
) -> None:
    """Check rows in this terminal, one key a row; quit and resume at any time."""
    from assay.label.review.desk import Desk
    from assay.label.review.opening import batches_of, embedder, labelling_ledger, labelling_of
    from assay.label.review.summary import summarise
    from assay.label.review.terminal import edited, require_terminal, review

    require_terminal()
    named = [each.strip() for each in classes.split(",")] if classes else []
    who = reviewer or getpass.getuser()
    notes: list[str] = []
    with labelling_ledger(path) as (ledger, project):
        labelling = labelling_of(ledger, project, rows=data, run=run, classes=named)
        with console(err=True).status("choosing rows"):
            embed = embedder(labelling, ledger, project, notes)
            batches = batches_of(labelling, ledger, reviewer=who, n=count, embed=embed)
        desk = Desk(
            labelling.result, ledger, batches, reviewer=who, show_skipped=skipped, edit=edited
        )
        review(desk, blind=blind)
        summary = summarise(labelling.result, ledger)
    if as_json:
        emit_json(summary.as_dict() | {"warnings": notes})
        return
    left = len(desk.session.row_ids) - desk.session.checked - len(desk.session.skipped)
    after = f"{left:,} rows left: run it again to go on" if left else "all drawn rows are decided"
    _tell([*summary.lines(), *notes, after])


def _tell(lines: list[str]) -> None:
    for line in lines:
        console().print(line, highlight=False, markup=False, soft_wrap=True)
