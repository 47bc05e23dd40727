"""Processes of this machine that are started before there is work, so that their imports cost none.

A command starts one first of all and imports beside it; what needs the process takes it over.
"""

from __future__ import annotations

import os
import signal
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path

from assay.scratch import Scratch

LOG = "worker-0.log"


@dataclass(frozen=True)
class Started:
    """A process and the folder that it was given."""

    process: subprocess.Popen[bytes]
    home: Scratch


_waiting: dict[str, Started] = {}


@contextmanager
def started_ahead(module: str) -> Iterator[None]:
    """Let ``python -m MODULE FOLDER`` start in a new folder, for :func:`take_started` within.

    At the end it is killed where nothing has taken it.
    """
    home = Scratch("ahead")
    own = _waiting[module] = Started(spawned(module, home.path, home.path / LOG), home)
    try:
        yield
    finally:
        if _waiting.get(module) is own:
            del _waiting[module]
            kill_group(own.process)
            home.remove()


def take_started(module: str) -> Started | None:
    """Return the process that was started ahead, which is the caller's from now on, or None."""
    return _waiting.pop(module, None)


def spawned(module: str, folder: Path, log: Path) -> subprocess.Popen[bytes]:
    """Start ``python -m MODULE FOLDER`` in a session of its own, with pipes to it and from it.

    What it writes on standard error goes to ``log``. It computes in one thread: such processes
    work side by side, and threads inside each would only wait on each other.
    """
    paths = [each or os.getcwd() for each in sys.path]
    environment = {**os.environ, "OMP_NUM_THREADS": "1", "PYTHONPATH": os.pathsep.join(paths)}
    with log.open("wb") as errors:
        return subprocess.Popen(  # noqa: S603 - our own module
            [sys.executable, "-m", module, str(folder)],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=errors,
            env=environment,
            start_new_session=True,
        )


def kill_group(process: subprocess.Popen[bytes]) -> None:
    """End a process that :func:`spawned` started, and all that it started."""
    with suppress(ProcessLookupError, PermissionError):
        os.killpg(process.pid, signal.SIGKILL)
    process.wait()
    for pipe in (process.stdin, process.stdout):
        if pipe is not None:
            with suppress(BrokenPipeError):
                pipe.close()
