"""What past calls took: the tokens, the time, and what had been reserved for them."""

from __future__ import annotations

from dataclasses import dataclass

import sqlalchemy as sa

from assay.ledger.database import translated
from assay.ledger.ledger import Ledger
from assay.ledger.schema import calls
from assay.ledger.statements import NOT_SENT

NEWEST = 5000
"""Calls that are looked at: what a model took lately says most about what it takes next."""


@dataclass(frozen=True)
class History:
    """Sums over past calls of one model and one kind of question.

    Attributes
    ----------
    reserved
        Tokens that had been reserved for them, in the worst case.
    seconds
        Time that they took, one by one; those that came in a batch took as long as the others.
    """

    calls: int = 0
    tokens_in: int = 0
    tokens_out: int = 0
    reserved: int = 0
    seconds: float = 0.0


def history(ledger: Ledger, model: str, question: str) -> History:
    """Return what the newest calls took that read a token, whatever their run."""
    newest = (
        sa.select(calls.c.tokens_in, calls.c.tokens_out, calls.c.released_tokens, calls.c.seconds)
        .where(
            calls.c.model == model,
            calls.c.question == question,
            calls.c.status.not_in(NOT_SENT),
            calls.c.tokens_in > 0,
        )
        .order_by(calls.c.n.desc())
        .limit(NEWEST)
        .subquery()
    )
    sums = [sa.func.coalesce(sa.func.sum(each), 0) for each in newest.c]
    timed = sa.func.count(sa.func.nullif(newest.c.seconds, 0))
    with translated("read"), ledger.engine.connect() as connection:
        count, *rest = connection.execute(sa.select(sa.func.count(), *sums, timed)).one()
    read, written, reserved, seconds, timed_calls = rest
    each = float(seconds) / timed_calls if timed_calls else 0.0
    return History(count, int(read), int(written), int(reserved), each * count)
