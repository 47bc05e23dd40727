"""Asks one question of many prompts in batches: cheaper, hours later, and safe to leave.

Everything here can be killed at any moment. A batch is written down, and its rows reserved,
before it is submitted; whoever asks the same rows later finds it, waits for it and collects it.
"""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Sequence
from contextlib import suppress

from assay.ledger import Ledger
from assay.ledger.calls import Call, CallBook
from assay.llm.batch.collecting import Collecting
from assay.llm.batch.exchange import Exchange
from assay.llm.batch.finding import Finding
from assay.llm.batch.job import Job, Outstanding, Tell, Wanted
from assay.llm.batch.offered import batches_of
from assay.llm.batch.submitting import Submitting
from assay.llm.batch.waiting import Waiting
from assay.llm.model import AskError, HopelessError, Model
from assay.llm.prompt import Prompt
from assay.llm.questions import Keys, Question
from assay.llm.runner import LoopThread
from assay.llm.shared import SharedAnswers
from assay.llm.terms import Sink, Terms

GOES_ON = "its batch goes on at the provider; ask again to collect it"
_LOOKED_UP = 4096
_WORTH_A_BATCH = 100
"""Fewer rows than this, of more, are not sent when settled prices have made room for them."""


class BatchAsking:
    """One question being asked of many prompts in batches. Use it once.

    Parameters
    ----------
    run
        The run that new batches belong to.
    loop
        Where requests run; everything else runs in the caller's thread.
    tell
        Told the state of the batches, and the requests done and in all.

    Raises
    ------
    InputError
        When the model's provider takes no batches.
    """

    def __init__(
        self,
        model: Model,
        question: Question,
        terms: Terms,
        book: CallBook,
        sink: Sink,
        shared: SharedAnswers | None = None,
        errors: Counter[str] | None = None,
        *,
        ledger: Ledger,
        run: str,
        loop: LoopThread,
        tell: Tell = lambda *_: None,
    ) -> None:
        self.errors: Counter[str] = Counter() if errors is None else errors
        self._server = batches_of(model)
        self._model = model
        self._question = question
        self._terms = terms
        self._book = book
        self._sink = sink
        self._shared = shared
        self._ledger = ledger
        self._run = run
        self._loop = loop
        self._tell = tell
        self._keys = Keys(model.name, question.name, question.extra, model.parameters)
        self._parts = model.capabilities.parts if question.name == "choose" else 1
        self._answered = 0
        self._hopeless: HopelessError | None = None

    def run(self, prompts: Sequence[Prompt]) -> None:
        """Ask all that the ledger does not know; return when all that can be had is committed.

        Rows whose batch has not ended when the budget's minutes have are left unasked; the
        batch goes on.

        Raises
        ------
        HopelessError
            When the provider refused, and no row was answered.
        ModelError
            When another process is waiting for a batch with these rows.
        """
        job = self._job(prompts)
        try:
            self._ask(job)
        finally:
            job.holding.let_go()
        if self._hopeless is not None and not self._answered:
            raise self._hopeless

    def _job(self, prompts: Sequence[Prompt]) -> Job:
        return Job(
            model=self._model,
            question=self._question,
            terms=self._terms,
            ledger=self._ledger,
            sink=self._sink,
            loop=self._loop,
            server=self._server,
            exchange=Exchange(self._question, self._model),  # type: ignore[arg-type]
            tell=self._tell,
            prompts=prompts,
            shared=self._shared,
            errors=self.errors,
        )

    def _ask(self, job: Job) -> None:
        finding = Finding(job)
        todo, answered = self._unanswered(job.prompts, finding.keys)
        outstanding = finding.take_up(todo, answered)
        waiting: Sequence[Wanted] = list(todo.values())
        while True:
            submitting = Submitting(job, self._book, self._run)
            outstanding += submitting.submit(waiting)
            sent = len(waiting) - len(submitting.left)
            again = self._collected(job, outstanding)
            outstanding = []
            waiting = [*again, *submitting.left]
            if submitting.reached == "minutes" or (submitting.left and sent < _WORTH_A_BATCH):
                break
            if not waiting:
                return
        why = f"the budget's cap on {submitting.reached} was reached"
        for wanted in waiting:
            job.unasked(wanted, why)

    def _unanswered(
        self, prompts: Sequence[Prompt], open_keys: set[str]
    ) -> tuple[dict[str, Wanted], dict[str, Wanted]]:
        """Hand over what the ledger knows; return what must be asked, by key, each once.

        The second mapping holds what the ledger knows though a batch still holds it too.
        """
        todo: dict[str, Wanted] = {}
        both: dict[str, Wanted] = {}
        for start in range(0, len(prompts), _LOOKED_UP):
            rows = range(start, min(start + _LOOKED_UP, len(prompts)))
            asked = [
                (self._keys.of(prompt, part), row, part)
                for row in rows
                for prompt in (prompts[row],)
                for part in range(self._parts)
            ]
            known = self._known([key for key, _, _ in asked])
            for key, row, part in asked:
                if key in known:
                    self._sink.answered(row, part, json.loads(known[key]), cached=True)
                    if key in open_keys:
                        both[key] = Wanted(key, row, part, is_needed=False)
                elif key in todo:
                    todo[key].add(row, part)
                else:
                    todo[key] = Wanted(key, row, part)
        return todo, both

    def _known(self, keys: Sequence[str]) -> dict[str, str]:
        known = self._book.answered(keys)
        if self._shared is None:
            return known
        shared = self._shared.find([key for key in keys if key not in known])
        name, question = self._model.name, self._question.name
        self._book.write(
            Call(key, name, question, "shared", 0, 0, 0, 0.0, answer=answer)
            for key, answer in shared.items()
        )
        return known | shared

    def _collected(self, job: Job, outstanding: Sequence[Outstanding]) -> list[Wanted]:
        """Wait for batches and collect them; return the rows to be asked again."""
        again: list[Wanted] = []
        left = {each.remote: each for each in outstanding}
        needed = [remote for remote, each in left.items() if each.is_needed]
        for remote, state in Waiting(job, needed).ended():
            out = left.pop(remote)
            if not job.holding.still(out.batch):
                self._leave_to_another(job, out)
                continue
            collecting = Collecting(job, out)
            collecting.collect(state)
            again += collecting.again
            self._answered += collecting.answered
            self._hopeless = self._hopeless or collecting.hopeless
        for each in left.values():
            self._leave(job, each)
        return again

    def _leave_to_another(self, job: Job, out: Outstanding) -> None:
        for wanted in out.wanted.values():
            job.unasked(wanted, "another process has taken its batch in hand")

    def _leave(self, job: Job, out: Outstanding) -> None:
        """Leave a batch to go on; one that no row waits for is collected where it has ended."""
        if out.is_needed:
            for wanted in out.wanted.values():
                job.unasked(wanted, GOES_ON)
            return
        with suppress(AskError):  # another time
            state = job.loop.run(job.server.state(out.remote))
            if state.ended:
                Collecting(job, out).collect(state)
