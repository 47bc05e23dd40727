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
        str, typer.Option(help="day, model, capability, question, status, run or way.")
    ] = "model",
    path: ProjectPath = Path(),
    as_json: AsJson = False,
) -> None:
    """Add up calls, tokens and money from the ledger."""
    from dataclasses import asdict

    from rich.table import Table

    from assay.ledger.spending import spending
    from assay.project import Project

    ledger = Project.open(path).ledger()
    groups = spending(ledger, by)
    total = sum(each.money for each in groups)
    batches = sum(each.money for each in spending(ledger, "way") if each.group == "batch")
    if as_json:
        found = [asdict(each) for each in groups]
        emit_json({"by": by, "money": total, "in_batches": batches, "groups": found})
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
    if batches:
        console().print(f"Of that {batches:.4f} in batches, at their lower price.")
