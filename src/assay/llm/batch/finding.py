"""Finds the batches that earlier processes left, so that no row is paid for twice."""

from __future__ import annotations

import json
import tempfile
from collections.abc import Iterable
from datetime import timedelta

from assay.errors import ModelError
from assay.ledger.batches import Batch
from assay.ledger.calls import CallBook
from assay.llm.batch.job import Job, Outstanding, Settling, Wanted
from assay.llm.batch.waiting import Waiting
from assay.llm.model import HopelessError

LOOK_BACK = timedelta(days=1)
"""How far this machine's clock may be ahead of the provider's."""


class StillLookedForError(Exception):
    """The minutes were over before it was known which batch is ours."""


def candidates(job: Job, batch: Batch, rows: int) -> list[str]:
    """Return the provider's batches that may be this one; never one that is known as another."""
    others = {each.remote for each in job.batches.all()}
    found = job.loop.run(job.server.find(batch.token, rows, batch.planned - LOOK_BACK))
    return [each for each in found if each not in others]


class Finding:
    """The open batches of one question, whichever run they belong to."""

    def __init__(self, job: Job) -> None:
        self._job = job
        found = job.batches.open(job.model.name, job.question.name)
        self._open = [(each, job.batches.unsettled(each)) for each in found]

    @property
    def keys(self) -> set[str]:
        """The keys of all requests that they hold."""
        return {key for _, held in self._open for key in held}

    def take_up(self, todo: dict[str, Wanted], answered: dict[str, Wanted]) -> list[Outstanding]:
        """Take in hand the batches that hold wanted requests; those leave ``todo``.

        Parameters
        ----------
        answered
            Requests that were answered otherwise meanwhile: their price is still to be settled.

        Raises
        ------
        ModelError
            When another process has one of them in hand.
        """
        taken = []
        for batch, held in self._open:
            wanted = {key: todo[key] for key in held if key in todo}
            spare = {key: answered[key] for key in held if key in answered}
            if held and not wanted and not spare:
                continue
            if not self._job.holding.take(batch):
                if wanted:
                    raise ModelError(
                        "Another process is waiting for a batch with these rows.",
                        given=batch.remote or batch.token,
                        next_step="wait until it has ended, then run the same command again",
                    )
                continue
            if not held:  # its process died before anything was reserved, let alone sent
                self._job.batches.end(batch, "never sent")
                continue
            self._hand_over_what_others_settled(batch, wanted, todo)
            if not wanted and not spare:
                continue
            out = Outstanding(batch, wanted | spare)
            try:
                known = self._is_submitted(out, len(held))
            except StillLookedForError:
                known = False
                for key in wanted:
                    self._job.unasked(todo.pop(key), "its batch is still looked for")
            if known:
                self._recall_corrections(out)
                taken.append(out)
                for key in wanted:
                    del todo[key]
        return taken

    def _hand_over_what_others_settled(
        self, batch: Batch, wanted: dict[str, Wanted], todo: dict[str, Wanted]
    ) -> None:
        """Take out what another process collected before we had the batch in hand."""
        held = self._job.batches.unsettled(batch)
        settled = [key for key in wanted if key not in held]
        answers = CallBook(self._job.ledger, batch.run).answered(settled)
        for key in settled:
            del wanted[key]
            if key in answers:
                for row, part in todo.pop(key).targets:
                    self._job.sink.answered(row, part, json.loads(answers[key]), cached=True)

    def _is_submitted(self, out: Outstanding, rows: int) -> bool:
        """Whether the provider has it; where not, its reservations are given back."""
        if out.batch.remote is not None:
            return True
        try:
            remote = self._remote(out.batch, rows)
        except HopelessError as error:
            if error.kind != "model":
                raise
            # A server without a list of batches: what it may have been paid counts as paid.
            self._give_up(out, "lost", "nobody can tell whether the batch was submitted")
            return False
        if remote is None:
            self._give_up(out, "unsent", "the process that asked was killed before it was sent")
            return False
        out.batch = self._job.batches.submitted(out.batch, remote, rows)
        return True

    def _remote(self, batch: Batch, rows: int) -> str | None:
        found = candidates(self._job, batch, rows)
        if self._job.server.finds_by_token:
            return found[0] if found else None
        return self._compared(batch, found)

    def _compared(self, batch: Batch, remotes: Iterable[str]) -> str | None:
        """Return the one whose first result has an id with our token, once all have ended."""
        left = list(remotes)
        for remote, state in Waiting(self._job, left).ended():
            left.remove(remote)
            with tempfile.TemporaryFile() as file:
                self._job.loop.run(self._job.server.download(state, file))
                file.seek(0)
                first = file.readline()
            if first and self._job.server.result(first).custom_id.endswith(f"-{batch.token}"):
                return remote
        if left:
            raise StillLookedForError
        return None

    def _give_up(self, out: Outstanding, status: str, why: str) -> None:
        settling = Settling(self._job, Outstanding(out.batch, {}))
        settling.release(status, why)
        settling.commit()
        self._job.batches.end(out.batch, status)

    def _recall_corrections(self, out: Outstanding) -> None:
        """Say again what was wrong with the answers before, as the submitted requests do."""
        if out.batch.corrections is None:
            return
        told = json.loads(self._job.ledger.read_artefact(out.batch.corrections))
        for key, wanted in out.wanted.items():
            wanted.corrections, wanted.correction = told[key]
