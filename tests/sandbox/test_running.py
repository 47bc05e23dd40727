"""A program's outcome says what came of it, and nothing of it stays behind."""

from __future__ import annotations

import contextlib
import os
import signal
import subprocess
import sys
import tempfile
import time
from datetime import date, datetime
from pathlib import Path

import polars as pl
import pytest
from polars.testing import assert_frame_equal

from assay.errors import InputError
from assay.sandbox import Limits, Sandbox, chosen, run, weakness
from assay.sandbox.bubblewrap import Bubblewrap
from assay.sandbox.plain import Plain

SANDBOXES: list[Sandbox] = [Plain(), *([Bubblewrap()] if Bubblewrap.works() else [])]
TABLE = pl.DataFrame(
    {
        "whole": [1, None, -3],
        "share": [0.5, None, float("inf")],
        "text": ["", None, "é𝄞"],
        "flag": [True, None, False],
        "day": [date(1900, 1, 1), None, date(2100, 1, 1)],
        "moment": [datetime(1999, 1, 1, 12), None, datetime(2040, 1, 1)],
    }
)


@pytest.fixture(params=SANDBOXES, ids=lambda sandbox: sandbox.name)
def sandbox(request: pytest.FixtureRequest) -> Sandbox:
    return request.param


def test_values_go_in_and_come_out_as_they_are(sandbox: Sandbox) -> None:
    program = """
import numpy as np, pandas as pd, polars as pl
same = table
kinds = table.select(pl.col("text").cast(pl.Categorical))
panda = pd.DataFrame({"a": [1.5, float("nan")], "b": ["x", None]})
array = np.arange(3)
number = plain["a"][0]
"""
    names = ["same", "kinds", "panda", "array", "number"]
    outcome = run(program, {"table": TABLE, "plain": {"a": [7]}}, outputs=names, sandbox=sandbox)
    assert outcome.ok, outcome.why
    assert_frame_equal(outcome.outputs["same"], TABLE)
    assert_frame_equal(outcome.outputs["kinds"], TABLE.select("text"))
    assert outcome.outputs["panda"]["b"].to_list() == ["x", None]
    assert outcome.outputs["array"] == [0, 1, 2]
    assert outcome.outputs["number"] == 7


@pytest.mark.parametrize(
    ("program", "status", "why"),
    [
        ("print('hello')\n1 / 0", "failed", "ZeroDivisionError: division by zero"),
        ("this is no Python", "failed", "SyntaxError: invalid syntax"),
        ("import sys; sys.exit('enough')", "failed", "enough"),
        ("import os; os._exit(9)", "failed", "It ended with code 9."),
        ("pass", "failed", "The program leaves no `x`."),
        ("x = print", "failed", "`x` cannot be handed out. It is neither a table nor plain JSON"),
        ("x = float('nan')", "failed", "`x` cannot be handed out."),
        ("x = bytearray(2**33)", "out of memory", "It needs more memory than it may take."),
        ("import time; time.sleep(9)", "out of time", "It ran longer than it may."),
    ],
)
def test_the_outcome_says_what_went_wrong(program: str, status: str, why: str) -> None:
    seconds = 0.5 if status == "out of time" else 60
    outcome = run(program, outputs=["x"], limits=Limits(wall_seconds=seconds))
    assert outcome.status == status
    assert outcome.why.startswith(why)
    assert not outcome.outputs


def test_the_end_of_what_was_printed_is_kept() -> None:
    outcome = run("print('x' * 100_000, 'the end')\nraise KeyError('row')")
    assert "the end" in outcome.printed
    assert '  File "<program>", line 2, in <module>\n    raise KeyError' in outcome.printed
    assert len(outcome.printed) <= 2**14


def test_processor_time_is_limited_though_its_signal_is_ignored() -> None:
    program = "import signal\nsignal.signal(signal.SIGXCPU, signal.SIG_IGN)\nwhile True: pass"
    outcome = run(program, limits=Limits(cpu_seconds=1), sandbox=Plain())
    assert outcome.status == "out of time"


def test_results_repeat_to_the_order_of_a_set(sandbox: Sandbox) -> None:
    program = "x = list({str(number) for number in range(100)})"
    first, second = (run(program, outputs=["x"], sandbox=sandbox).outputs for _ in range(2))
    assert first == second


def test_nothing_stays_behind(
    sandbox: Sandbox, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    program = """
import os, time
if os.fork() == 0:
    try:
        os.setsid()
    except PermissionError:
        pass
    time.sleep(60)
"""
    monkeypatch.setattr(tempfile, "tempdir", str(tmp_path))
    files = set(os.listdir("/proc/self/fd"))
    assert run(program, limits=Limits(processes=2), sandbox=sandbox).ok
    assert set(os.listdir("/proc/self/fd")) == files
    assert list(tmp_path.iterdir()) == []
    assert _left_of(tmp_path) == []


def test_an_interrupt_kills_the_program(sandbox: Sandbox, tmp_path: Path) -> None:
    script = f"""
import os, threading, time
from assay.sandbox.{sandbox.name} import {type(sandbox).__name__}
from assay.sandbox import run
threading.Timer(0.5, lambda: os.kill(os.getpid(), 2)).start()
run("import time; time.sleep(60)", sandbox={type(sandbox).__name__}())
"""
    environment = os.environ | {"TMPDIR": str(tmp_path)}
    process = subprocess.Popen(
        [sys.executable, "-c", script], env=environment, stderr=subprocess.PIPE
    )
    assert b"KeyboardInterrupt" in process.communicate(timeout=60)[1]
    assert process.returncode == -signal.SIGINT
    assert list(tmp_path.iterdir()) == []
    assert _left_of(tmp_path) == []


@pytest.mark.parametrize("name", ["1", "class", "a b", "../x", "__name__", ""])
def test_names_must_be_python_names(name: str) -> None:
    with pytest.raises(InputError, match="Python names"):
        run("", {name: 1})
    with pytest.raises(InputError, match="Python names"):
        run("", outputs=[name])


def test_inputs_must_be_tables_or_json() -> None:
    with pytest.raises(InputError, match="Input `x` cannot be handed in"):
        run("", {"x": object()})
    with pytest.raises(InputError, match="cpu_seconds"):
        Limits(cpu_seconds=0)


def test_a_sandbox_can_be_named(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("ASSAY_SANDBOX", "plain")
    assert chosen().name == "plain"
    monkeypatch.setenv("ASSAY_SANDBOX", "cardboard")
    with pytest.raises(InputError, match="bubblewrap, plain"):
        chosen()
    monkeypatch.setenv("ASSAY_SANDBOX", "bubblewrap")
    monkeypatch.setattr(Bubblewrap, "works", lambda: False)
    with pytest.raises(InputError, match="ASSAY_SANDBOX=plain"):
        chosen()
    monkeypatch.delenv("ASSAY_SANDBOX")
    assert chosen().name == "plain"


def test_the_weaker_sandbox_says_so() -> None:
    assert "learning which files and processes exist outside" in weakness(Plain())
    assert "reaching any network" in weakness(Plain(kernel=False))
    if Bubblewrap.works():
        assert weakness(Bubblewrap()) == ""


def _left_of(folder: Path) -> list[str]:
    """Return the commands of what runs on files under a folder; a moment is left to the dying."""
    end = time.monotonic() + 2
    while (found := _commands(folder)) and time.monotonic() < end:
        time.sleep(0.05)
    return found


def _commands(folder: Path) -> list[str]:
    found = []
    for path in Path("/proc").glob("[0-9]*/cmdline"):
        with contextlib.suppress(OSError):
            found.append(path.read_text(errors="replace"))
    return [each for each in found if str(folder) in each]
