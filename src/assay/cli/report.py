"""``assay report``: a run told again from the ledger."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from assay.cli.output import AsJson, ProjectPath, console, emit_json, say_page


def report(
    path: ProjectPath = Path(),
    run: Annotated[str | None, typer.Option(help="The run; the newest by default.")] = None,
    html: Annotated[Path | None, typer.Option(help="Write the page here.")] = None,
    as_json: AsJson = False,
) -> None:
    """Show a run again; write it as HTML."""
    from assay.improve.report import render_terminal, write_html
    from assay.improve.run import recorded_result
    from assay.project import Project

    result = recorded_result(Project.open(path).ledger(), run)
    if html is not None:
        write_html(result, html)
    if as_json:
        emit_json(result.as_dict())
        return
    console().print(render_terminal(result))
    if html is not None:
        say_page(html)
