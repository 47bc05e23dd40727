"""Collects the results of batches that have ended: every row settled by its own result."""

from __future__ import annotations

import tempfile
from collections import Counter
from collections.abc import Iterator, Sequence
from typing import BinaryIO

from pydantic_core import to_json

from assay.llm.batch.exchange import Received
from assay.llm.batch.job import AT_ONCE, Job, Outstanding, Settling, Wanted
from assay.llm.batch.server import Result, State
from assay.llm.model import AskError, HopelessError, InvalidAnswerError, Reply, RowError


class Collecting:
    """Collects one batch. ``again`` are the rows to be asked once more."""

    def __init__(self, job: Job, out: Outstanding) -> None:
        self.again: list[Wanted] = []
        self.hopeless: HopelessError | None = None
        self.answered = 0
        self._job = job
        self._out = out
        self._settling = Settling(job, out)
        self._to_share: dict[str, str] = {}

    def collect(self, state: State) -> None:
        """Settle every wanted row; end the batch when no other row is left in it."""
        if state.refused is not None:
            why = f"the provider refused the batch: {state.refused}"
            self._settling.release("unsent", why)
            if "token_limit" not in state.refused:
                self.hopeless = HopelessError(f"{why}.", kind="refused")
        elif state.gone or not self._read(state):
            wanted, self._out.wanted = list(self._out.wanted.values()), {}
            self._settling.release("lost", "the provider keeps the results no longer")
            self.again += [each for each in wanted if each.is_needed]
        self._settling.commit()
        if self._job.shared is not None and self._to_share:
            self._job.shared.add(self._to_share)
        if not self._settling.held:
            self._job.batches.end(self._out.batch, state.word)

    def _read(self, state: State) -> bool:
        """Settle the rows by their results; return False where those are gone."""
        job = self._job
        with tempfile.TemporaryFile() as file:
            try:
                job.loop.run(job.server.download(state, file))
            except HopelessError as error:
                if error.kind != "model":
                    raise
                return False
            times = Counter(result.custom_id for result in self._results(file))
            for some in self._claimed(file, times):
                self._settle(some)
        self._settle_missing(state)
        return True

    def _results(self, file: BinaryIO) -> Iterator[Result]:
        file.seek(0)
        for line in file:
            try:
                yield self._job.server.result(line)
            except ValueError:
                self._job.errors["malformed"] += bool(line.strip())

    def _claimed(
        self, file: BinaryIO, times: Counter[str]
    ) -> Iterator[list[tuple[Wanted, Received]]]:
        """Yield the responses to wanted rows that are not settled yet, many at once."""
        some: list[tuple[Wanted, Received]] = []
        for result in self._results(file):
            key, _, rest = result.custom_id.partition("-")
            digest, _, token = rest.partition("-")
            wanted = self._out.wanted.get(key)
            if wanted is None or token != self._out.batch.token or key not in self._settling.held:
                continue
            if result.unasked is not None:
                self._unasked(wanted, result.unasked)
            elif times[result.custom_id] > 1:
                self._failed(wanted, RowError("The provider answered the row twice.", kind="twice"))
            else:
                some.append((wanted, Received(digest, result.response)))
            if len(some) == AT_ONCE:
                yield some
                some = []
        yield some

    def _settle(self, claimed: Sequence[tuple[Wanted, Received]]) -> None:
        job = self._job
        asked = [job.asked(wanted) for wanted, _ in claimed]
        received = [response for _, response in claimed]
        replies = job.loop.run(job.exchange.replies(asked, received))
        for (wanted, _), reply in zip(claimed, replies, strict=True):
            if isinstance(reply, AskError):
                self._answered_badly(wanted, reply)
            else:
                self._answered(wanted, reply)

    def _answered(self, wanted: Wanted, reply: Reply) -> None:
        self.answered += 1
        answer = to_json(reply.value).decode()
        if self._job.shared is not None:
            self._to_share[wanted.key] = answer
        self._settling.settle(
            wanted.key,
            "answered",
            lambda: self._hand_over(wanted, reply),
            usage=reply.usage,
            answer=answer,
        )

    def _answered_badly(self, wanted: Wanted, error: AskError) -> None:
        """Settle a row without an answer; an invalid one is asked again, with what was wrong."""
        most = self._job.terms.limits.corrections
        if isinstance(error, InvalidAnswerError) and wanted.is_needed and wanted.corrections < most:
            self._job.errors[error.kind] += 1
            self._settling.settle(
                wanted.key,
                "invalid",
                lambda: self._correct(wanted, error.correction),
                usage=error.usage,
                why=error.problem,
            )
            return
        if isinstance(error, HopelessError):
            self.hopeless = error
        self._failed(wanted, error)

    def _hand_over(self, wanted: Wanted, reply: Reply) -> None:
        for row, part in wanted.targets:
            self._job.sink.answered(row, part, reply.value, cached=False)

    def _correct(self, wanted: Wanted, correction: str) -> None:
        wanted.correction = correction
        wanted.corrections += 1
        self.again.append(wanted)

    def _failed(self, wanted: Wanted, error: AskError) -> None:
        self._job.errors[error.kind] += 1
        self._settling.settle(
            wanted.key,
            "failed",
            lambda: self._job.failed(wanted, error.problem),
            usage=error.usage,
            why=error.problem,
        )

    def _unasked(self, wanted: Wanted, why: str) -> None:
        self._settling.settle(wanted.key, "unsent", lambda: self._job.unasked(wanted, why), why=why)

    def _settle_missing(self, state: State) -> None:
        """Settle the rows that the results do not hold."""
        self._settling.commit()
        for key, wanted in self._out.wanted.items():
            if key not in self._settling.held:
                continue
            if state.whole:
                missing = RowError("The provider's results do not hold this row.", kind="missing")
                self._failed(wanted, missing)
            else:
                self._unasked(wanted, f"the batch ended as {state.word} before this row's turn")
