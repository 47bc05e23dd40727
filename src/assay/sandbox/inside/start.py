"""Starts inside the sandbox: gives up what it may not keep, then runs what it was given."""

from __future__ import annotations

import contextlib
import json
import linecache
import os
import signal
import sys
import traceback
from pathlib import Path
from typing import Any

from .codes import NO_MEMORY, UNFIT
from .confine import confine
from .exchange import UnfitResultError, handed_out, send, taken_in

PROGRAM = "<program>"


def main(request_path: str) -> None:
    """Run the request that lies in a file."""
    request = json.loads(Path(request_path).read_text(encoding="utf-8"))
    signal.signal(signal.SIGPIPE, signal.SIG_DFL)
    os.chdir(request["folder"])
    confine(request)
    sys.path.extend(request["libraries"])
    sys.exit(_run(request))


def _run(request: dict[str, Any]) -> int:
    try:
        names = taken_in(request["given"], request["inputs"])
        _execute(request["program"], names)
        for name in request["outputs"]:
            _hand_out(request["out"], name, names)
    except MemoryError:
        print("MemoryError: the program needs more memory than it may take", file=sys.stderr)
        return NO_MEMORY
    except UnfitResultError as error:
        print(error, file=sys.stderr)
        return UNFIT
    except Exception as error:
        _tell(error)
        return 1
    return 0


def _execute(program: str, names: dict[str, Any]) -> None:
    # Where a traceback finds the lines.
    linecache.cache[PROGRAM] = (len(program), None, program.splitlines(keepends=True), PROGRAM)
    names["__name__"] = "__main__"
    try:
        exec(compile(program, PROGRAM, "exec"), names)  # noqa: S102 (what the sandbox is for)
    finally:
        with contextlib.suppress(Exception):  # it may be closed, or something else by now
            sys.stdout.flush()


def _hand_out(out: int, name: str, names: dict[str, Any]) -> None:
    if name not in names:
        raise UnfitResultError(f"The program leaves no `{name}`.")
    try:
        kind, payload = handed_out(names[name])
    except UnfitResultError as error:
        raise UnfitResultError(f"`{name}` cannot be handed out. {error}") from None
    send(out, name, kind, payload)


def _tell(error: Exception) -> None:
    """Print the traceback from the program's own first line on."""
    frames = error.__traceback__
    while frames is not None and frames.tb_frame.f_code.co_filename != PROGRAM:
        frames = frames.tb_next
    traceback.print_exception(error.with_traceback(frames or error.__traceback__))
