"""Estimates what a question will take, from the real prompts; nothing is sent for it."""

from __future__ import annotations

from collections.abc import Callable, Collection, Sequence
from dataclasses import replace
from typing import Any, TypeVar

from assay.ledger import Ledger
from assay.ledger.calls import recorded_answers
from assay.ledger.history import History, history
from assay.llm.counting import FIXED, Counter, by_rule, count_tokens, prompt_tokens, tokenizer_of
from assay.llm.embedding import BATCH
from assay.llm.forecast import Estimate
from assay.llm.model import Model, Price, Usage
from assay.llm.prompt import Prompt
from assay.llm.questions import Choose, Generate, Keys

SAMPLED = 2000
"""Most prompts whose tokens are counted; of more, so many are drawn evenly."""
ENOUGH_CALLS = 20
"""From so many calls on record on, they tell better than a rule of thumb."""
ASSUMED_SECONDS = 1.0
"""Of one request to a model elsewhere, until calls are on record."""
ASSUMED_RATE = 2000.0
"""Tokens a second of a model on this machine, until calls are on record."""
BY_TOKENIZER, BY_RULE = "the model's tokenizer", "a rule of thumb"
Item = TypeVar("Item")


class Estimator:
    """Estimates questions.

    Parameters
    ----------
    ledger
        Its answers cost nothing, and its calls tell what a model takes.
    in_flight
        Requests at once.
    remembers
        Whether what was estimated once counts as known from then on, as it will in a run.
    """

    def __init__(self, ledger: Ledger, in_flight: int, *, remembers: bool = False) -> None:
        self._ledger = ledger
        self._in_flight = in_flight
        self._remembers = remembers
        self._seen: set[Any] = set()

    def question(
        self,
        name: str,
        model: Any,
        question: Choose | Generate,
        prompts: Sequence[Prompt],
        price: Price,
        max_text_tokens: int | None = None,
        *,
        anew: bool = False,
    ) -> Estimate:
        """Return what asking ``prompts`` will take.

        Parameters
        ----------
        model
            The model; None for one on this machine that is not loaded.
        max_text_tokens
            Where a model on this machine cuts longer texts.
        anew
            Whether answers on record count as if they had to be asked for.
        """
        elsewhere = isinstance(model, Model)
        cut = {} if max_text_tokens is None else {"max_text_tokens": max_text_tokens}
        parameters = model.parameters if elsewhere else cut
        keys = Keys(name, question.name, question.extra, parameters)
        new, cached = self._new(
            prompts, keys.of, lambda wanted: () if anew else recorded_answers(self._ledger, wanted)
        )
        past = history(self._ledger, name, question.name)
        base = Estimate(name, question.name, len(prompts), cached)
        if elsewhere:
            return self._elsewhere(base, model, question, new, past, price)
        return _here(base, question, new, past, max_text_tokens)

    def embedding(
        self,
        name: str,
        model: Any,
        texts: Sequence[str],
        price: Price,
        *,
        key: Callable[[str], bytes],
        known: Callable[[Sequence[bytes]], Collection[bytes]],
    ) -> Estimate:
        """Return what embedding ``texts`` will take; ``known`` says which keys are cached."""
        new, cached = self._new(texts, key, known)
        base = Estimate(name, "embed", len(texts), cached)
        past = history(self._ledger, name, "embed")
        if not isinstance(model, Model):
            count, basis = _counter(name)
            tokens = _scaled(new, lambda some: sum(count(some)))
            return _with(base, 0, Usage(tokens), Price(), 0, tokens / ASSUMED_RATE, basis)
        requests = -(-len(new) // BATCH)
        most = sum(len(text.encode("utf-8", "surrogatepass")) for text in new)
        if past.calls:
            tokens, basis = round(most * past.tokens_in / max(past.reserved, 1)), _on_record(past)
        else:
            tokens, basis = _scaled(new, lambda some: sum(by_rule(some))), BY_RULE
        seconds = requests * _seconds(past)
        return _with(base, requests, Usage(tokens), price, price.of(Usage(most)), seconds, basis)

    def _elsewhere(
        self,
        base: Estimate,
        model: Model,
        question: Choose | Generate,
        new: Sequence[Prompt],
        past: History,
        price: Price,
    ) -> Estimate:
        chooses = isinstance(question, Choose)
        parts = model.capabilities.parts if chooses else 1
        worst = [model.worst(each, question.name, question.extra_of(each)) for each in new]
        most = Usage(sum(each.tokens_in for each in worst), sum(each.tokens_out for each in worst))
        if past.calls >= ENOUGH_CALLS and new:
            usage, basis = _as_before(past, most, len(new)), _on_record(past)
        else:
            read = _scaled(
                new,
                lambda some: prompt_tokens(some, question.extra_of, FIXED[question.name], by_rule),
            )
            answer = 1 if chooses else count_tokens(question.extra) // 2
            usage, basis = Usage(read, answer * len(new)), BY_RULE
        total = Usage(usage.tokens_in * parts, usage.tokens_out * parts)
        requests = len(new) * parts
        seconds = requests * _seconds(past) / max(1, min(self._in_flight, requests))
        return _with(base, requests, total, price, price.of(most) * parts, seconds, basis)

    def _new(
        self,
        items: Sequence[Item],
        key_of: Callable[[Item], Any],
        known: Callable[[Sequence[Any]], Collection[Any]],
    ) -> tuple[list[Item], int]:
        """Return the different items that must be asked, and how many rows cost nothing."""
        keys = [key_of(each) for each in items]
        item_of = dict(zip(keys, items, strict=True))
        free = set(known(list(item_of))) | (self._seen & item_of.keys())
        if self._remembers:
            self._seen |= item_of.keys()
        new = [each for key, each in item_of.items() if key not in free]
        return new, sum(key in free for key in keys)


def _here(
    base: Estimate,
    question: Choose | Generate,
    new: Sequence[Prompt],
    past: History,
    most: int | None,
) -> Estimate:
    """Return the estimate for a model on this machine, which costs only time."""
    count, basis = _counter(base.model)
    schema = question.extra if isinstance(question, Generate) else ""
    tokens = _scaled(new, lambda some: prompt_tokens(some, lambda _: schema, 0, count, most))
    seconds = len(new) * past.seconds / past.calls if past.calls else tokens / ASSUMED_RATE
    return _with(base, len(new), Usage(tokens, len(new)), Price(), 0, seconds, basis)


def _counter(name: str) -> tuple[Counter, str]:
    exact = tokenizer_of(name)
    return (by_rule, BY_RULE) if exact is None else (exact, BY_TOKENIZER)


def _as_before(past: History, most: Usage, count: int) -> Usage:
    """Return what past calls took of what was reserved for them, applied to new bounds."""
    bound = past.reserved - past.calls * most.tokens_out / count
    share = past.tokens_in / bound if bound > 0 else 1.0
    return Usage(round(most.tokens_in * share), round(count * past.tokens_out / past.calls))


def _scaled(items: Sequence[Item], count: Callable[[Sequence[Item]], int]) -> int:
    """Count all, or an even sample of many."""
    if len(items) <= SAMPLED:
        return count(items)
    sample = [items[number * len(items) // SAMPLED] for number in range(SAMPLED)]
    return round(count(sample) * len(items) / SAMPLED)


def _seconds(past: History) -> float:
    return past.seconds / past.calls if past.seconds else ASSUMED_SECONDS


def _on_record(past: History) -> str:
    return f"{past.calls:,} calls on record"


def _with(
    base: Estimate,
    requests: int,
    usage: Usage,
    price: Price,
    worst: int,
    seconds: float,
    basis: str,
) -> Estimate:
    return replace(
        base,
        requests=requests,
        tokens_in=usage.tokens_in,
        tokens_out=usage.tokens_out,
        money=price.of(usage) / 1e12,
        worst_money=worst / 1e12,
        seconds=seconds,
        basis=basis if requests or usage.tokens_in else "",
    )
