"""Processes of a Ray labelling that are killed: their work is done again, and nothing else."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import polars as pl
import pytest
from streamed_run import PIECE, gold_rows

from llm.model_servers import KEY, CompatibleServer
from waiting import until

ROWS = 12 * PIECE
WORKERS = 2
ORDERS = 2
"""Requests for one row: its options are asked in two orders."""
FITTING = ORDERS * (50 + gold_rows().height)
"""Requests before the first worker starts; the 50 rows are not asked again later."""
ONCE = ORDERS * (ROWS + gold_rows().height)
PATIENCE = 600
"""Seconds: Ray takes tens of them to start, more on busy cores."""
IN_FLIGHT = 2 * 64
"""Requests on the wire, and answers that came within the last commit, of all workers."""

pytestmark = [pytest.mark.slow, pytest.mark.timeout(1800)]


@pytest.fixture
def server(monkeypatch: pytest.MonkeyPatch) -> Iterator[CompatibleServer]:
    pytest.importorskip("ray")
    monkeypatch.delenv("ASSAY_NO_REAL_MODELS")
    monkeypatch.delenv("RAY_ADDRESS", raising=False)
    monkeypatch.setenv("ASSAY_API_KEY", KEY)
    monkeypatch.setenv("PYTHONPATH", os.pathsep.join(sys.path))
    server = CompatibleServer()
    yield server
    server.close()


@contextmanager
def labelling(
    folder: Path, server: CompatibleServer, engine: str
) -> Iterator[subprocess.Popen[str]]:
    folder.mkdir(exist_ok=True)
    texts = [f"row {n} {'yes' if n % 2 else 'no'}" for n in range(ROWS)]
    pl.DataFrame({"text": texts}).write_csv(folder / "in.csv")
    script = str(Path(__file__).with_name("streamed_run.py"))
    environment = {**os.environ, "ASSAY_CACHE": str(folder / "cache")}
    with subprocess.Popen(
        [sys.executable, script, str(folder), server.url, engine],
        env=environment, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True,
    ) as driver:  # fmt: skip
        yield driver


def finished(driver: subprocess.Popen[str]) -> None:
    told, errors = driver.communicate(timeout=PATIENCE)
    assert driver.returncode == 0, errors
    assert "finished" in told


def workers_of(driver: subprocess.Popen[str]) -> list[int]:
    """Return the ids of the actor processes below the driver."""
    listed = subprocess.run(
        ["ps", "-eo", "pid=,ppid=,args="], capture_output=True, text=True, check=True
    )
    rows = [line.split(None, 2) for line in listed.stdout.splitlines()]
    parent = {int(pid): int(above) for pid, above, *_ in rows}

    def below(pid: int) -> bool:
        while pid in parent and pid != driver.pid:
            pid = parent[pid]
        return pid == driver.pid

    return [int(row[0]) for row in rows if "MapWorker" in row[-1] and below(int(row[0]))]


def labelled_here(folder: Path, server: CompatibleServer) -> bytes:
    with labelling(folder, server, "local") as driver:
        finished(driver)
    return (folder / "out.csv").read_bytes()


def test_workers_killed_midway_cost_nothing_but_time(
    tmp_path: Path, server: CompatibleServer
) -> None:
    expected = labelled_here(tmp_path / "local", server)
    server.texts.clear()
    server.answered, server.delay = 0, 0.2
    kills = 3
    with labelling(tmp_path / "ray", server, "ray") as driver:
        for number in range(kills):
            until(
                lambda done=FITTING + 300 * (number + 1): server.answered > done, seconds=PATIENCE
            )
            os.kill(workers_of(driver)[0], signal.SIGKILL)
        finished(driver)
    assert (tmp_path / "ray" / "out.csv").read_bytes() == expected
    assert ONCE <= sum(server.texts.values()) <= ONCE + kills * IN_FLIGHT // WORKERS


def test_a_driver_killed_midway_goes_on_when_it_is_started_again(
    tmp_path: Path, server: CompatibleServer
) -> None:
    expected = labelled_here(tmp_path / "local", server)
    server.texts.clear()
    server.answered, server.delay = 0, 0.2
    with labelling(tmp_path / "ray", server, "ray") as driver:
        until(lambda: server.answered > FITTING + 600, seconds=PATIENCE)
        assert workers_of(driver)
        driver.kill()
        driver.communicate()
    assert not (tmp_path / "ray" / "out.csv").exists()
    with labelling(tmp_path / "ray", server, "ray") as driver:
        finished(driver)
    assert (tmp_path / "ray" / "out.csv").read_bytes() == expected
    assert ONCE <= sum(server.texts.values()) <= ONCE + IN_FLIGHT
