"""``assay review`` as a person meets it: a real process on a real pseudo-terminal."""

from __future__ import annotations

import fcntl
import json
import os
import pty
import select
import signal
import struct
import subprocess
import sys
import termios
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from made_up_labelling import NEWS, labelling

from assay.label import LabelResult, LabelTask
from assay.label.review.record import read_decisions
from assay.ledger import Ledger

pytestmark = pytest.mark.slow
PATIENCE = 60


def _own_terminal() -> None:
    """Make the pseudo-terminal the process's own, so that Ctrl-C reaches it."""
    fcntl.ioctl(0, termios.TIOCSCTTY, 0)


class Terminal:
    """A process whose input and screen are a pseudo-terminal; its output is a file's."""

    def __init__(self, folder: Path, *arguments: str, editor: str = "") -> None:
        self.screen = ""
        self.out = folder / "out.txt"
        self._handle, theirs = pty.openpty()
        fcntl.ioctl(theirs, termios.TIOCSWINSZ, struct.pack("HHHH", 30, 100, 0, 0))
        environment = {**os.environ, "ASSAY_CACHE": str(folder), "TERM": "xterm-256color"}
        environment |= {"EDITOR": editor, "VISUAL": ""}
        with self.out.open("wb") as out:
            self.process = subprocess.Popen(
                [sys.executable, "-m", "assay", "review", *arguments],
                stdin=theirs, stdout=out, stderr=theirs, cwd=folder, env=environment,
                start_new_session=True, preexec_fn=_own_terminal,
            )  # fmt: skip
        os.close(theirs)

    def until(self, text: str) -> str:
        """Return what the screen showed up to and with ``text``; forget it."""
        deadline = time.monotonic() + PATIENCE
        while text not in self.screen:
            assert time.monotonic() < deadline, self.screen[-2000:]
            if select.select([self._handle], [], [], 0.1)[0]:
                self.screen += self._read()
            elif self.process.poll() is not None:
                raise AssertionError(self.screen[-2000:])
        seen, _, self.screen = self.screen.partition(text)
        return seen + text

    def press(self, keys: str) -> None:
        os.write(self._handle, keys.encode())

    def ended(self) -> int:
        """Return the exit code; what is still shown is read, so that nothing blocks."""
        deadline = time.monotonic() + PATIENCE
        while self.process.poll() is None:
            assert time.monotonic() < deadline, self.screen[-2000:]
            if select.select([self._handle], [], [], 0.05)[0]:
                self.screen += self._read()
        return self.process.returncode

    def close(self) -> None:
        if self.process.poll() is None:
            self.process.kill()
        self.process.wait()
        os.close(self._handle)

    def _read(self) -> str:
        try:
            return os.read(self._handle, 65536).decode("utf-8", errors="replace")
        except OSError:  # the other end is closed
            return ""


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    (tmp_path / "label").mkdir()
    return tmp_path


@pytest.fixture
def terminals() -> Iterator[list[Terminal]]:
    opened: list[Terminal] = []
    yield opened
    for each in opened:
        each.close()


def made(folder: Path, **options: Any) -> LabelResult:
    with Ledger.open(folder / "label" / "ledger.sqlite") as ledger:
        return labelling(ledger, **options)


def decisions(folder: Path, run: str) -> list[tuple[str, str, Any]]:
    with Ledger.open(folder / "label" / "ledger.sqlite") as ledger:
        return [(each.row_id, each.action, each.label) for each in read_decisions(ledger, run)]


def test_keys_decide_a_kill_loses_nothing_and_the_next_start_goes_on(
    folder: Path, terminals: list[Terminal]
) -> None:
    run = made(folder).run
    first = Terminal(folder, "--rows", "12")
    terminals.append(first)
    assert "farm" in first.until("0 of 12 checked") + first.until("q quit")
    for number, key in enumerate("12s", start=1):
        first.press(key)
        first.until(f"{min(number, 2)} of 12 checked")
        first.until("q quit")
    first.press("n")
    first.until("note: ")
    first.press("a Greek letter: ω\r")
    first.until("note: a Greek letter: ω")
    first.until("q quit")
    os.kill(first.process.pid, signal.SIGKILL)
    first.process.wait()
    kept = decisions(folder, run)
    assert [action for _, action, _ in kept] == ["label", "label", "skip", "note"]
    assert [label for _, _, label in kept[:2]] == ["farm", "ships"]

    again = Terminal(folder, "--rows", "12", "--json")
    terminals.append(again)
    again.until("2 of 12 checked")
    assert f"row {kept[3][0]}" in again.until("q quit")
    again.press("u")  # takes the note back
    again.until("q quit")
    again.press("u")  # and the skip: its row comes up again
    assert f"row {kept[2][0]}" in again.until("q quit")
    again.press("\rq")
    assert again.ended() == 0
    told = json.loads(again.out.read_text())
    assert (told["checked"], told["skipped"], told["drawn"]) == (3, 0, 12)
    assert "\x1b[?1049l" in again.screen  # the terminal is as it was
    assert len(decisions(folder, run)) == 3


def test_a_hostile_row_never_steers_the_terminal(folder: Path, terminals: list[Terminal]) -> None:
    hostile = "before \x1b]0;owned\x07\x1b[31mred\x9b5m \u202eevil [blink]x[/blink] after"
    made(folder, texts=[hostile] * 3)
    shown = Terminal(folder)
    terminals.append(shown)
    seen = shown.until("after") + shown.until("q quit")
    assert "<1B>]0;owned<07><1B>[31mred<9B>5m <202E>evil [blink]x[/blink]" in seen
    assert "\x1b]0;" not in seen
    assert "\x9b" not in seen
    assert "\u202e" not in seen
    shown.press("q")
    assert shown.ended() == 0


def test_an_extraction_is_edited_in_the_editor(folder: Path, terminals: list[Terminal]) -> None:
    """Ordinal and pair tasks share the keys of single labels; an object has an editor."""
    pytest.importorskip("assay.label.extract")
    task = LabelTask(
        kind="extract", fields={"type": "object", "properties": {"price": {"type": "number"}}}
    )
    run = made(folder, task=task, labels=[{"price": 1}] * 6, n=6).run
    script = folder / "editor.py"
    script.write_text("import sys; open(sys.argv[1], 'w').write('{\"price\": 7}')")
    at = Terminal(folder, editor=f"{sys.executable} {script}")
    terminals.append(at)
    at.until("e edit")
    at.press("e")
    at.until("1 of 6 checked")
    at.press("q")
    assert at.ended() == 0
    assert decisions(folder, run)[0][1:] == ("label", {"price": 7})


def test_several_classes_are_toggled(folder: Path, terminals: list[Terminal]) -> None:
    task = LabelTask(kind="multi", classes=NEWS.classes)
    run = made(folder, task=task, labels=[["farm"]] * 6, n=6).run
    at = Terminal(folder)
    terminals.append(at)
    at.until("enter these classes")
    at.press("2\r")
    at.until("1 of 6 checked")
    at.press("\x03")
    assert at.ended() == 130
    assert decisions(folder, run)[0][1:] == ("label", ["farm", "ships"])


def test_rows_that_nobody_labelled_are_checked_and_taken_up_again(
    folder: Path, terminals: list[Terminal]
) -> None:
    (folder / "rows.csv").write_text("text\n" + "\n".join(f"row {n}" for n in range(5)))
    for begun in range(2):
        at = Terminal(folder, "rows.csv", "--classes", "good,bad")
        terminals.append(at)
        at.until(f"{begun} of 5 checked")
        at.until("bad")
        at.press("2")
        at.until(f"{begun + 1} of 5 checked")
        at.press("q")
        assert at.ended() == 0
    assert "2 rows checked" in at.out.read_text()


def test_without_a_terminal_the_way_round_is_told(folder: Path) -> None:
    made(folder)
    told = subprocess.run(
        [sys.executable, "-m", "assay", "review", "--json"],
        input="1", capture_output=True, text=True, cwd=folder, check=False,
        env={**os.environ, "ASSAY_CACHE": str(folder)},
    )  # fmt: skip
    assert told.returncode == 2
    error = json.loads(told.stdout)
    assert "terminal" in error["problem"]
    assert "assay review export" in error["next_step"]
