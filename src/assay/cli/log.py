"""``assay log``: what the ledger holds."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from assay.cli.output import AsJson, ProjectPath, console, emit_json

if TYPE_CHECKING:
    from assay.ledger import Entry


def log(
    path: ProjectPath = Path(),
    kind: Annotated[
        str | None, typer.Option(help="Only this kind: run, proposal, trial, verdict, call, …")
    ] = None,
    run: Annotated[str | None, typer.Option(help="Only what belongs to this run.")] = None,
    count: Annotated[int, typer.Option("-n", "--count", min=1, help="The newest so many.")] = 20,
    as_json: AsJson = False,
) -> None:
    """List what the ledger holds, newest last."""
    from rich.table import Table
    from rich.text import Text

    from assay.project import Project

    entries = Project.open(path).ledger().entries(kind, run=run, limit=count)
    if as_json:
        emit_json([as_dict(each) for each in entries])
        return
    table = Table(box=None, header_style="dim")
    for heading in ("id", "time (UTC)", "run", "what"):
        table.add_column(heading)
    for each in entries:
        table.add_row(each.id, f"{each.time:%Y-%m-%d %H:%M:%S}", each.run or "", Text(_line(each)))
    console().print(table)


def as_dict(entry: Entry) -> dict[str, Any]:
    """Return an entry as plain JSON values."""
    return {
        "id": entry.id,
        "kind": entry.kind,
        "run": entry.run,
        "time": entry.time.isoformat(),
        "key": entry.key,
        "body": entry.body,
    }


def _line(entry: Entry) -> str:
    from assay.errors import shorten

    body = entry.body.get("attempt", entry.body)
    for name in ("name", "reason", "model", "key"):
        if isinstance(body.get(name), str):
            return shorten(body[name], 80)
    return shorten(str(body), 80)
