"""A run that is stopped, killed, or meets a full disk: nothing is lost, nothing is done twice."""

from __future__ import annotations

import random
import resource
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

from assay import Project
from newsroom import TASK, newsroom

SCRIPT = Path(__file__).with_name("interrupted_run.py")
PROPOSALS = 12


@pytest.fixture
def project(tmp_path: Path) -> Project:
    return Project.create(tmp_path / "p", newsroom(220).drop("row_id"), task=TASK)


def start(project: Project) -> subprocess.Popen[str]:
    return subprocess.Popen(
        [sys.executable, str(SCRIPT), str(project.path)],
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )


def verdicts(project: Project) -> int:
    return len(project.ledger().entries("verdict"))


@pytest.mark.slow
@pytest.mark.parametrize("kind", [signal.SIGKILL, signal.SIGINT])
def test_a_run_stopped_at_any_moment_continues(project: Project, kind: signal.Signals) -> None:
    moments = random.Random(7)
    for _ in range(3):
        process = start(project)
        assert process.stdout is not None
        process.stdout.readline()  # the first event: the run has begun
        time.sleep(moments.uniform(0, 1.5))
        process.send_signal(kind)
        process.communicate(timeout=60)
    before = verdicts(project)
    process = start(project)
    out, err = process.communicate(timeout=120)
    assert process.returncode == 0, err
    assert f"tried {PROPOSALS}" in out
    entries = project.ledger().entries("verdict")
    keys = [each.key for each in entries]
    assert len(keys) == len(set(keys)), "a proposal was judged twice"
    assert len(entries) == PROPOSALS + len(project.ledger().entries("look"))
    assert out.count("Screened") == PROPOSALS
    assert len(project.ledger().entries("run")) == 1
    assert before <= len(entries)


@pytest.mark.slow
def test_a_full_disk_stops_the_run_with_one_message_and_it_continues(project: Project) -> None:
    size = (project.state / "ledger.sqlite").stat().st_size

    def small_files() -> None:
        limit = size + 60_000
        resource.setrlimit(resource.RLIMIT_FSIZE, (limit, limit))
        signal.signal(signal.SIGXFSZ, signal.SIG_IGN)

    done = subprocess.run(
        [sys.executable, str(SCRIPT), str(project.path)],
        capture_output=True,
        text=True,
        preexec_fn=small_files,
        timeout=120,
    )
    assert done.returncode != 0
    assert "Error" in done.stderr.splitlines()[-1]
    process = start(project)
    out, err = process.communicate(timeout=120)
    assert process.returncode == 0, err
    assert f"tried {PROPOSALS}" in out
