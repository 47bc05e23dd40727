"""Options that every command which asks models may take."""

from __future__ import annotations

from typing import Annotated

import typer

DryRun = Annotated[
    bool, typer.Option("--dry-run", help="Estimate tokens, money and time; send nothing.")
]
UnpricedOk = Annotated[
    bool, typer.Option("--unpriced-ok", help="Ask models without a known price too.")
]
