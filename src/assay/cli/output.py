"""What every command shares: consoles, one JSON document, progress on standard error."""

from __future__ import annotations

import json
import math
from collections.abc import Iterator
from contextlib import contextmanager
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

if TYPE_CHECKING:
    from rich.console import Console
    from rich.progress import Progress

AsJson = Annotated[bool, typer.Option("--json", help="Print one JSON document and nothing else.")]
ProjectPath = Annotated[Path, typer.Option("--path", help="The project's folder.")]


@cache
def console(*, err: bool = False) -> Console:
    """Return the console of standard output or error; no colours where it is no terminal."""
    from rich.console import Console

    return Console(stderr=err, soft_wrap=False)


def emit_json(document: Any) -> None:
    """Print one JSON document; a figure that is not finite becomes null, as JSON has none."""
    text = json.dumps(_finite(document), ensure_ascii=False, indent=2, allow_nan=False)
    typer.echo(text)


def say_page(page: Path) -> None:
    """Name the page that was written, whole, so that it can be copied."""
    console().print(f"page: {page}", highlight=False, markup=False, soft_wrap=True)


@contextmanager
def progress_bar() -> Iterator[Progress]:
    """Show a progress bar on standard error, gone when done; nothing where it is no terminal."""
    from rich.progress import (
        BarColumn,
        MofNCompleteColumn,
        Progress,
        SpinnerColumn,
        TextColumn,
        TimeElapsedColumn,
        TimeRemainingColumn,
    )

    with Progress(
        SpinnerColumn(),
        TextColumn("{task.description}", markup=False),
        BarColumn(bar_width=24),
        MofNCompleteColumn(),
        TimeElapsedColumn(),
        TimeRemainingColumn(),
        console=console(err=True),
        transient=True,
    ) as progress:
        yield progress


def _finite(value: Any) -> Any:
    if isinstance(value, dict):
        return {name: _finite(each) for name, each in value.items()}
    if isinstance(value, list | tuple):
        return [_finite(each) for each in value]
    return None if isinstance(value, float) and not math.isfinite(value) else value
