"""Embeds texts: known ones from the cache on disk, the others in batches."""

from __future__ import annotations

import asyncio
import time
from collections import Counter
from collections.abc import Callable, Coroutine, Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from assay.errors import BudgetError, InputError
from assay.ledger.amounts import Amount
from assay.ledger.calls import Call, CallBook, Intent
from assay.llm import telemetry
from assay.llm.journal import OWNER, is_alive
from assay.llm.model import AskError, Embedder, Model, TransientError, Usage
from assay.llm.runner import LoopThread
from assay.llm.terms import Terms
from assay.llm.vectors import Vectors, keys_for

BATCH = 256
"""Texts of one request."""
WAVE = 16
"""Requests at once; so many are reserved together."""
Batch = dict[bytes, str]
Tell = Callable[[int, int, int], None]
"""Told how many texts are done, how many of these were known, and how many there are."""


class Embedding:
    """Texts being embedded by one model. Use it once.

    Attributes
    ----------
    cached
        How many different texts were known.
    errors
        How many requests failed, by kind.
    """

    def __init__(
        self,
        model: Any,
        name: str,
        vectors: Vectors,
        book: CallBook,
        terms: Terms,
        loop: LoopThread,
        tell: Tell = lambda *_: None,
        errors: Counter[str] | None = None,
    ) -> None:
        can = model.capabilities.embed if isinstance(model, Model) else isinstance(model, Embedder)
        if not can:
            raise InputError("This model cannot embed texts.", given=name)
        self.cached = 0
        self.errors: Counter[str] = Counter() if errors is None else errors
        self._model = model
        self._name = name
        self._vectors = vectors
        self._book = book
        self._terms = terms
        self._loop = loop
        self._tell = tell
        self._left_behind: dict[str, list[tuple[int, Amount]]] = {}

    def run(self, texts: Sequence[str]) -> NDArray[np.float32]:
        """Return (n, d); each different text is embedded once."""
        key_of = keys_for(self._name, self._model)
        keys = [key_of(text) for text in texts]
        text_of = dict(zip(keys, texts, strict=True))
        known = self._vectors.find(list(text_of))
        self.cached = len(known)
        missing = [key for key in text_of if key not in known]
        # Neighbours in length make batches with little padding.
        missing.sort(key=lambda key: len(text_of[key]))
        batches = [
            {key: text_of[key] for key in missing[start : start + BATCH]}
            for start in range(0, len(missing), BATCH)
        ]
        elsewhere = isinstance(self._model, Model)
        if elsewhere and batches and self._book.balance().reserved.calls:
            self._left_behind = self._book.left_behind(is_alive)
        step = WAVE if elsewhere else 1
        for start in range(0, len(batches), step):
            for batch, found in self._embed(batches[start : start + step]):
                known.update(zip(batch, found, strict=True))
            self._tell(len(known), self.cached, len(text_of))
        if not keys:
            return np.empty((0, 0), dtype=np.float32)
        return np.stack([known[key] for key in keys])

    def _embed(self, wave: Sequence[Batch]) -> list[tuple[Batch, NDArray[np.float32]]]:
        if time.monotonic() > self._terms.deadline:
            raise _over("minutes")
        if isinstance(self._model, Model):
            return self._buy(wave)
        (batch,) = wave
        vectors = np.asarray(self._model.embed(list(batch.values())), dtype=np.float32)
        self._keep(batch, vectors)
        return [(batch, vectors)]

    def _buy(self, wave: Sequence[Batch]) -> list[tuple[Batch, NDArray[np.float32]]]:
        """Embed by a model elsewhere: reserve, ask all at once, settle each as it is answered."""
        intents = [self._intent(batch) for batch in wave]
        numbers, reached = self._book.reserve(intents, self._terms.caps, OWNER)
        asked = [
            self._bought(batch, intent, number)
            for batch, intent, number in zip(wave, intents, numbers, strict=False)
        ]
        found = self._loop.run(_all(asked))
        for each in found:
            if isinstance(each, BaseException):
                raise each
        if reached is not None:
            raise _over(reached)
        return [
            (batch, vectors)
            for batch, vectors in zip(wave, found, strict=True)
            if not isinstance(vectors, BaseException)
        ]

    def _intent(self, batch: Batch) -> Intent:
        bytes_in = sum(len(text.encode("utf-8", "surrogatepass")) for text in batch.values())
        worst = Amount(self._terms.price.of(Usage(bytes_in)), bytes_in, 1)
        return Intent(Vectors.key(self._name, "\0".join(batch.values())).hex(), worst)

    async def _bought(self, batch: Batch, intent: Intent, number: int) -> NDArray[np.float32]:
        """Ask for one batch; whatever comes of it is on record before this returns."""
        began = time.monotonic()
        usage, why = Usage(), "stopped before the answer came"
        try:
            vectors, usage = await self._asked(list(batch.values()))
            why = ""
        except AskError as error:
            usage, why = error.usage, error.problem
            self.errors[error.kind] += 1
            raise
        finally:
            seconds = time.monotonic() - began
            calls = [self._call(intent, number, usage, seconds, why=why)]
            if not why:
                calls += self._lost(intent.key, usage)
            await asyncio.shield(asyncio.to_thread(self._book.write, calls))
        await asyncio.shield(asyncio.to_thread(self._keep, batch, vectors))
        return vectors

    def _lost(self, key: str, usage: Usage) -> list[Call]:
        """Settle what a killed process had reserved for the same batch, as for other questions."""
        why = "the process that asked was killed before the answer was on record"
        replays = self._model.capabilities.replays
        status, cost = ("replayed", Usage()) if replays else ("lost", usage)
        return [
            self._call(Intent(key, worst), number, cost, 0.0, status=status, why=why)
            for number, worst in self._left_behind.pop(key, ())
        ]

    def _call(
        self,
        intent: Intent,
        number: int,
        usage: Usage,
        seconds: float,
        *,
        why: str,
        status: str | None = None,
    ) -> Call:
        return Call(
            key=intent.key,
            model=self._name,
            question="embed",
            capability=self._terms.capability,
            status=status or ("failed" if why else "embedded"),
            tokens_in=usage.tokens_in,
            tokens_out=0,
            money=self._terms.price.of(usage),
            seconds=seconds,
            why=why or None,
            intent=number,
            released=intent.worst,
        )

    async def _asked(self, texts: Sequence[str]) -> tuple[NDArray[np.float32], Usage]:
        limits = self._terms.limits
        for attempt in range(limits.attempts):
            try:
                with telemetry.request(self._name, "embed") as span:
                    found, usage = await self._model.embed(texts)
                    vectors = np.asarray(found, dtype=np.float32)
                    span.embedded(usage, vectors.shape[1])
                    return vectors, usage
            except TransientError as error:
                if attempt + 1 == limits.attempts:
                    raise
                self.errors[error.kind] += 1
                planned = min(limits.longest_wait, limits.first_wait * 2**attempt)
                await asyncio.sleep(planned if error.wait is None else error.wait)
        raise AssertionError("unreachable")

    def _keep(self, batch: Batch, vectors: NDArray[np.float32]) -> None:
        self._vectors.add(dict(zip(batch, vectors, strict=True)))


async def _all(
    work: Sequence[Coroutine[Any, Any, NDArray[np.float32]]],
) -> list[NDArray[np.float32] | BaseException]:
    """Return the result or the error of each: what others paid for is not thrown away."""
    return await asyncio.gather(*work, return_exceptions=True)


def _over(cap: str) -> BudgetError:
    return BudgetError(
        f"The budget's cap on {cap} was reached while embedding.",
        next_step="raise the cap and run the same command again; what was embedded is kept",
    )
