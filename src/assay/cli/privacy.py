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
    with console(err=True).status("measuring redaction on your rows"):
        recall = _recall(project, rows, names=names)
    document = _leaving(project) | {"recall": recall, "rows": rows}
    if as_json:
        emit_json(document)
    else:
        _tell(document)


def _leaving(project: Any) -> dict[str, Any]:
    from dataclasses import asdict

    from assay.project.leaving import fields, unknown_columns

    found = fields(project)
    privacy = project.settings.privacy
    return {
        "policy": privacy.policy,
        "hosts": sorted({each.host for each in found}),
        "fields": [asdict(each) for each in found],
        "never_leave": list(privacy.columns),
        "unknown_columns": unknown_columns(project),
    }


def _tell(document: dict[str, Any]) -> None:
    from rich.markup import escape
    from rich.table import Table

    out = console()
    out.print(f"Policy: [bold]{document['policy']}[/]")
    if not document["hosts"]:
        out.print("Every model that the project names is on this machine: nothing leaves.")
    table = Table(box=None, header_style="dim")
    for heading in ("column", "asked by", "host", "leaves", "how, or why not"):
        table.add_column(heading)
    for each in document["fields"]:
        told = map(escape, (each["column"], f"{each['use']}: {each['model']}", each["host"]))
        table.add_row(*told, "yes" if each["leaves"] else "no", escape(each["why"]))
    if document["fields"]:
        out.print(table)
        out.print("Beside these, the guidelines and descriptions in assay.toml are sent.")
    for name in document["unknown_columns"]:
        out.print(f"[yellow]{escape(name)}[/] must not leave, but no row has such a column.")
    for kind, share in document["recall"].items():
        out.print(f"  {kind:<8} {share:6.1%} of planted identifiers hidden")


def _recall(project: Any, rows: int, *, names: bool) -> dict[str, float]:
    import polars as pl

    from assay.llm.privacy.plants import PLANTS, recall
    from assay.llm.privacy.redaction import Redactor

    sample = project.search().head(rows)
    columns = [pl.col(each).cast(pl.String).fill_null("") for each in project.task.inputs]
    texts = sample.select(pl.concat_str(columns, separator=" ")).to_series().to_list()
    kinds = PLANTS if names else {kind: make for kind, make in PLANTS.items() if kind != "PERSON"}
    redactor = Redactor(project.settings.privacy.patterns, names=names)
    return recall(redactor, texts, kinds)
