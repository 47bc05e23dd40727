"""Making a project: everything aside, then moved into place, or nothing at all."""

from __future__ import annotations

import hashlib
import os
import secrets
import shutil
import socket
import sys
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

import polars as pl

from assay.config import write_text
from assay.errors import AssayError, ProjectError
from assay.evidence import Vault
from assay.ledger import Ledger
from assay.project.prepare import Prepared
from assay.project.settings import ProjectFile, Settings, to_toml
from assay.recipe import Recipe, write_recipe
from assay.tables import write_table

FILE = "assay.toml"
RECIPE = "recipe.toml"
STATE = ".assay"
DATA = "data"
VAULT = "vault"
LEDGER = "ledger.sqlite"
ASIDE = ".assay-init-"


def open_ledger(settings: Settings, state: Path) -> Ledger:
    """Open the ledger that the environment or the settings name, else the project's own."""
    url = os.environ.get("ASSAY_LEDGER") or settings.ledger
    return Ledger.open(url or state / LEDGER, state / "artefacts")


def refuse_taken(path: Path) -> None:
    """Raise a ProjectError when ``path`` holds a project or is no folder."""
    if path.exists() and not path.is_dir():
        raise ProjectError("This is a file, not a folder.", given=path, next_step="choose a folder")
    taken = [name for name in (FILE, STATE, RECIPE) if (path / name).exists()]
    if taken:
        raise ProjectError(
            f"There is a project here already: {taken[0]} exists.",
            given=path,
            next_step="open it, choose another --path, or remove it first",
        )


def make(path: Path, prepared: Prepared, file: ProjectFile, recipe: Recipe, *, looks: int) -> None:
    """Write a whole project into ``path``; after any failure ``path`` is as it was."""
    with _aside(path) as aside:
        _write(aside, prepared, file, recipe, looks=looks)
        _move(aside, path)


@contextmanager
def _aside(path: Path) -> Iterator[Path]:
    """Yield a new folder on the file system of ``path``, and remove it in the end."""
    top = _first_missing(path)
    beside = path if top is None else top.parent
    outer = beside / f"{ASIDE}{_host()}-{os.getpid()}-{secrets.token_hex(4)}"
    folder = outer / ("project" if top is None else path.relative_to(beside))
    _remove_left_behind(beside)
    try:
        outer.mkdir(mode=0o700)
        folder.mkdir(parents=True)
        yield folder
    except OSError as error:
        raise AssayError(
            f"Could not write the project: {error.strerror or error}.",
            given=path,
            next_step="free some space or choose another folder; nothing was changed",
        ) from error
    except pl.exceptions.PolarsError as error:
        raise AssayError(f"Could not write the rows: {error}.") from error
    finally:
        _remove(outer)


def _first_missing(path: Path) -> Path | None:
    """Return the topmost folder on the way to ``path`` that does not exist yet."""
    missing = [each for each in (path, *path.parents) if not each.exists()]
    return missing[-1] if missing else None


def _remove_left_behind(beside: Path) -> None:
    """Remove what processes of this machine left that were killed while they made a project."""
    own = f"{ASIDE}{_host()}-"
    with suppress(OSError):
        for folder in beside.glob(f"{own}*"):
            process = folder.name.removeprefix(own).partition("-")[0]
            if process.isdecimal() and not _runs(int(process)):
                _remove(folder)


def _host() -> str:
    """Return this machine's name in a form that fits a file's: a folder may be on a network."""
    return hashlib.sha256(socket.gethostname().encode()).hexdigest()[:8]


def _runs(process: int) -> bool:
    if sys.platform == "win32":  # a signal of 0 would end it
        return True
    try:
        os.kill(process, 0)
    except ProcessLookupError:
        return False
    except OSError:
        return True
    return True


def _remove(folder: Path) -> None:
    try:
        shutil.rmtree(folder, ignore_errors=True)
    except KeyboardInterrupt:
        shutil.rmtree(folder, ignore_errors=True)
        raise


def _write(
    folder: Path, prepared: Prepared, file: ProjectFile, recipe: Recipe, *, looks: int
) -> None:
    state, rows = folder / STATE, prepared.rows
    write_table(rows["search"], state / DATA / "search.parquet")
    write_table(rows["pool"], state / DATA / "pool.parquet")
    write_text(state / ".gitignore", "*\n")
    with open_ledger(file.settings, state) as ledger:
        Vault.lock(state / VAULT, rows["vault"], task=file.task, ledger=ledger, looks=looks)
    write_recipe(recipe, folder / RECIPE)
    write_text(folder / FILE, to_toml(file, {"rows": prepared.counts}))


def _move(aside: Path, path: Path) -> None:
    """Move the finished project into place.

    A folder of the user's own keeps its other files: ``.assay`` comes first, which fails where
    another process was faster, and ``assay.toml`` last, which makes it a project.
    """
    top = _first_missing(path)
    if top is not None:
        outer = aside.parents[len(path.relative_to(top).parts)]
        (outer / top.name).rename(top)
        return
    names = (STATE, RECIPE, FILE)
    try:
        for name in names:
            (aside / name).rename(path / name)
    except BaseException:
        for name in reversed(names):
            if not (aside / name).exists():  # it was moved, and by this process
                (path / name).rename(aside / name)
        raise
