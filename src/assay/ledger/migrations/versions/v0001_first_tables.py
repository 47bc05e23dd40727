"""The first tables, and the triggers that make them append-only."""

from __future__ import annotations

from typing import Any

import sqlalchemy as sa
from alembic import op

revision = "0001"
down_revision = None

ENTRIES = (
    "runs",
    "events",
    "proposals",
    "trials",
    "evidence",
    "verdicts",
    "looks",
    "artefacts",
)
NUMBER = sa.BigInteger().with_variant(sa.Integer(), "sqlite")
REFUSAL = "the ledger is append-only"


def upgrade() -> None:
    """Create the tables, their indexes and their triggers."""
    for name in ENTRIES:
        run = [] if name == "runs" else [_run()]
        op.create_table(
            name,
            *_common(),
            *run,
            sa.Column("claim", sa.Text, unique=True),
            sa.Column("body", sa.Text, nullable=False),
        )
        op.create_index(f"{name}_key", name, ["key"])
    _create_intents()
    _create_calls()
    _forbid_changes((*ENTRIES, "intents", "calls"))


def _common() -> list[sa.Column[Any]]:
    return [
        sa.Column("n", NUMBER, primary_key=True, autoincrement=True),
        sa.Column("time", sa.DateTime(timezone=True), nullable=False),
        sa.Column("key", sa.Text),
    ]


def _run() -> sa.Column[Any]:
    return sa.Column("run", NUMBER, sa.ForeignKey("runs.n"))


def _create_intents() -> None:
    op.create_table(
        "intents",
        *_common(),
        _run(),
        sa.Column("owner", sa.Text, nullable=False),
        sa.Column("money", sa.BigInteger, nullable=False),
        sa.Column("tokens", sa.BigInteger, nullable=False),
    )
    op.create_index("intents_run", "intents", ["run", "n"])


def _create_calls() -> None:
    op.create_table(
        "calls",
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
        sa.Column("intent", NUMBER),
        sa.Column("released_money", sa.BigInteger, nullable=False),
        sa.Column("released_tokens", sa.BigInteger, nullable=False),
        sa.Column("released_calls", sa.BigInteger, nullable=False),
    )
    op.create_index("calls_key", "calls", ["key"])
    op.create_index("calls_run", "calls", ["run", "n"])


def _forbid_changes(tables: tuple[str, ...]) -> None:
    if op.get_bind().dialect.name == "postgresql":
        _forbid_on_postgresql(tables)
    else:
        _forbid_on_sqlite(tables)


def _forbid_on_postgresql(tables: tuple[str, ...]) -> None:
    op.execute(
        "CREATE FUNCTION assay_refuse() RETURNS trigger LANGUAGE plpgsql AS "
        f"$$ BEGIN RAISE EXCEPTION '{REFUSAL}'; END $$"
    )
    for table in tables:
        op.execute(
            f"CREATE TRIGGER {table}_append_only BEFORE UPDATE OR DELETE ON {table} "
            "FOR EACH ROW EXECUTE FUNCTION assay_refuse()"
        )
        op.execute(
            f"CREATE TRIGGER {table}_keep BEFORE TRUNCATE ON {table} "
            "FOR EACH STATEMENT EXECUTE FUNCTION assay_refuse()"
        )


def _forbid_on_sqlite(tables: tuple[str, ...]) -> None:
    for table in tables:
        for verb in ("UPDATE", "DELETE"):
            op.execute(
                f"CREATE TRIGGER {table}_no_{verb.lower()} BEFORE {verb} ON {table} "
                f"BEGIN SELECT RAISE(ABORT, '{REFUSAL}'); END"
            )
        # INSERT OR REPLACE would delete a row without asking the trigger above.
        op.execute(
            f"CREATE TRIGGER {table}_no_replace BEFORE INSERT ON {table} "  # noqa: S608
            f"WHEN NEW.n IN (SELECT n FROM {table}) "
            f"BEGIN SELECT RAISE(ABORT, '{REFUSAL}'); END"
        )
