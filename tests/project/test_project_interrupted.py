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
INIT = [sys.executable, "-c", "from assay.cli import main; main()", "init"]


@pytest.fixture(scope="module")
def data(tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("data") / "data.csv"
    newsroom(1500, seed=1, words=30).drop("row_id").write_csv(path)
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
        [*INIT, str(data), "--target", "topic", "--path", str(path)],
        capture_output=True,
        preexec_fn=limited,
        text=True,
    )
    if found.returncode == 0:
        assert limit > 60_000
        assert Project.open(path).vault().n == 375
    else:
        assert limit < 100_000_000
        assert found.returncode == 2
        assert "Traceback" not in found.stderr
        assert "free some space" in found.stderr
        assert list(tmp_path.iterdir()) == []


@pytest.mark.slow
@pytest.mark.parametrize("milliseconds", [0, 15, 40, 80, 160])
def test_a_real_ctrl_c_while_the_command_runs(
    tmp_path: Path, data: Path, milliseconds: int
) -> None:
    path = tmp_path / "news"
    running = subprocess.Popen(
        [*INIT, str(data), "--target", "topic", "--path", str(path)],
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
    )
    while running.poll() is None and not list(tmp_path.glob(".assay-init-*")):
        time.sleep(0.001)
    time.sleep(milliseconds / 1000)
    running.send_signal(signal.SIGINT)
    assert running.wait(60) in {0, 130}
    names = sorted(each.name for each in tmp_path.iterdir())
    if path.exists():
        assert names == ["news"]
        project = Project.open(path)
        assert (project.search().height, project.vault().n) == (1125, 375)
        project.ledger().close()
    else:
        assert names == []


@pytest.mark.slow
def test_what_a_killed_init_left_is_removed_by_the_next(tmp_path: Path, data: Path) -> None:
    path = tmp_path / "news"
    command = [*INIT, str(data), "--target", "topic", "--path", str(path)]
    killed = subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    while killed.poll() is None and not list(tmp_path.glob(".assay-init-*")):
        time.sleep(0.001)
    killed.kill()
    killed.wait(60)
    (left,) = tmp_path.glob(".assay-init-*")
    prefix, host, _, token = left.name.rsplit("-", 3)
    living = tmp_path / f"{prefix}-{host}-{os.getpid()}-{token}"
    elsewhere = tmp_path / f"{prefix}-00000000-1-{token}"
    for folder in (living, elsewhere):
        folder.mkdir()
    subprocess.run(command, check=True, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    assert sorted(tmp_path.iterdir()) == sorted([path, living, elsewhere])


@pytest.mark.slow
def test_of_two_at_once_in_one_folder_one_makes_the_project(tmp_path: Path, data: Path) -> None:
    (tmp_path / "mine.txt").write_text("mine")
    command = [*INIT, str(data), "--target", "topic", "--path", str(tmp_path)]
    running = [
        subprocess.Popen([*command, "--seed", str(seed)], stderr=subprocess.DEVNULL)
        for seed in (1, 2)
    ]
    ended = [each.wait(60) for each in running]
    assert sorted(ended) == [0, 2]
    project = Project.open(tmp_path)
    assert project.settings.seed == 1 + ended.index(0)
    assert (project.search().height, project.vault().n) == (1125, 375)
    project.ledger().close()
    names = sorted(each.name for each in tmp_path.iterdir())
    assert names == [".assay", "assay.toml", "mine.txt", "recipe.toml"]
