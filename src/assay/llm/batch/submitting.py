"""Submits rows: packed into files, reserved, written down, sent, in this order.

A process that dies on the way leaves enough behind: intents that belong to the batch's token,
and the token in the provider's hands.
"""

from __future__ import annotations

import json
import secrets
import time
from collections.abc import Iterator, Sequence
from contextlib import ExitStack

from assay.ledger.amounts import Amount
from assay.ledger.batches import Batch
from assay.ledger.calls import CallBook, Intent
from assay.llm import telemetry
from assay.llm.batch.exchange import Sent
from assay.llm.batch.finding import candidates
from assay.llm.batch.job import AT_ONCE, Job, Outstanding, Settling, Wanted
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
        self._server = job.server

    def add(self, wanted: Wanted, sent: Sent) -> bool:
        """Add a row; return False where the file is full."""
        custom_id = f"{wanted.key}-{sent.digest}-{self.token}"
        if not self.spool.add(self._server.request(custom_id, sent.path, sent.body)):
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

    def submit(self, todo: Sequence[Wanted]) -> Iterator[Outstanding]:
        """Yield each batch as it is submitted."""
        with ExitStack() as files:
            packing = self._new(files)
            for wanted, sent in self._requests(todo):
                if self.reached is None and not packing.add(wanted, sent):
                    if packing.rows:
                        yield from self._send(packing)
                        packing = self._new(files)
                    if self.reached is None and not packing.add(wanted, sent):
                        long = RowError("The request is too long for a batch.", kind="too long")
                        self._fail(wanted, long)
                if self.reached is not None:
                    self.left.append(wanted)
            if packing.rows and self.reached is None:
                yield from self._send(packing)
            else:
                self.left += packing.rows

    def _new(self, files: ExitStack) -> Packing:
        files.close()
        packing = Packing(self._job)
        files.callback(packing.spool.close)
        return packing

    def _requests(self, todo: Sequence[Wanted]) -> Iterator[tuple[Wanted, Sent]]:
        """Yield rows with their requests; one that makes none fails alone."""
        job = self._job
        for start in range(0, len(todo), AT_ONCE):
            if self.reached is None and time.monotonic() > job.terms.deadline:
                self.reached = "minutes"
            if self.reached is not None:
                self.left += todo[start:]
                return
            some = todo[start : start + AT_ONCE]
            requests = job.loop.run(job.exchange.requests([job.asked(each) for each in some]))
            for wanted, sent in zip(some, requests, strict=True):
                if isinstance(sent, AskError):
                    self._fail(wanted, sent)
                else:
                    yield wanted, sent

    def _fail(self, wanted: Wanted, error: AskError) -> None:
        self._job.errors[error.kind] += 1
        self._job.failed(wanted, error.problem)

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
        worst = job.model.worst(prompt, job.question.name, job.question.extra_of(prompt))
        return Amount(job.terms.price.of(worst), worst.tokens_in + worst.tokens_out, 1)

    def _sent(self, packing: Packing, out: Outstanding) -> str:
        """Submit; where the answer was lost on the way, look for the batch before trying again."""
        job, limits = self._job, self._job.terms.limits
        may_be_taken = False
        for attempt in range(limits.attempts):
            try:
                found = self._look(out) if may_be_taken else None
                if found is not None:
                    return found
                with telemetry.request(job.model.name, job.question.name, len(out.wanted)):
                    return job.loop.run(
                        job.server.submit(packing.spool, packing.path, packing.token, self._run)
                    )
            except TransientError as error:
                job.errors[error.kind] += 1
                last = error
                may_be_taken |= error.kind != "rate"
                wait = min(limits.longest_wait, limits.first_wait * 2**attempt)
                time.sleep(wait if error.wait is None else error.wait)
            except AskError as error:
                if not may_be_taken:
                    self._refused(out, error)
                raise
        raise last

    def _look(self, out: Outstanding) -> str | None:
        """Return the provider's name for a batch that it may have taken, where it has."""
        found = candidates(self._job, out.batch, len(out.wanted))
        if not found or self._job.server.finds_by_token:
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
