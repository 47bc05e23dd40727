"""``assay cache``: the answers that projects share, and the embeddings of this one."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from assay.cli.output import AsJson, ProjectPath, console, emit_json

app = typer.Typer(help="Show and prune caches.", no_args_is_help=True)


@app.command()
def show(path: ProjectPath = Path(), as_json: AsJson = False) -> None:
    """Show what the caches hold. The ledger's own answers are records, and never pruned."""
    from assay.llm.shared import SharedAnswers

    shared = SharedAnswers()
    held = shared.held()
    shared.close()
    embeddings = path / ".assay" / "embeddings.sqlite"
    document = {
        "shared": {"answers": held.answers, "bytes": held.bytes, "most_bytes": shared.max_bytes},
        "embeddings": {"bytes": embeddings.stat().st_size if embeddings.is_file() else 0},
    }
    if as_json:
        emit_json(document)
        return
    console().print(f"Shared answers: {held.answers:,} in {held.bytes / 2**20:.1f} MiB")
    size = document["embeddings"]["bytes"] / 2**20
    console().print(f"Embeddings of this project: {size:.1f} MiB")


@app.command()
def prune(
    megabytes: Annotated[float, typer.Option("--to", min=0, help="Keep at most so many MiB.")] = 0,
    as_json: AsJson = False,
) -> None:
    """Drop the shared answers that were unused the longest."""
    from assay.llm.shared import SharedAnswers

    shared = SharedAnswers()
    dropped = shared.prune(round(megabytes * 2**20))
    held = shared.held()
    shared.close()
    if as_json:
        emit_json({"dropped": dropped, "answers": held.answers, "bytes": held.bytes})
        return
    console().print(f"Dropped {dropped:,} answers; {held.answers:,} are left.")
