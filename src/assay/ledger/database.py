"""Opening the database behind a ledger: SQLite by path, PostgreSQL by URL, migrated on open."""

from __future__ import annotations

import importlib.resources
import sqlite3
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import sqlalchemy as sa
from sqlalchemy import event, exc

from assay.errors import InputError, LedgerError, MissingExtraError
from assay.ledger.schema import HEAD

BUSY_SECONDS = 30
"""How long a writer waits for another process before it gives up."""

_MIGRATION_LOCK = 0x_A55A_1ED6


def open_engine(where: str | Path) -> sa.Engine:
    """Return an engine on a ledger whose tables are of this version.

    Raises
    ------
    LedgerError
        When the database cannot be opened, or was written by a newer Assay.
    """
    engine = _engine(where)
    try:
        with translated("opened"):
            _prepare(engine)
    except BaseException:
        engine.dispose()
        raise
    return engine


def is_url(where: str | Path) -> bool:
    """Whether ``where`` is a database URL rather than the path of a file."""
    return isinstance(where, str) and "://" in where


@contextmanager
def translated(done: str) -> Iterator[None]:
    """Turn what the database says into one `LedgerError`, without values or passwords."""
    try:
        yield
    except (exc.DBAPIError, sqlite3.Error) as error:
        origin = getattr(error, "orig", None) or error
        told = next(iter(str(origin).splitlines()), type(origin).__name__)
        raise LedgerError(
            f"The ledger could not be {done}: {told}.", next_step=_next_step(told)
        ) from error


def _next_step(told: str) -> str:
    if any(sign in told for sign in ("full", "disk I/O", "No space")):
        return "free some space and run the same command again; what was recorded is intact"
    if "locked" in told:
        return "another process holds the ledger; wait for it and run the same command again"
    if "append-only" in told:
        return "record a new entry instead of changing an old one"
    if "FOREIGN KEY" in told.upper():
        return "start the run with start_run() and pass the id that it returns"
    return "check the path or URL and the permissions; what was recorded is intact"


@contextmanager
def writing_to(engine: sa.Engine) -> Iterator[sa.Connection]:
    """Yield a connection inside a write transaction; commit at the end, roll back on error."""
    with engine.connect() as raw:
        connection = raw.execution_options(assay_writes=True)
        with connection.begin():
            yield connection


def _engine(where: str | Path) -> sa.Engine:
    if not is_url(where):
        return _sqlite(Path(where))
    try:
        url = sa.make_url(str(where))
    except exc.ArgumentError:
        raise InputError("The ledger's URL cannot be read.", allowed=_URLS) from None
    family = url.drivername.partition("+")[0]
    if family == "sqlite" and url.database:
        return _sqlite(Path(url.database))
    if family not in {"postgresql", "postgres"}:
        raise InputError("The ledger's database is not known.", given=family, allowed=_URLS)
    try:
        return sa.create_engine(
            url.set(drivername="postgresql+psycopg"),
            hide_parameters=True,
            pool_pre_ping=True,
            pool_size=4,
            connect_args={"connect_timeout": BUSY_SECONDS},
        )
    except ModuleNotFoundError:
        raise MissingExtraError("The PostgreSQL driver", "postgres") from None


_URLS = "a file's path, sqlite:///FILE, or postgresql://USER@HOST/DATABASE"


def _sqlite(path: Path) -> sa.Engine:
    if not path.parent.is_dir():
        raise LedgerError(
            "The ledger's folder does not exist.",
            given=path.parent,
            next_step="create the project first with `assay init`",
        )
    url = sa.URL.create("sqlite+pysqlite", database=str(path))
    engine = sa.create_engine(
        url, hide_parameters=True, connect_args={"timeout": BUSY_SECONDS, "isolation_level": None}
    )
    event.listen(engine, "connect", _on_sqlite_connect)
    event.listen(engine, "begin", _on_sqlite_begin)
    return engine


def _on_sqlite_connect(connection: Any, _record: Any) -> None:
    cursor = connection.cursor()
    cursor.execute("PRAGMA foreign_keys = ON")
    # FULL: an answer that was paid for survives a power cut too. Answers are committed in
    # batches, so the extra flush costs milliseconds a second.
    cursor.execute("PRAGMA synchronous = FULL")
    cursor.close()


def _on_sqlite_begin(connection: sa.Connection) -> None:
    # Python's driver would begin lazily and as a reader; a reader that turns writer fails at
    # once under contention instead of waiting.
    writes = connection.get_execution_options().get("assay_writes")
    connection.exec_driver_sql("BEGIN IMMEDIATE" if writes else "BEGIN")


def _prepare(engine: sa.Engine) -> None:
    if engine.dialect.name == "sqlite":
        _use_wal(engine)
    with engine.connect() as connection:
        found = _version(connection)
    if found == HEAD:
        return
    _refuse_newer(found)
    with writing_to(engine) as connection:
        if engine.dialect.name == "postgresql":
            connection.execute(sa.select(sa.func.pg_advisory_xact_lock(_MIGRATION_LOCK)))
        found = _version(connection)  # another process may have migrated it meanwhile
        _refuse_newer(found)
        if found != HEAD:
            _migrate(connection)


def _use_wal(engine: sa.Engine) -> None:
    """Switch to write-ahead logging; this one step does not wait for a lock by itself."""
    deadline = time.monotonic() + BUSY_SECONDS
    while True:
        connection = engine.raw_connection()
        try:
            connection.cursor().execute("PRAGMA journal_mode = WAL")
            return
        except sqlite3.OperationalError as error:
            if "locked" not in str(error) or time.monotonic() > deadline:
                raise
            time.sleep(0.02)
        finally:
            connection.close()


def _version(connection: sa.Connection) -> str | None:
    if not sa.inspect(connection).has_table("alembic_version"):
        return None
    return connection.execute(sa.text("SELECT version_num FROM alembic_version")).scalar()


def _refuse_newer(found: str | None) -> None:
    if found is not None and found > HEAD:
        raise LedgerError(
            f"This ledger is of version {found}; this Assay reads up to version {HEAD}.",
            next_step="upgrade Assay: pip install --upgrade assay",
        )


def _migrate(connection: sa.Connection) -> None:
    from alembic import command
    from alembic.config import Config

    folder = importlib.resources.files("assay.ledger") / "migrations"
    settings = Config()
    settings.set_main_option("script_location", str(folder).replace("%", "%%"))
    settings.set_main_option("path_separator", "os")
    settings.attributes["connection"] = connection
    command.upgrade(settings, "head")
