"""``assay diagnose --freeze``, with the name of a file or without."""

from __future__ import annotations

from typing import Any

from typer.core import TyperCommand

FREEZE = "--freeze"
FROZEN = "tests/test_assay_findings.py"
"""Where findings are frozen to when no file is named."""


class FreezeCommand(TyperCommand):
    """A command whose ``--freeze`` may stand alone, as Typer has no options like that."""

    def parse_args(self, ctx: Any, args: list[str]) -> list[str]:
        """Read the arguments; after a bare ``--freeze`` comes the usual file."""
        return list(super().parse_args(ctx, with_file(args)))


def with_file(args: list[str]) -> list[str]:
    """Return the arguments with the usual file after a ``--freeze`` that names none."""
    told: list[str] = []
    for place, word in enumerate(args):
        told.append(word)
        bare = place + 1 == len(args) or args[place + 1].startswith("-")
        if word == FREEZE and bare:
            told.append(FROZEN)
    return told
