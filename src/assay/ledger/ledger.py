"""The Ledger: append-only entries in SQLite or PostgreSQL, artefacts in files beside it."""

from __future__ import annotations

import io
import json
from collections.abc import Mapping
from contextlib import suppress
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any, Self

import sqlalchemy as sa
from sqlalchemy import exc

from assay.errors import InputError, LedgerError
from assay.ledger import artefacts as files
from assay.ledger.database import is_url, open_engine, translated, writing_to
from assay.ledger.entry import KINDS, RECORDABLE, Entry, check_kind, encode, run_number, split_id
from assay.ledger.schema import TABLES

if TYPE_CHECKING:
    import polars as pl

PARQUET = "application/vnd.apache.parquet"


class Ledger:
    """The durable record of a project. Entries are added, never changed; threads may share it.

    Open it with :meth:`open`; it is a context manager.
    """

    def __init__(self, engine: sa.Engine, artefacts: Path) -> None:
        self.engine = engine
        self.artefacts = artefacts

    @classmethod
    def open(cls, where: str | Path, artefacts: Path | None = None) -> Ledger:
        """Open a ledger, creating or migrating its tables.

        Parameters
        ----------
        where
            Path of a SQLite file (created when absent), or a database URL
            (``postgresql://…``).
        artefacts
            Folder of the artefacts; by default ``artefacts`` beside the SQLite file.

        Raises
        ------
        LedgerError
            When it cannot be opened, or was written by a newer Assay.
        """
        if artefacts is None:
            if is_url(where):
                raise InputError(
                    "artefacts must be given for a ledger in a database server.",
                    allowed="the folder where artefacts are kept",
                )
            artefacts = Path(where).parent / "artefacts"
        return cls(open_engine(where), artefacts)

    def close(self) -> None:
        """Close every connection. The ledger opens them again when it is used again."""
        self.engine.dispose()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    @property
    def flights(self) -> Path:
        """Folder of what was asked of servers and is not yet committed."""
        url = self.engine.url
        if url.get_backend_name() == "sqlite":
            return Path(f"{url.database}-flights")
        return self.artefacts / "flights"

    def start_run(self, name: str, body: Mapping[str, Any]) -> str:
        """Record the start of a run and return its id, for example ``run-3``."""
        return self._insert("run", body, run=None, key=name)

    def record(
        self,
        kind: str,
        body: Mapping[str, Any],
        *,
        run: str | None = None,
        key: str | None = None,
        unique: bool = False,
    ) -> str:
        """Record an entry and return its id, for example ``trial-17``.

        Parameters
        ----------
        kind
            ``event``, ``proposal``, ``trial``, ``evidence``, ``verdict`` or ``look``.
        body
            Plain JSON values; NaN and infinities are refused.
        run
            The run that it belongs to.
        key
            What :meth:`find` finds it by.
        unique
            Claim ``key``: of all entries of this kind, in all processes, only one may.

        Raises
        ------
        LedgerError
            When the key is claimed already, the run does not exist, the body is not plain
            JSON, or the database refuses; then nothing is recorded.
        """
        check_kind(kind, RECORDABLE)
        if unique and key is None:
            raise LedgerError("A unique entry needs a key.")
        return self._insert(kind, body, run=run, key=key, claim=key if unique else None)

    def find(self, kind: str, key: str) -> Entry | None:
        """Return the newest entry of that kind and key, or None."""
        table = TABLES[check_kind(kind)]
        newest = sa.select(table).where(table.c.key == key).order_by(table.c.n.desc()).limit(1)
        rows = self._read(newest)
        return _entry(kind, rows[0]) if rows else None

    def get(self, id: str) -> Entry:  # noqa: A002 - the word for it in every surface
        """Return the entry of that id.

        Raises
        ------
        LedgerError
            When there is none; it names the nearest.
        """
        kind, rest = split_id(id)
        table = TABLES[kind]
        if kind == "artefact":
            found = self.find(kind, rest)
        else:
            number = int(rest) if rest.isdecimal() else -1
            rows = self._read(sa.select(table).where(table.c.n == number))
            found = _entry(kind, rows[0]) if rows else None
        if found is None:
            raise LedgerError("No entry has this id.", given=id, allowed=self._nearest(kind))
        return found

    def entries(
        self, kind: str | None = None, *, run: str | None = None, limit: int | None = None
    ) -> list[Entry]:
        """Return entries, newest last.

        Parameters
        ----------
        kind
            Only this kind. By default every kind but ``call``, of which there may be millions.
        run
            Only what belongs to this run, the run's own entry included.
        limit
            Only the newest so many.
        """
        kinds = [check_kind(kind)] if kind else [each for each in KINDS if each != "call"]
        found: list[Entry] = []
        for each in kinds:
            table = TABLES[each]
            query = sa.select(table).order_by(table.c.n.desc()).limit(limit)
            if run is not None:
                column = table.c.n if each == "run" else table.c.run
                query = query.where(column == run_number(run))
            found.extend(_entry(each, row) for row in reversed(self._read(query)))
        if kind is None:
            found.sort(key=lambda entry: entry.time)
        return found if limit is None else found[len(found) - min(limit, len(found)) :]

    def put_artefact(
        self, data: bytes, *, name: str, media_type: str, run: str | None = None
    ) -> str:
        """Keep bytes under their content and return the artefact's id; the same bytes, the same id.

        The file is flushed to disk before the ledger mentions it.
        """
        sha256 = files.write(self.artefacts, data)
        short = sha256[: files.DIGITS]
        if self.find("artefact", short) is None:
            body = {"name": name, "media_type": media_type, "size": len(data), "sha256": sha256}
            with suppress(ClaimedError):  # another thread or process put the same bytes just now
                self._insert("artefact", body, run=run, key=short, claim=short)
        return f"artefact-{short}"

    def read_artefact(self, id: str) -> bytes:  # noqa: A002
        """Return an artefact's bytes, verified against its SHA-256."""
        entry = self.get(id)
        if entry.kind != "artefact":
            raise LedgerError("This entry is not an artefact.", given=id)
        return files.read(self.artefacts, entry.body["sha256"])

    def put_table(self, table: pl.DataFrame, *, name: str, run: str | None = None) -> str:
        """Keep a table as Parquet and return the artefact's id; equal content, equal id."""
        buffer = io.BytesIO()
        # One chunk and one row group: how a table was put together leaves no trace.
        table.rechunk().write_parquet(
            buffer, compression="zstd", statistics=True, row_group_size=max(table.height, 1)
        )
        return self.put_artefact(buffer.getvalue(), name=name, media_type=PARQUET, run=run)

    def read_table(self, id: str) -> pl.DataFrame:  # noqa: A002
        """Return the table that :meth:`put_table` kept."""
        import polars as pl

        return pl.read_parquet(io.BytesIO(self.read_artefact(id)))

    def _insert(
        self,
        kind: str,
        body: Mapping[str, Any],
        *,
        run: str | None,
        key: str | None,
        claim: str | None = None,
    ) -> str:
        values: dict[str, Any] = {"time": datetime.now(UTC), "key": key, "claim": claim}
        values["body"] = encode(body)
        if kind != "run":
            values["run"] = None if run is None else run_number(run)
        table = TABLES[kind]
        with translated("written"):
            try:
                with writing_to(self.engine) as connection:
                    number = connection.execute(
                        sa.insert(table).values(**values).returning(table.c.n)
                    ).scalar_one()
            except exc.IntegrityError as error:
                if claim is not None and "claim" in str(error.orig):
                    raise ClaimedError(
                        f"This {kind} was recorded already, by this or another process.",
                        given=claim,
                    ) from error
                raise
        return f"{kind}-{key}" if kind == "artefact" else f"{kind}-{number}"

    def _read(self, query: sa.Select[Any]) -> list[Any]:
        with translated("read"), self.engine.connect() as connection:
            return list(connection.execute(query).mappings())

    def _nearest(self, kind: str) -> str:
        table = TABLES[kind]
        newest = self._read(sa.select(table.c.n, table.c.key).order_by(table.c.n.desc()).limit(1))
        if not newest:
            return f"no {kind} is recorded yet"
        if kind == "artefact":
            return f"for example artefact-{newest[0]['key']}"
        return f"{kind}-1 to {kind}-{newest[0]['n']}"


class ClaimedError(LedgerError):
    """Another entry has claimed this key."""


def _entry(kind: str, row: Mapping[str, Any]) -> Entry:
    run = row.get("run")
    number = row["key"] if kind == "artefact" else row["n"]
    return Entry(
        id=f"{kind}-{number}",
        kind=kind,
        run=f"run-{row['n']}" if kind == "run" else None if run is None else f"run-{run}",
        time=row["time"],
        key=row["key"],
        body=_call_body(row) if kind == "call" else json.loads(row["body"]),
    )


def _call_body(row: Mapping[str, Any]) -> dict[str, Any]:
    body = {name: row[name] for name in row if name not in {"n", "time", "key", "run"}}
    body["answer"] = None if row["answer"] is None else json.loads(row["answer"])
    body["money"] = row["money"] / 1e12
    return body
