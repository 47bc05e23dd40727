"""What every command shares: consoles, one JSON document, progress on standard error."""

from __future__ import annotations

import json
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

if TYPE_CHECKING:
    from rich.console import Console

AsJson = Annotated[bool, typer.Option("--json", help="Print one JSON document and nothing else.")]
ProjectPath = Annotated[Path, typer.Option("--path", help="The project's folder.")]


@cache
def console(*, err: bool = False) -> Console:
    """Return the console of standard output or error; no colours where it is no terminal."""
    from rich.console import Console

    return Console(stderr=err, soft_wrap=False)


def emit_json(document: Any) -> None:
    """Print one JSON document."""
    typer.echo(json.dumps(document, ensure_ascii=False, indent=2))
