"""The Gateway: the one door to every language model."""

from __future__ import annotations

import threading
import time
from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from typing import Any, Self, TypeVar

import numpy as np
from numpy.typing import NDArray
from pydantic import BaseModel

from assay.errors import InputError
from assay.ledger import Ledger
from assay.ledger.calls import CallBook
from assay.llm.asking import ask
from assay.llm.budget import Budget, Spend, dollars
from assay.llm.bulk import BulkAsking
from assay.llm.caches import Cache
from assay.llm.collector import collecting_seldom
from assay.llm.embedding import Embedding
from assay.llm.estimate import Estimator
from assay.llm.forecast import Estimate
from assay.llm.model import BulkModel, Limits, Model, Price, Usage
from assay.llm.own_options import Options, with_options
from assay.llm.privacy.policy import Privacy, host_of
from assay.llm.prompt import Prompt
from assay.llm.questions import Choose, Generate, Question
from assay.llm.results import Choices, Generated, Progress
from assay.llm.roster import Roster
from assay.llm.runner import LoopThread
from assay.llm.sinks import ChoiceSink, ObjectSink
from assay.llm.telling import Teller
from assay.llm.terms import Terms
from assay.llm.vectors import Vectors, keys_for

Result = TypeVar("Result")


class Gateway:
    """Asks language models in bulk: what the ledger knows is not asked again, caps hold.

    Every answer is in the ledger before it counts, so an interrupted question goes on where
    it stopped. Use it as a context manager, or :meth:`close` it.

    Parameters
    ----------
    ledger
        Where calls are recorded, and answers found again.
    budget
        Hard caps, shared by every gateway on the same run.
    run
        The run that the calls belong to; by default a new one, started at the first question.
    models
        Models by name, in place of the ones that the names stand for.
    progress
        Told how far a question has come, at most ten times a second, from another thread.
    limits
        How hard a remote model may be asked.
    capability
        Who asks, for ``assay spend``: ``label``, ``synth``, …
    prices
        The user's own prices by model name; others are looked up.
    unpriced_ok
        Whether a model without a known price may be asked.
    privacy
        What may leave this machine; by default whatever is sent to a model chosen by name.
    cache
        How answers and embeddings are kept beside the ledger; by default nothing is shared.
    batch
        Whether :meth:`choose` and :meth:`generate` ask in batches: cheaper, hours later. See
        :mod:`assay.llm.batch`.
    """

    def __init__(
        self,
        ledger: Ledger,
        *,
        budget: Budget | None = None,
        run: str | None = None,
        models: Mapping[str, Any] | None = None,
        progress: Callable[[Progress], None] | None = None,
        limits: Limits | None = None,
        capability: str | None = None,
        prices: Mapping[str, Price] | None = None,
        unpriced_ok: bool = False,
        privacy: Privacy | None = None,
        cache: Cache | None = None,
        batch: bool = False,
    ) -> None:
        self._ledger = ledger
        self._budget = budget or Budget()
        self._run = run
        self._privacy = privacy or Privacy(policy="remote")
        self._roster = Roster(
            models or {}, prices or {}, unpriced_ok=unpriced_ok, privacy=self._privacy
        )
        self._progress = progress
        self._limits = limits or Limits()
        self._capability = capability
        self._cache = cache or Cache()
        self._shared = self._cache.open_answers()
        self._batch = batch
        self._estimator = Estimator(ledger, self._limits.in_flight)
        self._began = time.monotonic()
        self._cached = 0
        self._unasked = 0
        self._book: CallBook | None = None
        self._vectors: Vectors | None = None
        self._loop = LoopThread()
        self._lock = threading.RLock()

    @property
    def ledger(self) -> Ledger:
        """Where calls are recorded; it belongs to the caller."""
        return self._ledger

    def choose(
        self,
        model: str,
        prompts: Sequence[Prompt],
        options: Options,
        *,
        max_text_tokens: int | None = None,
    ) -> Choices:
        """Return the probability of each option as the answer to each prompt.

        Parameters
        ----------
        model
            ``provider:model``.
        prompts
            Any sequence; it is read chunk by chunk, so it may make its prompts when asked.
        options
            Two or more different answers, or one list of them for each prompt, all of one
            length: columns then follow each prompt's own list.
        max_text_tokens
            For local models: longer texts keep their beginning and end.

        Raises
        ------
        ModelError
            When no request can succeed (wrong key, no such model). Rows that fail alone, or
            that a cap stopped, do not raise: see ``status`` and ``why`` of the result.
        """
        prompts, columns, own = with_options(prompts, options)
        question = Choose(columns)
        asked = self._roster.model(model)
        parts = asked.capabilities.parts if isinstance(asked, Model) else 1
        errors: Counter[str] = Counter()
        tell = self._teller(question.name, model, errors)
        sink = ChoiceSink(len(prompts), question.options, parts, tell, own)
        parameters = {} if max_text_tokens is None else {"max_text_tokens": max_text_tokens}
        self._ask(asked, question, prompts, sink, parameters, errors)
        how = asked.capabilities.choose if isinstance(asked, Model) else "exact"
        return sink.result(how or "")

    def cuts(
        self, model: str, prompts: Sequence[Prompt], options: Sequence[str], *, max_text_tokens: int
    ) -> NDArray[np.bool_]:
        """Return whether :meth:`choose` would read only the two ends of each text, (n,).

        Models elsewhere are sent whole texts.
        """
        asked = self._roster.model(model)
        if not hasattr(asked, "cuts"):
            return np.zeros(len(prompts), dtype=np.bool_)
        return np.asarray(asked.cuts(prompts, options, max_text_tokens=max_text_tokens))

    def generate(self, model: str, prompts: Sequence[Prompt], schema: type[BaseModel]) -> Generated:
        """Return an object of ``schema`` for each prompt; None where there is no valid answer.

        An invalid answer is asked again with the validation error, at most twice.

        Raises
        ------
        ModelError
            As for :meth:`choose`.
        """
        question = Generate(schema)
        asked = self._roster.model(model)
        errors: Counter[str] = Counter()
        sink = ObjectSink(len(prompts), schema, self._teller(question.name, model, errors))
        self._ask(asked, question, prompts, sink, {}, errors)
        return sink.result("schema")

    def estimate(
        self,
        model: str,
        prompts: Sequence[Prompt],
        ask: Options | type[BaseModel],
        *,
        max_text_tokens: int | None = None,
        anew: bool = False,
    ) -> Estimate:
        """Return what a question would take, from the real prompts; nothing is sent.

        Parameters
        ----------
        ask
            The options of a choice, or the schema of an object.
        max_text_tokens
            As for :meth:`choose`.
        anew
            Whether answers on record count as if they had to be asked for.
        """
        question: Choose | Generate
        if isinstance(ask, type):
            question = Generate(ask)
        else:
            prompts, columns, _ = with_options(prompts, ask)
            question = Choose(columns)
        asked = self._roster.described(model)
        prompts = self._privacy.checked(prompts, name=model, host=host_of(asked))
        told = self._estimator.question(
            model, asked, question, prompts, self._asked_price(model), max_text_tokens, anew=anew
        )
        if not self._batch:
            return told
        from assay.llm.batch import in_batches

        return in_batches(told)

    def price_of(self, model: str, usage: Usage, *, chooses: bool = True) -> int | None:
        """Return what one question of this usage costs at list price, in 1e-12 US dollars.

        None where the price is not known.

        Parameters
        ----------
        chooses
            Whether it is a choice, which some models answer by several requests.
        """
        if not self._roster.is_priced(model):
            return None
        asked = self._roster.described(model)
        parts = asked.capabilities.parts if chooses and isinstance(asked, Model) else 1
        return self._asked_price(model).of(usage) * parts

    def estimate_embedding(
        self, model: str, texts: Sequence[str], *, columns: tuple[str, ...] | None = None
    ) -> Estimate:
        """Return what :meth:`embed` would take; nothing is sent."""
        asked = self._roster.described(model)
        self._privacy.check_columns(columns, name=model, host=host_of(asked))
        return self._estimator.embedding(
            model,
            asked,
            texts,
            self._roster.price(model),
            key=keys_for(model, asked),
            known=self._opened_vectors().find,
        )

    def embed(
        self, model: str, texts: Sequence[str], *, columns: tuple[str, ...] | None = None
    ) -> NDArray[np.float32]:
        """Return the embeddings of texts, (n, d); known ones come from a cache on disk.

        Parameters
        ----------
        columns
            The columns that the texts were made of; see :class:`~assay.llm.Prompt`.

        Raises
        ------
        BudgetError
            When a cap is reached before all are embedded. Those that were are kept.
        """
        asked = self._roster.model(model)
        self._privacy.check_columns(columns, name=model, host=host_of(asked))
        vectors, errors = self._opened_vectors(), Counter[str]()
        tell = self._teller("embed", model, errors)
        terms = self._terms(model)
        return Embedding(asked, model, vectors, self.book, terms, self._loop, tell, errors).run(
            texts
        )

    def never_embedded(self, model: str, texts: Sequence[str]) -> list[str]:
        """Return the different texts that the cache on disk does not know, in their order."""
        key_of = keys_for(model, self._roster.model(model))
        keys = {text: key_of(text) for text in texts}
        known = self._opened_vectors().find(list(keys.values()))
        return [text for text, key in keys.items() if key not in known]

    def is_here(self, model: str) -> bool:
        """Whether the model runs on this machine, inside this process."""
        asked = self._roster.model(model)  # a Model has methods of the same names as a BulkModel
        return isinstance(asked, BulkModel) and not isinstance(asked, Model)

    @property
    def unasked(self) -> int:
        """How many rows its questions have left unasked so far, as a cap was reached."""
        return self._unasked

    @property
    def spend(self) -> Spend:
        """What the run has spent so far, by every process that works on it."""
        seconds = time.monotonic() - self._began
        if self._run is None:
            return Spend(cached=self._cached, seconds=seconds)
        balance = self.book.balance()
        return Spend(
            money=dollars(balance.spent),
            calls=balance.spent.calls,
            cached=self._cached,
            tokens=balance.spent.tokens,
            seconds=seconds,
            unsettled=dollars(balance.reserved),
        )

    @property
    def book(self) -> CallBook:
        """The run's calls; starts a run where there is none."""
        with self._lock:
            if self._run is None:
                self._run = self._ledger.start_run("gateway", {})
            if self._book is None:
                self._book = CallBook(self._ledger, self._run)
            return self._book

    def close(self) -> None:
        """Close connections and threads. The ledger stays open: it is the caller's."""
        for model in self._roster.remote():
            self._loop.run(model.close())
        self._loop.close()
        if self._vectors is not None:
            self._vectors.close()
            self._vectors = None
        if self._shared is not None:
            self._shared.close()
            self._shared = None

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def _ask(
        self,
        model: Any,
        question: Question,
        prompts: Sequence[Prompt],
        sink: ChoiceSink | ObjectSink,
        parameters: dict[str, Any],
        errors: Counter[str],
    ) -> None:
        terms = self._terms(model.name)
        prompts = self._privacy.checked(prompts, name=model.name, host=host_of(model))
        try:
            if self._batch:
                self._ask_in_batches(model, question, prompts, sink, errors)
            elif isinstance(model, Model):
                ledger, shared = self._ledger, self._shared
                asking = ask(
                    model, question, terms, ledger, self.book, sink, shared, errors, prompts
                )
                with collecting_seldom():
                    self._loop.run(asking)
            elif isinstance(model, BulkModel):
                BulkAsking(model, question, terms, self.book, sink, parameters).run(prompts)
            else:
                raise InputError(f"This model cannot {question.name}.", given=model.name)
        finally:
            self._cached += sink.cached
            counts = sink.counts
            self._unasked += counts["unasked"]
            body = {"what": question.name, "model": model.name, "capability": self._capability}
            body |= {**counts, "errors": dict(errors)}
            self._ledger.record("event", body, run=self._run)

    def _ask_in_batches(
        self,
        model: Any,
        question: Question,
        prompts: Sequence[Prompt],
        sink: ChoiceSink | ObjectSink,
        errors: Counter[str],
    ) -> None:
        from assay.llm.batch import BatchAsking, require_batches

        require_batches(model.name)
        terms = self._terms(model.name)
        book = self.book
        assert self._run is not None  # noqa: S101 - the book started one

        def tell(state: str, done: int, total: int) -> None:
            if self._progress is not None:
                what = f"{question.name}: {model.name} ({state})"
                self._progress(Progress(what, done, total, money=self.spend.money, errors=errors))

        asking = BatchAsking(
            model,
            question,
            replace(terms, price=self._asked_price(model.name)),
            book,
            sink,
            self._shared,
            errors,
            ledger=self._ledger,
            run=self._run,
            loop=self._loop,
            tell=tell,
        )
        asking.run(prompts)

    def _opened_vectors(self) -> Vectors:
        with self._lock:
            if self._vectors is None:
                self._vectors = self._cache.open_vectors(self._ledger.artefacts.parent)
            return self._vectors

    def _terms(self, model: str) -> Terms:
        minutes = self._budget.minutes
        return Terms(
            caps=self._budget.caps,
            price=self._roster.price(model),
            limits=self._limits,
            deadline=float("inf") if minutes is None else self._began + 60 * minutes,
            capability=self._capability,
        )

    def _asked_price(self, model: str) -> Price:
        """Return the price of a token as questions are asked: one by one, or in batches."""
        if not self._batch:
            return self._roster.price(model)
        from assay.llm.batch import batch_price

        return batch_price(model, self._roster.price(model))

    def telling(self, what: str) -> Callable[[int, int], None]:
        """Return what tells of work between questions: how much is done, of how much."""
        teller = Teller(what, self._progress, lambda: self.spend.money, {})
        return lambda done, total: teller(done, 0, total)

    def _teller(self, question: str, model: str, errors: Mapping[str, int]) -> Teller:
        what = f"{question}: {model}"
        return Teller(what, self._progress, lambda: self.spend.money, errors)
