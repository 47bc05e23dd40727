"""Reading keys from a terminal, and the loop that shows, reads and records."""

from __future__ import annotations

import json
import os
import shlex
import subprocess
import sys
import tempfile
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from assay.errors import InputError
from assay.label.review.desk import Desk
from assay.label.review.screen import draw

NAMED = {
    "\r": "enter", "\n": "enter", "\x7f": "backspace", "\x08": "backspace", "\x1b": "escape",
    "\x04": "end", "": "end",
}  # fmt: skip

ROUND_TRIP = (
    "run it in a terminal, or check the rows elsewhere: assay review export --to csv --out FILE, "
    "then assay review import FILE"
)


def require_terminal() -> None:
    """Raise InputError where no person can press keys."""
    if not (sys.stdin.isatty() and sys.stderr.isatty()):
        raise InputError("A review needs a terminal.", next_step=ROUND_TRIP)


def review(desk: Desk, *, blind: bool = False) -> None:
    """Show rows and record decisions until all are checked or the reviewer quits.

    The screen is on standard error, so that standard output can be a file.
    """
    from rich.console import Console

    console = Console(highlight=False, stderr=True)
    message = ""
    with _keyboard() as read, console.screen(hide_cursor=True):
        going_on = desk.current is not None
        while going_on:
            lines = draw(desk, console, blind=blind, message=message)
            console.clear()
            for line in lines:
                console.print(line, soft_wrap=False)
            message = ""
            try:
                going_on = desk.press(read())
            except InputError as error:
                message = str(error)


def edited(value: Any) -> Any:
    """Let a person change a JSON value in ``$VISUAL`` or ``$EDITOR``.

    Raises
    ------
    InputError
        When there is no editor, it fails, or what it leaves is not JSON.
    """
    editor = os.environ.get("VISUAL") or os.environ.get("EDITOR")
    if not editor:
        raise InputError("There is no editor.", next_step="set EDITOR, for example EDITOR=nano")
    with tempfile.TemporaryDirectory() as folder:  # readable by its owner alone
        file = Path(folder) / "label.json"
        file.write_text(json.dumps(value, ensure_ascii=False, indent=2) + "\n", encoding="utf-8")
        try:
            with _as_before():
                done = subprocess.run(  # noqa: S603 - the user's own editor
                    [*shlex.split(editor), str(file)], check=False, stdout=sys.stderr
                )
        except OSError as error:
            raise InputError("The editor cannot be run.", given=editor) from error
        if done.returncode != 0:
            raise InputError("The editor failed: nothing was changed.", given=editor)
        try:
            return json.loads(file.read_text(encoding="utf-8"))
        except ValueError as error:
            raise InputError(f"This is not JSON: {error}.") from error


@contextmanager
def _keyboard() -> Iterator[Callable[[], str]]:
    """Yield a function that waits for a key; the terminal is as before in the end."""
    try:
        import termios
        import tty
    except ImportError:  # Windows
        yield _windows_key
        return
    handle = sys.stdin.fileno()
    before = termios.tcgetattr(handle)
    try:
        tty.setcbreak(handle)
        yield lambda: _unix_key(handle)
    finally:
        termios.tcsetattr(handle, termios.TCSADRAIN, before)


@contextmanager
def _as_before() -> Iterator[None]:
    """Give the terminal to another program as it is used to find it."""
    try:
        import termios
        import tty
    except ImportError:  # Windows
        yield
        return
    handle = sys.stdin.fileno()
    if not sys.stdin.isatty():
        yield
        return
    ours = termios.tcgetattr(handle)
    plain = termios.tcgetattr(handle)
    plain[3] |= termios.ICANON | termios.ECHO | termios.ISIG
    termios.tcsetattr(handle, termios.TCSADRAIN, plain)
    try:
        yield
    finally:
        termios.tcsetattr(handle, termios.TCSADRAIN, ours)
        tty.setcbreak(handle)


def _unix_key(handle: int) -> str:
    import select

    # Waiting in select: a library's handler of Ctrl-C may let a read go on, but never a select.
    select.select([handle], [], [])
    data = os.read(handle, 1)
    if data == b"\x1b":  # an arrow and its like come as several bytes at once
        while select.select([handle], [], [], 0.02)[0]:
            data += os.read(handle, 1)
        return "escape" if data == b"\x1b" else "other"
    while data and data[0] >= 0xC0 and len(data) < _length(data[0]):
        data += os.read(handle, 1)
    key = data.decode("utf-8", errors="replace")
    return NAMED.get(key, key)


def _length(first: int) -> int:
    """Return how many bytes a UTF-8 character has."""
    return 4 if first >= 0xF0 else 3 if first >= 0xE0 else 2


def _windows_key() -> str:
    import msvcrt

    key = str(msvcrt.getwch())  # type: ignore[attr-defined]
    if key in ("\x00", "\xe0"):
        msvcrt.getwch()  # type: ignore[attr-defined]
        return "other"
    if key == "\x03":
        raise KeyboardInterrupt
    return NAMED.get(key, key)
