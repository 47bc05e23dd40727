"""``assay models``: which models can be asked now, and a first call to one."""

from __future__ import annotations

from typing import Annotated, Any

import typer

from assay.cli.output import AsJson, console, emit_json

app = typer.Typer(help="List language models and try one.", invoke_without_command=True)


@app.callback()
def models(context: typer.Context, as_json: AsJson = False) -> None:
    """List what is usable now, and of the others why not."""
    if context.invoked_subcommand is not None:
        return
    from dataclasses import asdict

    from rich.table import Table

    from assay.llm.usable import usable_models

    found = usable_models()
    if as_json:
        emit_json([asdict(each) for each in found])
        return
    table = Table(box=None, header_style="dim")
    for heading in ("model", "usable", "why", "chooses by"):
        table.add_column(heading)
    for each in found:
        mark = "[green]yes[/]" if each.usable else "[dim]no[/]"
        table.add_row(each.name, mark, each.why, each.choose)
    console().print(table)


@app.command("test")
def try_model(
    name: Annotated[str, typer.Argument(help="For example openai:gpt-4o-mini")],
    as_json: AsJson = False,
) -> None:
    """Ask a model one small question."""
    found = _ask_once(name)
    if as_json:
        emit_json(found)
        return
    console().print(
        f"{name} answered {found['answer']!r} in {found['seconds']:.2f} s, by {found['how']}."
    )


def _ask_once(name: str) -> dict[str, Any]:
    import tempfile
    import time
    from pathlib import Path

    from assay.errors import ModelError
    from assay.ledger import Ledger
    from assay.llm import Gateway, Prompt

    question = Prompt("Which is meant?", "It has four legs and barks.")
    with (
        tempfile.TemporaryDirectory() as folder,
        Ledger.open(Path(folder) / "ledger.sqlite") as ledger,
        Gateway(ledger, unpriced_ok=True) as gateway,
    ):
        began = time.monotonic()
        choices = gateway.choose(name, [question], ["dog", "bird"])
        seconds = time.monotonic() - began
    if not choices.complete:
        raise ModelError("The model did not answer.", given=choices.why.get(0))
    chances = dict(zip(choices.options, choices.probabilities[0].tolist(), strict=True))
    return {"model": name, "answer": choices.best[0], "probabilities": chances,
            "how": choices.how, "seconds": seconds}  # fmt: skip
