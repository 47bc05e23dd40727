"""``assay show``: one ledger entry, or why one row got its label."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from assay.cli.log import as_dict
from assay.cli.output import AsJson, ProjectPath, console, emit_json, progress_bar

if TYPE_CHECKING:
    from assay.label.explanation import Explanation
    from assay.ledger import Entry, Ledger
    from assay.llm import Gateway

SHOWN_LINES = 20
TEXTUAL = ("text/", "application/json", "application/toml")


def show(
    id: Annotated[str, typer.Argument(help="A ledger id such as verdict-3, or a row's id.")],  # noqa: A002
    path: ProjectPath = Path(),
    run: Annotated[
        str | None, typer.Option(help="The labelling of the row; the latest by default.")
    ] = None,
    words: Annotated[
        bool | None,
        typer.Option(
            "--words/--no-words",
            help="Ask the model which words moved it; by default a model on this machine is asked.",
        ),
    ] = None,
    as_json: AsJson = False,
) -> None:
    """Show one ledger entry whole, or why one row got its label.

    An id such as trial-17 is an entry; any other is a row of the latest labelling.
    """
    with _opened(path, id if run is None else None) as (ledger, gateway):
        if run is None and _is_entry(id):
            _show_entry(ledger, ledger.get(id), as_json=as_json)
            return
        explanation = _explained(ledger, gateway, id, run, words)
    if as_json:
        emit_json(explanation.as_dict())
    else:
        _show_row(explanation)


def _is_entry(id_: str) -> bool:
    from assay.ledger.entry import KINDS

    kind, _, rest = id_.partition("-")
    digits = "0123456789abcdef" if kind == "artefact" else "0123456789"
    return kind in KINDS and rest != "" and set(rest) <= set(digits)


@contextmanager
def _opened(path: Path, entry: str | None) -> Iterator[tuple[Ledger, Gateway]]:
    """Open the project's ledger; for a row, that of labellings without a project where none is."""
    from assay.errors import ProjectError
    from assay.label.open import unowned_ledger
    from assay.llm import Gateway
    from assay.project import Project

    try:
        project = Project.open(path)
    except ProjectError:
        if entry is not None and _is_entry(entry):
            raise
        with unowned_ledger() as ledger, Gateway(ledger, capability="label") as gateway:
            yield ledger, gateway
        return
    with project.gateway(capability="label") as gateway:
        yield project.ledger(), gateway


def _explained(
    ledger: Ledger, gateway: Gateway, row: str, run: str | None, words: bool | None
) -> Explanation:
    from assay.label.explaining import explain
    from assay.label.store import recall

    found = recall(ledger, run, row_id=row)
    with progress_bar() as bar:
        bar.add_task("asking about the words and the nearest checked rows", total=None)
        return explain(
            found.result, row, gateway, gold=found.gold, settings=found.settings, words=words
        )


def _show_row(explanation: Explanation) -> None:
    from rich.table import Table
    from rich.text import Text

    from assay.label.shown import visible

    table = Table(box=None, show_header=False, padding=(0, 1))
    table.add_column(justify="right", style="dim", no_wrap=True)
    table.add_column(overflow="fold")
    for heading, told in explanation.lines():
        table.add_row(Text(visible(heading)), Text(told))
    console().print(table)


def _show_entry(ledger: Ledger, entry: Entry, *, as_json: bool) -> None:
    """Show an entry; of an artefact the beginning."""
    from rich.text import Text

    if as_json:
        emit_json(as_dict(entry))
        return
    out = console()
    out.print(Text(f"{entry.id}  {entry.time:%Y-%m-%d %H:%M:%S} UTC  {entry.run or ''}", "bold"))
    out.print_json(data=entry.body)
    if entry.kind == "artefact":
        out.print(Text(_beginning(ledger, entry)))


def _beginning(ledger: Ledger, entry: Entry) -> str:
    media_type = entry.body["media_type"]
    if media_type.endswith("parquet"):
        return str(ledger.read_table(entry.id))
    if not media_type.startswith(TEXTUAL):
        return ""
    text = ledger.read_artefact(entry.id).decode("utf-8", errors="replace")
    return "\n".join(text.splitlines()[:SHOWN_LINES])
