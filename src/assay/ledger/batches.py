"""The ledger's record of batches: requests that a provider takes together and answers later.

A batch has a token of our own before the provider names it, so that one which was submitted by
a process that died is found again. Its intents belong to the token instead of to a process:
they stay reserved until the batch is collected, whoever collects it.
"""

from __future__ import annotations

import json
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Any

import sqlalchemy as sa

from assay.ledger.amounts import NOTHING, Amount
from assay.ledger.database import translated
from assay.ledger.entry import run_number
from assay.ledger.ledger import ClaimedError, Ledger
from assay.ledger.schema import calls, events, intents
from assay.ledger.statements import NOT_SENT

OWNER = "batch-"


@dataclass(frozen=True, slots=True)
class Batch:
    """One batch.

    Attributes
    ----------
    token
        Names it before the provider does.
    run, model, question, rows
        What was asked, and how often.
    planned
        When it was written down, before anything left.
    holder, held, takes
        The process that last took it in hand, since when, and how many did before.
    remote
        The provider's name for it; None until it is known to be submitted.
    ended
        How it ended, once every row of it is settled.
    corrections
        The artefact with what was wrong with earlier answers, where it asks again.
    """

    token: str
    run: str
    model: str
    question: str
    rows: int
    planned: datetime
    holder: str
    held: datetime
    takes: int = 0
    remote: str | None = None
    ended: str | None = None
    corrections: str | None = None

    @property
    def owner(self) -> str:
        """The owner of its intents; no host has this name, so none counts as dead."""
        return f"{OWNER}{self.token}:0:0"


@dataclass(frozen=True, slots=True)
class Account:
    """What a batch has cost so far, and what is still reserved; ``settled`` rows of it."""

    settled: int = 0
    money: int = 0
    reserved: int = 0


class BatchBook:
    """Reads and writes the batches of a ledger."""

    def __init__(self, ledger: Ledger) -> None:
        self._ledger = ledger

    def all(self) -> list[Batch]:
        """Return every batch, the oldest first."""
        query = sa.select(events).where(events.c.key.like("batch:%")).order_by(events.c.n)
        found: dict[str, Batch] = {}
        with translated("read"), self._ledger.engine.connect() as connection:
            steps = connection.execute(query).all()
        for step in steps:
            body = json.loads(step.body)
            token = body["batch"]
            found[token] = _after(found.get(token), body, f"run-{step.run}", step.time)
        return list(found.values())

    def open(self, model: str | None = None, question: str | None = None) -> list[Batch]:
        """Return the batches with rows that nobody has settled yet."""
        return [
            each
            for each in self.all()
            if each.ended is None
            and model in (None, each.model)
            and question in (None, each.question)
        ]

    def plan(
        self,
        token: str,
        *,
        run: str,
        model: str,
        question: str,
        rows: int,
        holder: str,
        corrections: str | None = None,
    ) -> Batch:
        """Write down that a batch is about to be submitted."""
        body = {
            "model": model,
            "question": question,
            "rows": rows,
            "holder": holder,
            "corrections": corrections,
        }
        entry = self._ledger.get(self._note(token, "planned", body, run=run))
        return _after(None, entry.body, run, entry.time)

    def submitted(self, batch: Batch, remote: str, rows: int) -> Batch:
        """Write down the provider's name for a batch, and how many rows went."""
        self._note(batch.token, "submitted", {"remote": remote, "rows": rows}, run=batch.run)
        return replace(batch, remote=remote, rows=rows)

    def end(self, batch: Batch, how: str) -> None:
        """Write down that every row is settled."""
        self._note(batch.token, "ended", {"how": how}, run=batch.run)

    def take(self, batch: Batch, holder: str, alive: Callable[[str], bool]) -> bool:
        """Take a batch in hand, unless a living process has it: two would settle it twice."""
        if batch.holder == holder:
            return True
        if alive(batch.holder):
            return False
        with suppress(ClaimedError):
            self._ledger.record(
                "event",
                {"batch": batch.token, "step": "taken", "holder": holder},
                run=batch.run,
                key=f"batch:{batch.token}:{batch.takes}",
                unique=True,
            )
            return True
        return False

    def holder(self, token: str) -> str | None:
        """Return the process that has a batch in hand now; None where there is no such batch."""
        return next((each.holder for each in self.all() if each.token == token), None)

    def unsettled(self, batch: Batch) -> dict[str, tuple[int, Amount]]:
        """Return, by key, the intents of a batch that no call has settled."""
        settled = sa.select(calls.c.intent).where(
            calls.c.run == run_number(batch.run), calls.c.intent.is_not(None)
        )
        query = sa.select(intents.c.key, intents.c.n, intents.c.money, intents.c.tokens).where(
            _of(batch), intents.c.n.not_in(settled)
        )
        with translated("read"), self._ledger.engine.connect() as connection:
            return {
                key: (number, Amount(money, tokens, 1))
                for key, number, money, tokens in connection.execute(query)
            }

    def account(self, batch: Batch) -> Account:
        """Return what a batch has cost."""
        query = (
            sa.select(
                sa.func.count(),
                sa.cast(sa.func.coalesce(sa.func.sum(calls.c.money), 0), sa.BigInteger),
            )
            .select_from(calls.join(intents, calls.c.intent == intents.c.n))
            .where(
                _of(batch),
                calls.c.run == run_number(batch.run),
                calls.c.status.not_in(NOT_SENT),
            )
        )
        with translated("read"), self._ledger.engine.connect() as connection:
            settled, money = connection.execute(query).one()
        reserved = sum((each for _, each in self.unsettled(batch).values()), NOTHING)
        return Account(settled, money, reserved.money)

    def _note(self, token: str, step: str, body: dict[str, Any], *, run: str) -> str:
        whole = {"batch": token, "step": step, **body}
        return self._ledger.record("event", whole, run=run, key=f"batch:{token}")


def _of(batch: Batch) -> sa.ColumnElement[bool]:
    return (intents.c.run == run_number(batch.run)) & (intents.c.owner == batch.owner)


def _after(batch: Batch | None, body: dict[str, Any], run: str, time: datetime) -> Batch:
    """Return a batch after one more step."""
    if batch is None:
        return Batch(
            token=str(body["batch"]),
            run=run,
            model=body["model"],
            question=body["question"],
            rows=body["rows"],
            planned=time,
            holder=body["holder"],
            held=time,
            corrections=body["corrections"],
        )
    if body["step"] == "taken":
        return replace(batch, holder=body["holder"], held=time, takes=batch.takes + 1)
    if body["step"] == "submitted":
        return replace(batch, remote=body["remote"], rows=body["rows"])
    return replace(batch, ended=body["how"])
