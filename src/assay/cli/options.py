"""Options that every command which asks models may take, and which of some were given."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Annotated

import typer

DryRun = Annotated[
    bool, typer.Option("--dry-run", help="Estimate tokens, money and time; send nothing.")
]
UnpricedOk = Annotated[
    bool, typer.Option("--unpriced-ok", help="Ask models without a known price too.")
]


def options_given(options: Mapping[str, object]) -> list[str]:
    """Return, as they are typed, the options by name that hold anything."""
    return [f"--{name}" for name, value in options.items() if value]
