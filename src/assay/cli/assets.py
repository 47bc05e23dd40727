"""``assay assets``: the pinned files that Assay can fetch."""

from __future__ import annotations

from typing import Annotated

import typer

from assay.cli.output import AsJson, console, emit_json

app = typer.Typer(
    help="List and fetch the embedded files.", invoke_without_command=True, add_completion=False
)


@app.callback()
def assets(context: typer.Context, as_json: AsJson = False) -> None:
    """List every file, its release, and whether it is here."""
    if context.invoked_subcommand is None:
        list_assets(as_json)


@app.command("list")
def list_assets(as_json: AsJson = False) -> None:
    """List every file, its release, and whether it is here."""
    from rich.table import Table

    from assay.assets import ASSETS, cached_path

    found = {name: cached_path(name) for name in ASSETS}
    if as_json:
        emit_json(
            [
                {"name": name, "release": each.release, "path": str(found[name] or "") or None}
                for name, each in ASSETS.items()
            ]
        )
        return
    table = Table(box=None, header_style="dim")
    for heading in ("name", "release", "here"):
        table.add_column(heading)
    for name, each in ASSETS.items():
        table.add_row(name, each.release, "yes" if found[name] else "")
    console().print(table)


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
