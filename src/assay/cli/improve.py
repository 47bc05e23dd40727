"""``assay improve``: the loop, watched, then told."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Any

import typer

from assay.cli.output import AsJson, ProjectPath, console, emit_json


def improve(
    path: ProjectPath = Path(),
    minutes: Annotated[float | None, typer.Option(help="Stop screening after so long.")] = None,
    calls: Annotated[int | None, typer.Option(help="At most so many model calls.")] = None,
    tokens: Annotated[int | None, typer.Option(help="At most so many tokens.")] = None,
    money: Annotated[float | None, typer.Option(help="At most so many US dollars.")] = None,
    html: Annotated[
        Path | None, typer.Option(help="Where the page goes; report.html by default.")
    ] = None,
    as_json: AsJson = False,
) -> None:
    """Improve the recipe and prove it.

    Gathers proposals, screens each on your labelled rows, keeps what helps, and confirms the
    bundle once on the vault. A stopped run continues where it was.
    """
    from dataclasses import replace

    from assay.cli.watch import Watch
    from assay.improve import improve as run
    from assay.improve.report import render_terminal, write_html
    from assay.project import Project

    project = Project.open(path)
    given: dict[str, Any] = {"minutes": minutes, "calls": calls, "tokens": tokens, "money": money}
    caps = {name: cap for name, cap in given.items() if cap is not None}
    with Watch() as watch:
        result = run(project, budget=replace(project.settings.budget, **caps), on_event=watch)
    page = html or project.path / "report.html"
    write_html(result, page)
    if as_json:
        emit_json(result.as_dict())
    else:
        console().print(render_terminal(result))
        console().print(f"page: {page}", highlight=False)
