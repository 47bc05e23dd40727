from __future__ import annotations

import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest
import sqlalchemy as sa

from assay.errors import LedgerError
from assay.ledger import Ledger
from assay.ledger.schema import HEAD, metadata


def test_the_migrations_lead_to_the_tables_that_the_code_knows(ledger: Ledger) -> None:
    from alembic.autogenerate import compare_metadata
    from alembic.migration import MigrationContext

    with ledger.engine.connect() as connection:
        context = MigrationContext.configure(connection, opts={"compare_type": True})
        assert compare_metadata(context, metadata) == []
        assert context.get_current_revision() == HEAD


def test_a_newer_ledger_is_refused_with_both_versions(opened: Callable[[], Ledger]) -> None:
    first = opened()
    with first.engine.begin() as connection:
        connection.execute(sa.text("UPDATE alembic_version SET version_num = '0999'"))
    with pytest.raises(LedgerError, match=f"0999.*{HEAD}"):
        opened()


def test_a_file_that_is_no_ledger_is_told(tmp_path: Path) -> None:
    path = tmp_path / "ledger.sqlite"
    path.write_bytes(b"this is not a database" * 100)
    with pytest.raises(LedgerError, match="could not be opened"):
        Ledger.open(path)


OPENER = """
import sys
from pathlib import Path
from assay.ledger import Ledger
with Ledger.open(sys.argv[1], Path(sys.argv[2])) as ledger:
    for index in range(5):
        ledger.record("event", {"index": index})
"""


@pytest.mark.slow
def test_processes_that_open_at_once_migrate_once(
    where: str | Path, opened: Callable[[], Ledger], tmp_path: Path
) -> None:
    command = [sys.executable, "-W", "error", "-c", OPENER, str(where), str(tmp_path / "a")]
    processes = [subprocess.Popen(command, stderr=subprocess.PIPE) for _ in range(4)]
    for process in processes:
        _, told = process.communicate(timeout=60)
        assert process.returncode == 0, told.decode()
    assert len(opened().entries("event")) == 20
