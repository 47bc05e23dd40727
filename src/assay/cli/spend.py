"""``assay spend``: what language models have cost this project."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from assay.cli.output import AsJson, ProjectPath, console, emit_json

app = typer.Typer(help="What language models have cost.", invoke_without_command=True)


@app.callback()
def spend(
    by: Annotated[
        str, typer.Option(help="day, model, capability, question, status or run.")
    ] = "model",
    path: ProjectPath = Path(),
    as_json: AsJson = False,
) -> None:
    """Add up calls, tokens and money from the ledger."""
    from dataclasses import asdict

    from rich.table import Table

    from assay.ledger.spending import spending
    from assay.project import Project

    groups = spending(Project.open(path).ledger(), by)
    total = sum(each.money for each in groups)
    if as_json:
        emit_json({"by": by, "money": total, "groups": [asdict(each) for each in groups]})
        return
    table = Table(box=None, header_style="dim")
    table.add_column(by)
    for heading in ("calls", "tokens read", "tokens written", "US dollars"):
        table.add_column(heading, justify="right")
    for each in groups:
        figures = (f"{each.calls:,}", f"{each.tokens_in:,}", f"{each.tokens_out:,}")
        table.add_row(each.group or "-", *figures, f"{each.money:.4f}")
    console().print(table)
    console().print(f"Together {total:.4f} US dollars.")
