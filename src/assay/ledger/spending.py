"""What was spent, added up by day, model, capability, question, status, run, or way of asking."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal, get_args

import sqlalchemy as sa

from assay.errors import InputError
from assay.ledger.batches import OWNER
from assay.ledger.database import translated
from assay.ledger.entry import run_number
from assay.ledger.ledger import Ledger
from assay.ledger.schema import calls, intents
from assay.ledger.statements import NOT_SENT

By = Literal["day", "model", "capability", "question", "status", "run", "way"]
"""``way`` is ``batch`` or ``live``."""


@dataclass(frozen=True)
class Spent:
    """One group of calls: how many, their tokens, and their price in US dollars."""

    group: str
    calls: int
    tokens_in: int
    tokens_out: int
    money: float


def models_asked(ledger: Ledger, run: str) -> list[str]:
    """Return the models that a run's calls name, sorted."""
    query = (
        sa.select(calls.c.model)
        .where(calls.c.run == run_number(run))
        .distinct()
        .order_by(calls.c.model)
    )
    with translated("read"), ledger.engine.connect() as connection:
        return list(connection.execute(query).scalars())


def spending(ledger: Ledger, by: str = "model", *, run: str | None = None) -> list[Spent]:
    """Return what was spent in each group, the dearest first; days in their order.

    Parameters
    ----------
    by
        day, model, capability, question, status or run.
    run
        Only the calls of this run.

    Raises
    ------
    InputError
        When there is no such grouping.
    """
    if by not in get_args(By):
        raise InputError(
            "Spending is not grouped by this.", given=by, allowed=", ".join(get_args(By))
        )
    group = _group(by)
    money = sa.cast(sa.func.sum(calls.c.money), sa.BigInteger)
    query = (
        sa.select(
            group,
            sa.func.count(),
            sa.cast(sa.func.sum(calls.c.tokens_in), sa.BigInteger),
            sa.cast(sa.func.sum(calls.c.tokens_out), sa.BigInteger),
            money,
        )
        .select_from(_calls_with_intents() if by == "way" else calls)
        .where(calls.c.status.not_in(NOT_SENT))
        .group_by(group)
        .order_by(group if by == "day" else money.desc(), group)
    )
    if run is not None:
        query = query.where(calls.c.run == run_number(run))
    with translated("read"), ledger.engine.connect() as connection:
        rows = connection.execute(query).all()
    prefix = "run-" if by == "run" else ""
    return [
        Spent("" if name is None else f"{prefix}{name}", count, read, written, money / 1e12)
        for name, count, read, written, money in rows
    ]


def _calls_with_intents() -> sa.Join:
    return calls.outerjoin(intents, calls.c.intent == intents.c.n)


def _group(by: str) -> sa.ColumnElement[str]:
    if by == "day":
        return sa.func.date(calls.c.time)
    if by == "way":
        return sa.case((intents.c.owner.like(f"{OWNER}%"), "batch"), else_="live")
    return calls.c[by]
