"""Embeds texts: known ones from the cache on disk, the others in batches."""

from __future__ import annotations

import time
from collections.abc import Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from assay.errors import BudgetError, InputError, ModelError
from assay.ledger.amounts import Amount
from assay.ledger.calls import Call, CallBook, Intent
from assay.llm.journal import OWNER
from assay.llm.model import Embedder, Model, TransientError, Usage
from assay.llm.runner import LoopThread
from assay.llm.terms import Terms
from assay.llm.vectors import Vectors

BATCH = 256


class Embedding:
    """Texts being embedded by one model. Use it once."""

    def __init__(
        self,
        model: Any,
        name: str,
        vectors: Vectors,
        book: CallBook,
        terms: Terms,
        loop: LoopThread,
    ) -> None:
        can = model.capabilities.embed if isinstance(model, Model) else isinstance(model, Embedder)
        if not can:
            raise InputError("This model cannot embed texts.", given=name)
        self.cached = 0
        self._model = model
        self._name = name
        self._vectors = vectors
        self._book = book
        self._terms = terms
        self._loop = loop

    def run(self, texts: Sequence[str]) -> NDArray[np.float32]:
        """Return (n, d); each different text is embedded once."""
        keys = [Vectors.key(self._name, text) for text in texts]
        text_of = dict(zip(keys, texts, strict=True))
        known = self._vectors.find(list(text_of))
        self.cached = len(known)
        missing = [key for key in text_of if key not in known]
        # Neighbours in length make batches with little padding.
        missing.sort(key=lambda key: len(text_of[key]))
        for start in range(0, len(missing), BATCH):
            some = missing[start : start + BATCH]
            found = self._embed([text_of[key] for key in some])
            batch = dict(zip(some, found, strict=True))
            self._vectors.add(batch)
            known.update(batch)
        if not keys:
            return np.empty((0, 0), dtype=np.float32)
        return np.stack([known[key] for key in keys])

    def _embed(self, texts: Sequence[str]) -> NDArray[np.float32]:
        if time.monotonic() > self._terms.deadline:
            raise _over("minutes")
        if not isinstance(self._model, Model):
            return np.asarray(self._model.embed(texts), dtype=np.float32)
        return self._buy(texts)

    def _buy(self, texts: Sequence[str]) -> NDArray[np.float32]:
        """Embed by a remote model: reserve, ask, settle."""
        bytes_in = sum(len(text.encode("utf-8", "surrogatepass")) for text in texts)
        worst = Amount(self._terms.price.of(Usage(bytes_in)), bytes_in, 1)
        key = Vectors.key(self._name, "\0".join(texts)).hex()
        numbers, reached = self._book.reserve([Intent(key, worst)], self._terms.caps, OWNER)
        if reached is not None:
            raise _over(reached)
        began = time.monotonic()
        usage, why = Usage(), None
        try:
            vectors, usage = self._asked(texts)
        except ModelError as error:
            why = error.problem
            raise
        finally:
            call = Call(
                key=key,
                model=self._name,
                question="embed",
                capability=self._terms.capability,
                status="embedded" if why is None else "failed",
                tokens_in=usage.tokens_in,
                tokens_out=0,
                money=self._terms.price.of(usage),
                seconds=time.monotonic() - began,
                why=why,
                intent=numbers[0],
                released=worst,
            )
            self._book.write([call])
        return vectors

    def _asked(self, texts: Sequence[str]) -> tuple[NDArray[np.float32], Usage]:
        limits = self._terms.limits
        for attempt in range(limits.attempts):
            try:
                vectors, usage = self._loop.run(self._model.embed(texts))
                return np.asarray(vectors, dtype=np.float32), usage
            except TransientError as error:
                if attempt + 1 == limits.attempts:
                    raise
                planned = min(limits.longest_wait, limits.first_wait * 2**attempt)
                time.sleep(planned if error.wait is None else error.wait)
        raise AssertionError("unreachable")


def _over(cap: str) -> BudgetError:
    return BudgetError(
        f"The budget's cap on {cap} was reached while embedding.",
        next_step="raise the cap and run the same command again; what was embedded is kept",
    )
