"""Ledgers to test on: a SQLite file, and a schema in a real PostgreSQL."""

from __future__ import annotations

import os
import shutil
import subprocess
import uuid
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from assay.ledger import Ledger

SCRIPT = Path(__file__).parents[2] / ".ci" / "postgres"


@pytest.fixture(scope="session")
def postgres(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """URL of a real server: the one that is given, else a throw-away one."""
    given = os.environ.get("ASSAY_TEST_POSTGRES")
    if given:
        yield given
        return
    found = shutil.which("pg_ctl") or list(Path("/usr/lib/postgresql").glob("*/bin/pg_ctl"))
    if not found and not os.environ.get("CI"):
        pytest.skip("no PostgreSQL server is installed here")
    folder = Path(subprocess.check_output(["mktemp", "-d"], text=True).strip())
    try:
        yield subprocess.check_output(
            [str(SCRIPT), "start", str(folder)], text=True, stderr=subprocess.DEVNULL
        ).strip()
    finally:
        subprocess.run([str(SCRIPT), "stop", str(folder)], check=True, capture_output=True)


@pytest.fixture(params=["sqlite", "postgresql"])
def where(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[str | Path]:
    """Path or URL of a ledger that does not exist yet; a database of its own for each test."""
    if request.param == "sqlite":
        yield tmp_path / "ledger.sqlite"
        return
    import psycopg

    server = request.getfixturevalue("postgres")
    name = f"test_{uuid.uuid4().hex}"
    with psycopg.connect(server, autocommit=True) as connection:
        connection.execute(f"CREATE DATABASE {name}")
    yield server.rsplit("/", 1)[0] + f"/{name}"
    with psycopg.connect(server, autocommit=True) as connection:
        connection.execute(f"DROP DATABASE {name} WITH (FORCE)")


@pytest.fixture
def opened(where: str | Path, tmp_path: Path) -> Iterator[Callable[[], Ledger]]:
    """Opens the same ledger as often as it is called."""
    ledgers: list[Ledger] = []

    def open_it() -> Ledger:
        ledgers.append(Ledger.open(where, tmp_path / "artefacts"))
        return ledgers[-1]

    yield open_it
    for ledger in ledgers:
        ledger.close()


@pytest.fixture
def ledger(opened: Callable[[], Ledger]) -> Ledger:
    return opened()
