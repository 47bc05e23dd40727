"""``assay privacy``: what would leave this machine, and how well redaction holds."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Any

import typer

from assay.cli.output import AsJson, ProjectPath, console, emit_json

app = typer.Typer(help="What may leave this machine.", no_args_is_help=True)


@app.callback()
def _group() -> None:
    """Keep ``check`` a command of its own."""


@app.command()
def check(
    path: ProjectPath = Path(),
    rows: Annotated[int, typer.Option(min=10, help="Rows of the sample.")] = 100,
    names: Annotated[bool, typer.Option(help="Look for names too; needs assay[privacy].")] = True,
    as_json: AsJson = False,
) -> None:
    """List what would leave, and measure redaction on your own rows with planted identifiers."""
    from assay.project import Project

    project = Project.open(path)
    document = _leaving(project) | {"recall": _recall(project, rows, names=names), "rows": rows}
    if as_json:
        emit_json(document)
        return
    out = console()
    out.print(f"Policy: [bold]{document['policy']}[/]")
    out.print(f"Hosts asked: {', '.join(document['hosts']) or 'none; all on this machine'}")
    out.print(f"Columns that would leave: {', '.join(document['columns']) or 'none'}")
    for kind, share in document["recall"].items():
        out.print(f"  {kind:<8} {share:6.1%} of planted identifiers hidden")


def _leaving(project: Any) -> dict[str, Any]:
    from assay.llm.usable import host_named

    named = (project.settings.models.label, project.settings.models.embed)
    hosts = sorted({host for name in named if (host := host_named(name)) is not None})
    privacy = project.settings.privacy
    columns = privacy.leaving(project.task.inputs) if hosts else []
    return {"policy": privacy.policy, "hosts": hosts, "columns": columns}


def _recall(project: Any, rows: int, *, names: bool) -> dict[str, float]:
    import polars as pl

    from assay.llm.privacy.plants import PLANTS
    from assay.llm.privacy.redaction import Redactor, recall

    sample = project.search().head(rows)
    columns = [pl.col(each).cast(pl.String).fill_null("") for each in project.task.inputs]
    texts = sample.select(pl.concat_str(columns, separator=" ")).to_series().to_list()
    kinds = PLANTS if names else {kind: make for kind, make in PLANTS.items() if kind != "PERSON"}
    return recall(Redactor(names=names), texts, kinds)
