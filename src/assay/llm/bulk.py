"""Asks a model on this machine, which answers many rows at once; each batch is journaled."""

from __future__ import annotations

import json
import time
from collections.abc import Callable, Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray
from pydantic import BaseModel

from assay.errors import AssayError
from assay.ledger.amounts import Amount
from assay.ledger.calls import Call, CallBook
from assay.llm.model import BulkModel
from assay.llm.prompt import Prompt
from assay.llm.questions import Choose, Generate, Keys, Question
from assay.llm.terms import Sink, Terms


class CapReachedError(Exception):
    """Leaves the model's loop when a cap is reached."""


class BulkAsking:
    """One question being asked of a model on this machine."""

    def __init__(
        self,
        model: BulkModel,
        question: Question,
        terms: Terms,
        book: CallBook,
        sink: Sink,
        parameters: dict[str, Any],
    ) -> None:
        self._model = model
        self._question = question
        self._terms = terms
        self._book = book
        self._sink = sink
        self._parameters = parameters
        self._keys = Keys(model.name, question.name, question.extra, parameters)

    def run(self, prompts: Sequence[Prompt]) -> None:
        """Ask all that the ledger does not know, each different prompt once."""
        rows_of = self._unanswered(prompts)
        keys = list(rows_of)
        room = self._room(len(keys))
        for key in keys[room:]:
            for row in rows_of[key]:
                self._sink.unasked(row, "the budget's cap on calls was reached")
        keys = keys[:room]
        if not keys:
            return
        asked = [prompts[rows_of[key][0]] for key in keys]
        rows = [rows_of[key] for key in keys]
        reached = self._ask(keys, asked, rows)
        if reached is not None:
            for group in rows:
                for row in group:
                    self._sink.unasked(row, f"the budget's cap on {reached} was reached")

    def _unanswered(self, prompts: Sequence[Prompt]) -> dict[str, list[int]]:
        keys = [self._keys.of(prompt) for prompt in prompts]
        known = self._book.answered(list(dict.fromkeys(keys)))
        rows_of: dict[str, list[int]] = {}
        for row, key in enumerate(keys):
            if key in known:
                self._sink.answered(row, 0, json.loads(known[key]), cached=True)
            else:
                rows_of.setdefault(key, []).append(row)
        return rows_of

    def _room(self, wanted: int) -> int:
        cap = self._terms.caps.calls
        if cap is None:
            return wanted
        balance = self._book.balance()
        return min(wanted, max(0, cap - balance.spent.calls - balance.reserved.calls))

    def _ask(
        self, keys: Sequence[str], prompts: Sequence[Prompt], rows: Sequence[Sequence[int]]
    ) -> str | None:
        """Ask; return the cap that stopped it half-way, or None."""
        began = time.monotonic()
        words = [len(prompt.text) // 4 for prompt in prompts]

        def done(indices: Sequence[int], values: Sequence[Any]) -> None:
            nonlocal began
            now = time.monotonic()
            seconds = (now - began) / max(len(indices), 1)
            began = now
            self._book.write(
                self._call(keys[index], value, words[index], seconds)
                for index, value in zip(indices, values, strict=True)
            )
            for index, value in zip(indices, values, strict=True):
                for row in rows[index]:
                    self._sink.answered(row, 0, value, cached=False)
            self._check_caps()

        def refuse(index: int, error: AssayError) -> None:
            why = str(error)
            self._book.write([self._call(keys[index], None, words[index], 0.0, why=why)])
            for row in rows[index]:
                self._sink.failed(row, why)

        try:
            self._check_caps()
            if isinstance(self._question, Choose):
                self._choose_by_options(prompts, self._question.options, done)
            elif isinstance(self._question, Generate):
                self._generate(prompts, self._question.schema, done, refuse)
        except CapReachedError as reached:
            return str(reached)
        return None

    def _choose_by_options(
        self,
        prompts: Sequence[Prompt],
        options: tuple[str, ...],
        done: Callable[[Sequence[int], Sequence[Any]], None],
    ) -> None:
        """Ask rows that choose among the same options together."""
        rows_of: dict[tuple[str, ...], list[int]] = {}
        for index, prompt in enumerate(prompts):
            rows_of.setdefault(prompt.options or options, []).append(index)
        for some, rows in rows_of.items():

            def told(indices: Sequence[int], values: Sequence[Any], rows: list[int] = rows) -> None:
                done([rows[index] for index in indices], values)

            self._choose([prompts[row] for row in rows], some, told)

    def _choose(
        self,
        prompts: Sequence[Prompt],
        options: tuple[str, ...],
        done: Callable[[Sequence[int], Sequence[Any]], None],
    ) -> None:
        def on_batch(indices: NDArray[np.intp], probabilities: NDArray[np.float64]) -> None:
            values = [{"p": row} for row in np.asarray(probabilities, dtype=float).tolist()]
            done(np.asarray(indices).tolist(), values)

        self._model.choose(
            prompts,
            options,
            on_batch=on_batch,
            max_text_tokens=self._parameters.get("max_text_tokens"),
        )

    def _generate(
        self,
        prompts: Sequence[Prompt],
        schema: type[BaseModel],
        done: Callable[[Sequence[int], Sequence[Any]], None],
        refuse: Callable[[int, AssayError], None],
    ) -> None:
        for index, prompt in enumerate(prompts):
            try:
                answer = self._model.generate(prompt, schema)
            except AssayError as error:
                refuse(index, error)
            else:
                done([index], [answer.model_dump(mode="json")])

    def _check_caps(self) -> None:
        if time.monotonic() > self._terms.deadline:
            raise CapReachedError("minutes")
        if self._terms.caps.tokens is not None:
            spent = self._book.balance().spent + Amount(tokens=1)
            if spent.tokens > self._terms.caps.tokens:
                raise CapReachedError("tokens")

    def _call(
        self, key: str, value: Any, tokens: int, seconds: float, why: str | None = None
    ) -> Call:
        return Call(
            key=key,
            model=self._model.name,
            question=self._question.name,
            capability=self._terms.capability,
            status="answered" if why is None else "failed",
            tokens_in=tokens,
            tokens_out=1,
            money=0,
            seconds=seconds,
            answer=None if why is not None else json.dumps(value, separators=(",", ":")),
            why=why,
        )
