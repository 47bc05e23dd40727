from __future__ import annotations

import os
import subprocess
import sys
import time
from pathlib import Path

import pytest

from assay.engine import run_jobs, worker_count
from assay.errors import InputError, MissingExtraError


def slow_square(number: int) -> tuple[int, int]:
    time.sleep(0.6)
    return number * number, os.getpid()


def fail_late(number: int) -> int:
    time.sleep(0.6)
    if number == 3:
        raise InputError("The number is unlucky.", given=number, next_step="choose another")
    return number


def test_short_work_stays_here_and_in_order() -> None:
    found = list(run_jobs(lambda number: (number, os.getpid()), range(20)))
    assert found == [(number, os.getpid()) for number in range(20)]


def test_nothing_to_do() -> None:
    assert list(run_jobs(slow_square, [])) == []


@pytest.mark.slow
def test_long_work_goes_to_processes_and_comes_back_in_order() -> None:
    found = list(run_jobs(slow_square, list(range(12)), workers=2))
    assert [square for square, _ in found] == [number * number for number in range(12)]
    assert len({process for _, process in found}) == 3, "this process, then two others"


@pytest.mark.slow
def test_an_error_in_another_process_is_raised_here_whole() -> None:
    with pytest.raises(InputError, match="unlucky") as caught:
        list(run_jobs(fail_late, list(range(12)), workers=2))
    assert caught.value.next_step == "choose another"


PARENT = """
import sys
sys.path.insert(0, {here!r})
from test_local import endless
from assay.engine import run_jobs

for number, process in run_jobs(endless, list(range(12)), workers=2):
    print(process, flush=True)
"""


def endless(number: int) -> tuple[int, int]:
    time.sleep(0.6 if number < 3 else 60)
    return number, os.getpid()


def alive(process: int) -> bool:
    try:
        os.kill(process, 0)
    except ProcessLookupError:
        return False
    return Path(f"/proc/{process}/stat").read_text().split()[2] != "Z"


@pytest.mark.slow
@pytest.mark.skipif(not Path("/proc").exists(), reason="processes are watched through /proc")
def test_no_worker_outlives_a_killed_run() -> None:
    script = PARENT.format(here=str(Path(__file__).parent))
    run = subprocess.Popen([sys.executable, "-c", script], stdout=subprocess.PIPE, text=True)
    assert run.stdout is not None
    workers = {int(run.stdout.readline()) for _ in range(3)} - {run.pid}
    assert workers
    run.kill()
    run.communicate()
    until = time.monotonic() + 20
    while any(map(alive, workers)) and time.monotonic() < until:
        time.sleep(0.2)
    assert not any(map(alive, workers))


def test_the_number_of_workers_can_be_set(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("ASSAY_WORKERS", "7")
    assert worker_count() == 7
    monkeypatch.setenv("ASSAY_WORKERS", "many")
    assert worker_count() >= 1


def test_every_error_survives_the_way_between_processes() -> None:
    import pickle

    error = MissingExtraError("The encoder", "tabular")
    again = pickle.loads(pickle.dumps(error))  # noqa: S301
    assert (str(again), again.next_step) == (str(error), error.next_step)
