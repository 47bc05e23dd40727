"""The tables of the ledger, as the newest migration leaves them."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

import sqlalchemy as sa

from assay.ledger.entry import KINDS

HEAD = "0001"
"""The newest migration; a ledger of a higher number was written by a newer Assay."""

metadata = sa.MetaData()


class UtcTime(sa.types.TypeDecorator[datetime]):
    """A point in time, always UTC, whether or not the database keeps time zones."""

    impl = sa.DateTime(timezone=True)
    cache_ok = True

    def process_bind_param(self, value: datetime | None, dialect: Any) -> datetime | None:
        """Drop the zone where the database has none; the value is UTC already."""
        if value is not None and dialect.name == "sqlite":
            return value.astimezone(UTC).replace(tzinfo=None)
        return value

    def process_result_value(self, value: datetime | None, dialect: Any) -> datetime | None:
        """Give the zone back."""
        if value is not None and value.tzinfo is None:
            return value.replace(tzinfo=UTC)
        return None if value is None else value.astimezone(UTC)


Number = sa.BigInteger().with_variant(sa.Integer(), "sqlite")
"""A row number; SQLite numbers rows by itself only when the type is exactly INTEGER."""


def _common() -> list[sa.Column[Any]]:
    return [
        sa.Column("n", Number, primary_key=True, autoincrement=True),
        sa.Column("time", UtcTime, nullable=False),
        sa.Column("key", sa.Text),
    ]


def _run() -> sa.Column[Any]:
    return sa.Column("run", Number, sa.ForeignKey("runs.n"))


def _entries(name: str) -> sa.Table:
    """Return a table whose entries hold a JSON body; ``claim`` is a key that only one may take."""
    run = [] if name == "runs" else [_run()]
    return sa.Table(
        name,
        metadata,
        *_common(),
        *run,
        sa.Column("claim", sa.Text, unique=True),
        sa.Column("body", sa.Text, nullable=False),
        sa.Index(f"{name}_key", "key"),
    )


runs = _entries("runs")
events = _entries("events")
proposals = _entries("proposals")
trials = _entries("trials")
evidence = _entries("evidence")
verdicts = _entries("verdicts")
looks = _entries("looks")
artefacts = _entries("artefacts")

intents = sa.Table(
    "intents",
    metadata,
    *_common(),
    _run(),
    sa.Column("owner", sa.Text, nullable=False),
    sa.Column("money", sa.BigInteger, nullable=False),
    sa.Column("tokens", sa.BigInteger, nullable=False),
    sa.Index("intents_run", "run", "n"),
)
"""Written before a request leaves: the most that it can cost. Money is in 1e-12 US dollars."""

calls = sa.Table(
    "calls",
    metadata,
    *_common(),
    _run(),
    sa.Column("model", sa.Text, nullable=False),
    sa.Column("question", sa.Text, nullable=False),
    sa.Column("capability", sa.Text),
    sa.Column("status", sa.Text, nullable=False),
    sa.Column("answer", sa.Text),
    sa.Column("why", sa.Text),
    sa.Column("tokens_in", sa.BigInteger, nullable=False),
    sa.Column("tokens_out", sa.BigInteger, nullable=False),
    sa.Column("money", sa.BigInteger, nullable=False),
    sa.Column("seconds", sa.Float, nullable=False),
    sa.Column("intent", Number),
    sa.Column("released_money", sa.BigInteger, nullable=False),
    sa.Column("released_tokens", sa.BigInteger, nullable=False),
    sa.Column("released_calls", sa.BigInteger, nullable=False),
    sa.Index("calls_key", "key"),
    sa.Index("calls_run", "run", "n"),
)
"""Every answer and every failure, with what it really cost (1e-12 US dollars, tokens, seconds)."""

TABLES: dict[str, sa.Table] = {
    "run": runs,
    "event": events,
    "call": calls,
    "proposal": proposals,
    "trial": trials,
    "evidence": evidence,
    "verdict": verdicts,
    "look": looks,
    "artefact": artefacts,
}
assert tuple(TABLES) == KINDS  # noqa: S101 - a wrong edit of either fails at import
