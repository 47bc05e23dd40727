"""``assay version``: what to name in a report of a mistake."""

from __future__ import annotations

import platform

import typer

from assay.cli.output import AsJson, emit_json


def version(as_json: AsJson = False) -> None:
    """Print the versions that matter."""
    from assay import __version__

    found = {"assay": __version__, "python": platform.python_version(), "machine": _machine()}
    if as_json:
        emit_json(found)
    else:
        typer.echo("\n".join(f"{name:<8} {each}" for name, each in found.items()))


def _machine() -> str:
    return f"{platform.system()} {platform.machine()}"
