from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

from assay.errors import ProjectError
from assay.experiment.record import Record
from assay.ledger import Ledger

BEGINNING = {"minutes": 10}

HOLDER = """
import sys, time
from pathlib import Path
from assay.experiment.record import Record
from assay.ledger import Ledger
with Record.held(Ledger.open(Path(sys.argv[1])), {"minutes": 10}) as record:
    print(record.id, flush=True)
    time.sleep(600)
"""


def test_a_run_is_one_processes_and_goes_on_after_its_kill(tmp_path: Path) -> None:
    path = tmp_path / "ledger.sqlite"
    command = [sys.executable, "-c", HOLDER, str(path)]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as holder:
        assert holder.stdout is not None
        run = holder.stdout.readline().strip()
        ledger = Ledger.open(path)
        with (
            pytest.raises(ProjectError, match=f"going on in another process. Given: {run}"),
            Record.held(ledger, BEGINNING),
        ):
            pass
        with Record.held(ledger, {"minutes": 20}) as other:
            assert other.id != run
        holder.kill()
    with Record.held(ledger, BEGINNING) as record:
        assert record.id == run


def test_a_run_that_an_error_ended_goes_on_in_the_same_process(tmp_path: Path) -> None:
    ledger = Ledger.open(tmp_path / "ledger.sqlite")
    with (
        pytest.raises(RuntimeError, match="stopped") as kept,
        Record.held(ledger, BEGINNING) as first,
    ):
        raise RuntimeError("stopped")
    with Record.held(ledger, BEGINNING) as second:
        assert second.id == first.id
    assert kept.traceback, "whose frames are alive"
