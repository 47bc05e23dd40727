"""``assay cache``: the answers that projects share, and the embeddings."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import closing
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from assay.cli.output import AsJson, ProjectPath, console, emit_json

if TYPE_CHECKING:
    from assay.llm.caches import Cache

app = typer.Typer(help="Show and prune caches.", no_args_is_help=True)


@app.command()
def show(path: ProjectPath = Path(), as_json: AsJson = False) -> None:
    """Show what the caches hold. The ledger's own answers are records, and never pruned."""
    cache = _settings(path)
    found = []
    for name, file, open_it in _files(path, cache):
        with closing(open_it()) as kept:
            held = kept.held()
        found.append(
            {"name": name, "path": str(file), "entries": held.entries, "bytes": held.bytes}
        )
    if as_json:
        emit_json({"shared": cache.shared, "most_bytes": cache.max_bytes, "caches": found})
        return
    for each in found:
        console().print(f"{each['name']}: {each['entries']:,} in {each['bytes'] / 2**20:.1f} MiB")
    if not found:
        console().print("There is no cache yet.")
    sharing = "takes part in" if cache.shared else "takes no part in"
    console().print(
        f"This project {sharing} the shared caches; each may take {cache.megabytes:,.0f} MiB.",
        style="dim",
    )


@app.command()
def prune(
    path: ProjectPath = Path(),
    megabytes: Annotated[float, typer.Option("--to", min=0, help="Keep at most so many MiB.")] = 0,
    as_json: AsJson = False,
) -> None:
    """Drop what was unused the longest from each cache."""
    from assay.llm.kept import MEBIBYTE

    found = []
    for name, file, open_it in _files(path, _settings(path)):
        with closing(open_it()) as kept:
            dropped, held = kept.prune(round(megabytes * MEBIBYTE)), kept.held()
        left = {"entries": held.entries, "bytes": held.bytes}
        found.append({"name": name, "path": str(file), "dropped": dropped, **left})
    if as_json:
        emit_json({"caches": found})
        return
    for each in found:
        console().print(f"{each['name']}: {each['dropped']:,} dropped, {each['entries']:,} left")


def _settings(path: Path) -> Cache:
    """Return the project's settings of its caches; the defaults where there is no project."""
    from assay.errors import ProjectError
    from assay.llm.caches import Cache
    from assay.project import Project

    try:
        return Project.open(path).settings.cache
    except ProjectError:
        return Cache()


def _files(path: Path, cache: Cache) -> Iterator[tuple[str, Path, Callable[[], Any]]]:
    """Yield the name, the file and a way to open it of each cache that is there."""
    from assay.errors import ProjectError
    from assay.llm.shared import SharedAnswers, shared_answers
    from assay.llm.vectors import FILE, Vectors, shared_vectors
    from assay.project import Project

    answers, vectors = shared_answers(), shared_vectors()
    most = cache.max_bytes
    if answers.is_file():
        yield "shared answers", answers, lambda: SharedAnswers(max_bytes=most)
    if vectors.is_file():
        yield "shared embeddings", vectors, lambda: Vectors(vectors, max_bytes=most)
    try:
        own = Project.open(path).state / FILE
    except ProjectError:
        return
    if own.is_file():
        yield "embeddings of this project", own, lambda: Vectors(own, max_bytes=most)
