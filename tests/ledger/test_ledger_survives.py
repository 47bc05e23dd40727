"""The ledger after kill -9, and on a disk that is full."""

from __future__ import annotations

import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

from assay.errors import LedgerError
from assay.ledger import Ledger

WRITER = """
import sys
from assay.ledger import Ledger
ledger = Ledger.open(sys.argv[1])
for index in range(100_000):
    ledger.put_artefact(b"%d" % index, name=str(index), media_type="text/plain")
    print(ledger.record("event", {"index": index}), flush=True)
"""


@pytest.mark.slow
def test_kill_9_loses_nothing_that_was_recorded(tmp_path: Path) -> None:
    path = tmp_path / "ledger.sqlite"
    known: set[str] = set()
    for attempt in range(5):
        process = subprocess.Popen(
            [sys.executable, "-c", WRITER, str(path)], stdout=subprocess.PIPE, text=True
        )
        assert process.stdout is not None
        known.add(process.stdout.readline().strip())
        time.sleep(0.03 * attempt)
        process.send_signal(signal.SIGKILL)
        known.update(line.strip() for line in process.stdout if line.endswith("\n"))
        process.wait()
        process.stdout.close()
        with Ledger.open(path) as ledger:
            assert known <= {each.id for each in ledger.entries("event")}
            for entry in ledger.entries("artefact"):
                assert ledger.read_artefact(entry.id) == entry.body["name"].encode()
    assert len(known) > 5


FULL = """
import resource, sys
from assay.errors import AssayError
from assay.ledger import Ledger
ledger = Ledger.open(sys.argv[1])
kept = ledger.record("event", {"first": True})
resource.setrlimit(resource.RLIMIT_FSIZE, (300_000, 300_000))
try:
    while True:
        kept = ledger.record("event", {"fill": "x" * 20_000})
except AssayError as error:
    print(type(error).__name__, error)
try:
    ledger.put_artefact(bytes(400_000), name="big", media_type="x")
except AssayError as error:
    print(type(error).__name__, error)
print(kept)
"""


def test_a_full_disk_is_told_and_nothing_is_lost(tmp_path: Path) -> None:
    path = tmp_path / "ledger.sqlite"
    done = subprocess.run(
        [sys.executable, "-c", FULL, str(path)], capture_output=True, text=True, check=True
    )
    first, second, last = done.stdout.splitlines()
    assert first.startswith("LedgerError")
    assert "intact" in first
    assert "free some space" in second
    with Ledger.open(path) as ledger:
        assert ledger.entries("event")[-1].id == last
        assert ledger.entries("artefact") == []
        assert list(ledger.artefacts.rglob("*.partial")) == []
        assert ledger.record("event", {"after": True})


def test_sqlite_says_that_its_pages_are_used_up(tmp_path: Path) -> None:
    with Ledger.open(tmp_path / "ledger.sqlite") as ledger:
        with ledger.engine.connect() as connection:
            connection.exec_driver_sql("PRAGMA max_page_count = 60")
        with pytest.raises(LedgerError, match=r"full.*free some space"):
            ledger.record("event", {"fill": "x" * 1_000_000})
        assert ledger.entries() == []
