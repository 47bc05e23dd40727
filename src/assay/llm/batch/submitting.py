"""Submits rows: packed into files, reserved, written down, sent, in this order.

A process that dies on the way leaves enough behind: intents that belong to the batch's token,
and the token in the provider's hands.
"""

from __future__ import annotations

import json
import secrets
import time
from collections.abc import Iterable, Iterator

from assay.ledger.amounts import Amount
from assay.ledger.batches import Batch
from assay.ledger.calls import CallBook, Intent
from assay.llm.batch.finding import LOOK_BACK
from assay.llm.batch.job import Job, Outstanding, Settling, Wanted
from assay.llm.batch.spool import Spool
from assay.llm.journal import OWNER
from assay.llm.model import AskError, HopelessError, RowError, TransientError


class Packing:
    """Rows packed into one file under one token."""

    def __init__(self, job: Job) -> None:
        self.token = secrets.token_hex(8)
        self.spool = Spool(job.server.frame())
        self.rows: list[Wanted] = []
        self.path = ""
        self._job = job

    def add(self, wanted: Wanted) -> bool:
        """Add a row; return False where the file is full. Raises `RowError` for a bad row."""
        job = self._job
        prompt = job.prompts[wanted.row]
        sent = job.exchange.request(prompt, wanted.part, wanted.correction)
        custom_id = f"{wanted.key}-{sent.digest}-{self.token}"
        if not self.spool.add(job.server.request(custom_id, sent.path, sent.body)):
            if not self.rows:
                raise RowError("The request is too long for a batch.", kind="too long")
            return False
        self.rows.append(wanted)
        self.path = sent.path
        return True


class Submitting:
    """Submits the rows of one round. ``left`` are those that a cap stopped, ``reached``."""

    def __init__(self, job: Job, book: CallBook, run: str) -> None:
        self.left: list[Wanted] = []
        self.reached: str | None = None
        self._job = job
        self._book = book
        self._run = run

    def submit(self, todo: Iterable[Wanted]) -> Iterator[Outstanding]:
        """Yield each batch as it is submitted."""
        packing: Packing | None = None
        try:
            for each in todo:
                if self.reached is None and time.monotonic() > self._job.terms.deadline:
                    self.reached = "minutes"
                if self.reached is not None:
                    self.left.append(each)
                    continue
                packing = packing or Packing(self._job)
                if not self._packed(packing, each):
                    yield from self._send(packing)
                    packing.spool.close()
                    packing = Packing(self._job)
                    if self.reached is None:
                        self._packed(packing, each)
                    else:
                        self.left.append(each)
            if packing is not None and packing.rows:
                yield from self._send(packing)
        finally:
            if packing is not None:
                packing.spool.close()

    def _packed(self, packing: Packing, wanted: Wanted) -> bool:
        """Pack a row; one that makes no request fails alone, and counts as packed."""
        try:
            return packing.add(wanted)
        except RowError as error:
            self._job.errors[error.kind] += 1
            self._job.failed(wanted, error.problem)
            return True

    def _send(self, packing: Packing) -> Iterator[Outstanding]:
        batch = self._plan(packing)
        intents = [Intent(each.key, self._worst(each)) for each in packing.rows]
        numbers, self.reached = self._book.reserve(intents, self._job.terms.caps, batch.owner)
        fitting, left = packing.rows[: len(numbers)], packing.rows[len(numbers) :]
        self.left += left
        if not fitting:
            self._job.batches.end(batch, "nothing fitted under the caps")
            return
        packing.spool.keep(len(fitting))
        out = Outstanding(batch, {each.key: each for each in fitting})
        self._job.tell("submitting", 0, len(fitting))
        remote = self._sent(packing, out)
        out.batch = self._job.batches.submitted(batch, remote, len(fitting))
        yield out

    def _plan(self, packing: Packing) -> Batch:
        job = self._job
        job.holding.begin(packing.token)
        told = {each.key: [each.corrections, each.correction] for each in packing.rows}
        corrections = None
        if any(count for count, _ in told.values()):
            corrections = job.ledger.put_artefact(
                json.dumps(told).encode(),
                name="corrections.json",
                media_type="application/json",
                run=self._run,
            )
        return job.batches.plan(
            packing.token,
            run=self._run,
            model=job.model.name,
            question=job.question.name,
            rows=len(packing.rows),
            holder=OWNER,
            corrections=corrections,
        )

    def _worst(self, wanted: Wanted) -> Amount:
        job = self._job
        prompt = job.prompts[wanted.row]
        worst = job.model.worst(prompt, job.question.name, job.question.extra)
        return Amount(job.terms.price.of(worst), worst.tokens_in + worst.tokens_out, 1)

    def _sent(self, packing: Packing, out: Outstanding) -> str:
        """Submit; where the answer was lost on the way, look for the batch before trying again."""
        job, limits = self._job, self._job.terms.limits
        for attempt in range(limits.attempts):
            try:
                found = self._look(out) if attempt else None
                if found is not None:
                    return found
                return job.loop.run(
                    job.server.submit(packing.spool, packing.path, packing.token, self._run)
                )
            except TransientError as error:
                job.errors[error.kind] += 1
                last = error
                wait = min(limits.longest_wait, limits.first_wait * 2**attempt)
                time.sleep(wait if error.wait is None else error.wait)
            except AskError as error:
                if attempt == 0:  # nothing can have been taken
                    self._refused(out, error)
                raise
        raise last

    def _look(self, out: Outstanding) -> str | None:
        """Return the provider's name for a batch that it may have taken, where it has."""
        job, batch = self._job, out.batch
        found = job.loop.run(
            job.server.find(batch.token, len(out.wanted), batch.planned - LOOK_BACK)
        )
        if not found or job.server.finds_by_token:
            return found[0] if found else None
        raise HopelessError(
            "The connection broke while a batch was submitted, and the provider may have taken"
            " it. Ask again later: it is looked for before anything is sent.",
            kind="broken",
        )

    def _refused(self, out: Outstanding, error: AskError) -> None:
        settling = Settling(self._job, out)
        settling.release("unsent", error.problem)
        settling.commit()
        self._job.batches.end(out.batch, "refused")
