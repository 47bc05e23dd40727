"""Make projects while the disk fills up, or Ctrl-C is pressed, at one step after another.

Run as a program: ``interrupted.py FOLDER full|ctrl-c new|existing FIRST STRIDE``. A step is a
file opened, made, renamed or synchronised within FOLDER. It prints one JSON object: how each
attempt ended, and what was wrong afterwards.
"""

from __future__ import annotations

import errno
import json
import os
import shutil
import signal
import sys
from pathlib import Path
from typing import Any

from assay.errors import AssayError
from assay.project import Project
from newsroom import newsroom

WRITES = os.O_WRONLY | os.O_RDWR
STEPS = {"open", "os.mkdir", "os.rename", "os.chmod", "sqlite3.connect"}


class Fault:
    """Strikes once, at the given step within a folder."""

    def __init__(self, folder: Path, kind: str) -> None:
        self.folder = str(folder)
        self.kind = kind
        self.left: int | None = None
        sys.addaudithook(self.watch)

    def watch(self, event: str, arguments: tuple[Any, ...]) -> None:
        if self.left is None or event not in STEPS or self.folder not in str(arguments[0]):
            return
        if event == "open" and self.kind == "full" and not arguments[2] & WRITES:
            return
        self.left -= 1
        if self.left > 0:
            return
        self.left = None
        if self.kind == "ctrl-c":
            signal.raise_signal(signal.SIGINT)
        else:
            raise OSError(errno.ENOSPC, "No space left on device")


def attempt(folder: Path, fault: Fault, step: int, *, existing: bool) -> tuple[str, str]:
    """Return how the attempt ended, and what was wrong afterwards."""
    path = folder / "news"
    if existing:
        path.mkdir()
        (path / "mine.txt").write_text("mine")
    before = listing(folder)
    fault.left = step
    try:
        Project.create(path, TABLE, target="topic")
        ended = "made" if fault.left is not None else "made anyway"
    except AssayError as error:
        ended = "told" if "No space left" in str(error) else f"told wrongly: {error}"
    except KeyboardInterrupt:
        ended = "interrupted"
    fault.left = None
    wrong = "" if listing(folder) == before else unwhole(path)
    if wrong:
        wrong = f"step {step}: {wrong}"
    shutil.rmtree(folder)
    folder.mkdir()
    return ended, wrong


def listing(folder: Path) -> list[str]:
    return sorted(str(each.relative_to(folder)) for each in folder.rglob("*"))


def unwhole(path: Path) -> str:
    """Return what a project in ``path`` lacks."""
    left = [each.name for folder in (path, path.parent) for each in folder.glob(".assay-init-*")]
    if left:
        return f"left behind {left}"
    try:
        project = Project.open(path)
        counts = (project.search().height, project.pool().height, project.vault().n)
        project.ledger().close()
    except AssayError as error:
        return f"{error} {listing(path)}"
    return "" if counts == (100, 20, 100) and project.recipe else f"rows {counts}"


TABLE = newsroom(220, seed=1, words=12).with_row_index("at")
TABLE = TABLE.with_columns(topic=TABLE["topic"].set(TABLE["at"] >= 200, None)).drop("at")


def main(folder: Path, kind: str, where: str, first: int, stride: int) -> None:
    folder.mkdir(parents=True, exist_ok=True)
    fault = Fault(folder, kind)
    ends: list[str] = []
    wrong: list[str] = []
    while not ends or ends[-1] != "made":
        step = first + stride * len(ends)
        ended, found = attempt(folder, fault, step, existing=where == "existing")
        ends.append(ended)
        wrong += [found] * bool(found)
    print(json.dumps({"ends": ends, "wrong": wrong}))


if __name__ == "__main__":
    main(Path(sys.argv[1]), sys.argv[2], sys.argv[3], int(sys.argv[4]), int(sys.argv[5]))
