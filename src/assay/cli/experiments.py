"""``assay experiments``: a search told again from the ledger."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from assay.cli.output import AsJson, ProjectPath, console, emit_json, say_page


def experiments(
    path: ProjectPath = Path(),
    run: Annotated[str | None, typer.Option(help="The search; the newest by default.")] = None,
    count: Annotated[int, typer.Option("-n", "--count", min=1, help="The best so many.")] = 15,
    html: Annotated[Path | None, typer.Option(help="Write the page here.")] = None,
    as_json: AsJson = False,
) -> None:
    """Show the leaderboard of a search, with intervals; write it as HTML."""
    from assay.experiment.record import recorded_experiment
    from assay.experiment.report import render_terminal, write_html
    from assay.project import Project

    result = recorded_experiment(Project.open(path).ledger(), run)
    if html is not None:
        write_html(result, html)
    if as_json:
        emit_json(result.as_dict())
        return
    console().print(render_terminal(result, count=count))
    if html is not None:
        say_page(html)
