"""``assay assets``: the pinned files that Assay can fetch."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from assay.cli.output import AsJson, console, emit_json

app = typer.Typer(
    help="List and fetch the embedded files.", invoke_without_command=True, add_completion=False
)


@app.callback()
def assets(context: typer.Context, as_json: AsJson = False) -> None:
    """List every file, its release, and whether it is here and verified."""
    if context.invoked_subcommand is None:
        list_assets(as_json)


@app.command("list")
def list_assets(as_json: AsJson = False) -> None:
    """List every file, its release, and whether it is here and verified."""
    from rich.table import Table

    from assay.assets import ASSETS, INSTALLED, cached_path

    found = [(name, each.release, cached_path(name)) for name, each in ASSETS.items()]
    lines = [
        {"name": name, "release": release, "path": str(path), "state": _state(path)}
        for name, release, path in found
    ]
    lines += [
        {"name": name, "release": each.release, "path": str(each.folder), "state": each.state}
        for name, each in INSTALLED.items()
    ]
    if as_json:
        emit_json(lines)
        return
    table = Table(box=None, header_style="dim")
    for heading in ("name", "release", "state"):
        table.add_column(heading)
    for line in lines:
        table.add_row(line["name"], line["release"], line["state"])
    console().print(table)


def _state(path: Path) -> str:
    """Return what is known of a fetched file; it was verified before it got its place."""
    return "verified" if path.exists() else "absent"


@app.command()
def fetch(
    name: Annotated[str, typer.Argument(help="See assay assets list.")], as_json: AsJson = False
) -> None:
    """Fetch one file; print where it is."""
    from assay import assets

    path = assets.fetch(name, progress=not as_json)
    if as_json:
        emit_json({"name": name, "path": str(path)})
    else:
        typer.echo(path)
