"""``assay improve``: the loop, watched, then told."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from assay.cli.options import DryRun, UnpricedOk
from assay.cli.output import AsJson, ProjectPath, console, emit_json, say_page

if TYPE_CHECKING:
    from assay.project import Project


def improve(
    path: ProjectPath = Path(),
    minutes: Annotated[float | None, typer.Option(help="Stop screening after so long.")] = None,
    calls: Annotated[int | None, typer.Option(help="At most so many model calls.")] = None,
    tokens: Annotated[int | None, typer.Option(help="At most so many tokens.")] = None,
    money: Annotated[float | None, typer.Option(help="At most so many US dollars.")] = None,
    min_effect: Annotated[
        float | None, typer.Option(help="Smallest gain worth having; else as in assay.toml.")
    ] = None,
    html: Annotated[
        Path | None, typer.Option(help="Where the page goes; report.html by default.")
    ] = None,
    batch: Annotated[
        bool, typer.Option("--batch", help="Ask for labels in batches: half price, within a day.")
    ] = False,
    dry_run: DryRun = False,
    unpriced_ok: UnpricedOk = False,
    as_json: AsJson = False,
) -> None:
    """Improve the recipe and prove it.

    Gathers proposals, screens each on your labelled rows, keeps what helps, and confirms the
    bundle once on the vault. A stopped run continues where it was.
    """
    from dataclasses import replace

    from assay.cli.batches import telling_what_goes_on
    from assay.cli.forecast import show_forecast
    from assay.cli.watch import watching
    from assay.improve import improve as run
    from assay.improve.rehearse import rehearse
    from assay.improve.report import render_terminal, write_html
    from assay.project import Project

    changes = {"min_effect": min_effect, "unpriced_ok": unpriced_ok or None}
    project = _governed(Project.open(path), changes)
    if dry_run:
        with console(err=True).status("reading the prompts"):
            forecast = rehearse(project, batch=batch)
        show_forecast(forecast, as_json=as_json)
        return
    given: dict[str, Any] = {"minutes": minutes, "calls": calls, "tokens": tokens, "money": money}
    budget = replace(project.settings.budget, **_given(given))
    with telling_what_goes_on(project, batch=batch), watching() as watch:
        result = run(project, budget=budget, on_event=watch, batch=batch)
    page = html or project.path / "report.html"
    write_html(result, page)
    if as_json:
        emit_json(result.as_dict())
    else:
        console().print(render_terminal(result))
        say_page(page)


def _governed(project: Project, changes: dict[str, Any]) -> Project:
    """Return the project under settings of this call alone; ``assay.toml`` stays as it is."""
    from dataclasses import replace

    from assay.project import Settings
    from assay.recipe.text import checked

    values = project.settings.model_dump() | _given(changes)
    settings = checked(Settings, values, "settings")
    return replace(project, file=project.file.model_copy(update={"settings": settings}))


def _given(options: dict[str, Any]) -> dict[str, Any]:
    return {name: value for name, value in options.items() if value is not None}
