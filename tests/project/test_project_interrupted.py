"""A full disk or Ctrl-C leaves either no project or a whole one, at whatever moment."""

from __future__ import annotations

import json
import os
import resource
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

from assay.project import Project
from newsroom import newsroom

HERE = Path(__file__).parent
INIT = "import typer; from assay.cli.init import init; typer.run(init)"


@pytest.fixture
def data(tmp_path: Path) -> Path:
    path = tmp_path / "data.csv"
    newsroom(3000, seed=1, words=40).drop("row_id").write_csv(path)
    return path


@pytest.mark.slow
@pytest.mark.parametrize("where", ["new", "existing"])
@pytest.mark.parametrize("kind", ["full", "ctrl-c"])
def test_a_fault_at_any_step(tmp_path: Path, kind: str, where: str) -> None:
    folder = tmp_path / "work"
    program = [sys.executable, str(HERE / "interrupted.py"), str(folder), kind, where, "1", "1"]
    path = os.pathsep.join([str(HERE.parent), os.environ.get("PYTHONPATH", "")])
    found = subprocess.run(
        program, capture_output=True, check=True, env={**os.environ, "PYTHONPATH": path}
    )
    outcome = json.loads(found.stdout)
    assert outcome["wrong"] == []
    assert outcome["ends"][-1] == "made"
    assert len(outcome["ends"]) > 30
    expected = {"told", "made anyway"} if kind == "full" else {"interrupted"}
    assert set(outcome["ends"][:-1]) <= expected
    assert expected & set(outcome["ends"])


@pytest.mark.slow
@pytest.mark.parametrize("limit", [0, 1_000, 20_000, 60_000, 200_000, 100_000_000])
def test_a_real_limit_on_the_size_of_files(tmp_path: Path, data: Path, limit: int) -> None:
    def limited() -> None:
        resource.setrlimit(resource.RLIMIT_FSIZE, (limit, limit))

    path = tmp_path / "news"
    found = subprocess.run(
        [sys.executable, "-c", INIT, str(data), "--target", "topic", "--path", str(path)],
        capture_output=True,
        preexec_fn=limited,
        text=True,
    )
    if found.returncode == 0:
        assert limit == 100_000_000
        assert Project.open(path).vault().n == 750
    else:
        assert limit < 100_000_000
        assert "AssayError" in found.stderr or "LedgerError" in found.stderr
        assert sorted(each.name for each in tmp_path.iterdir()) == ["data.csv"]


@pytest.mark.slow
@pytest.mark.parametrize("milliseconds", [0, 15, 40, 80, 160])
def test_a_real_ctrl_c_while_the_command_runs(
    tmp_path: Path, data: Path, milliseconds: int
) -> None:
    path = tmp_path / "news"
    running = subprocess.Popen(
        [sys.executable, "-c", INIT, str(data), "--target", "topic", "--path", str(path)],
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
    )
    while running.poll() is None and not list(tmp_path.glob(".assay-init-*")):
        time.sleep(0.001)
    time.sleep(milliseconds / 1000)
    running.send_signal(signal.SIGINT)
    running.wait(60)
    names = sorted(each.name for each in tmp_path.iterdir())
    if path.exists():
        assert names == ["data.csv", "news"]
        project = Project.open(path)
        assert (project.search().height, project.vault().n) == (2250, 750)
        project.ledger().close()
    else:
        assert names == ["data.csv"]
