"""Folders aside are gone with their owner, and with the next one after its kill -9."""

from __future__ import annotations

import errno
import fcntl
import os
import signal
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from assay.scratch import Scratch, sweep

HOLDS = """
import time
from assay.scratch import Scratch
home = Scratch("held")
(home.path / "rows.csv").write_text("secret")
print(home.path, flush=True)
time.sleep(60)
"""


@pytest.fixture
def temporary(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    monkeypatch.setattr("tempfile.tempdir", str(tmp_path))
    sweep.cache_clear()
    yield tmp_path
    sweep.cache_clear()


def test_a_folder_is_gone_with_its_block_and_with_its_owner(temporary: Path) -> None:
    with Scratch("one") as folder:
        (folder / "rows.csv").write_text("x")
        assert folder.parent == temporary
        assert folder.name.startswith("assay-one-")
        assert folder.stat().st_mode & 0o077 == 0
    assert not folder.exists()
    home = Scratch("two")
    folder = home.path
    assert folder.exists()
    del home
    assert not folder.exists()


def test_a_fork_of_the_owner_removes_nothing(temporary: Path) -> None:
    home = Scratch("one")
    child = os.fork()
    if not child:
        home.remove()
        os._exit(0)
    os.waitpid(child, 0)
    assert home.path.exists()
    home.remove()


def test_what_a_killed_process_left_is_swept_and_what_a_living_one_holds_is_not(
    temporary: Path,
) -> None:
    environment = {**os.environ, "TMPDIR": str(temporary)}
    owners = [
        subprocess.Popen(
            [sys.executable, "-c", HOLDS], stdout=subprocess.PIPE, env=environment, text=True
        )
        for _ in range(2)
    ]
    killed, living = (Path(each.stdout.readline().strip()) for each in owners if each.stdout)
    other = temporary / "assay-of-someone"
    other.mkdir()
    try:
        os.kill(owners[0].pid, signal.SIGKILL)
        owners[0].wait()
        assert (killed / "rows.csv").exists()
        with Scratch("next"):
            assert sweep() == (killed,)
        assert not killed.exists()
        assert (living / "rows.csv").exists()
        assert other.exists()
    finally:
        for each in owners:
            each.kill()
            each.wait()
            if each.stdout:
                each.stdout.close()


def test_folders_are_made_where_the_file_system_has_no_locks(
    temporary: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def refuse(*_: object) -> None:
        raise OSError(errno.ENOSYS, "Function not implemented")

    monkeypatch.setattr(fcntl, "flock", refuse)
    with Scratch("one") as folder:
        (folder / "rows.csv").write_text("x")
    assert not folder.exists()


def test_an_owner_that_is_no_file_of_this_user_is_let_be(temporary: Path) -> None:
    planted = temporary / "assay-planted"
    planted.mkdir()
    os.mkfifo(planted / ".owner")
    code = "from assay.scratch import sweep; print(sweep())"
    environment = {**os.environ, "TMPDIR": str(temporary)}
    told = subprocess.run(
        [sys.executable, "-c", code],
        capture_output=True,
        text=True,
        env=environment,
        timeout=60,
        check=True,
    )
    assert told.stdout.strip() == "()"
    assert planted.exists()
