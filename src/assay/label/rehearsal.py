"""Rehearsal: stands in for a gateway, adds up what would be asked, and sends nothing."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping, Sequence

import numpy as np
from numpy.typing import NDArray
from pydantic import BaseModel

from assay.label.spec import Cost
from assay.llm import Gateway, Prompt
from assay.llm.counting import count_tokens
from assay.llm.own_options import Options, with_options
from assay.llm.questions import Keys
from assay.llm.results import ANSWERED, FAILED, Choices, Generated

DIMENSION = 32


class Rehearsal:
    """Answers as a gateway does, with made-up answers, and keeps what the real ones would take.

    Parameters
    ----------
    gateway
        Knows the models, their prices and the answers on record.
    instead
        Models whose questions are priced as if they were put to another.
    embeds
        Whether texts are really embedded; else vectors are made up too.
    anew
        Whether answers on record count as if they had to be asked for.
    """

    def __init__(
        self,
        gateway: Gateway,
        *,
        instead: Mapping[str, str] | None = None,
        embeds: bool = False,
        anew: bool = False,
    ) -> None:
        self.costs: dict[str, Cost] = {}
        self._gateway = gateway
        self._instead = dict(instead or {})
        self._embeds = embeds
        self._anew = anew
        self._seen: set[str] = set()

    def choose(
        self,
        model: str,
        prompts: Sequence[Prompt],
        options: Options,
        *,
        max_text_tokens: int | None = None,
    ) -> Choices:
        """Return made-up probabilities, the same whenever the same is asked."""
        self._count(model, prompts, options)
        _, columns, own = with_options(prompts, options)
        shares = np.array([_made_up(each.text, len(columns)) for each in prompts])
        return Choices(
            codes=np.full(len(prompts), ANSWERED, dtype=np.uint8),
            why={},
            options=columns,
            probabilities=shares.reshape(len(prompts), len(columns)),
            own=own,
        )

    def generate(self, model: str, prompts: Sequence[Prompt], schema: type[BaseModel]) -> Generated:
        """Return no object: none can be made up that would teach anything."""
        self._count(model, prompts, schema)
        return Generated(
            codes=np.full(len(prompts), FAILED, dtype=np.uint8),
            why=dict.fromkeys(range(len(prompts)), "this is a rehearsal"),
            values=(None,) * len(prompts),
        )

    def is_here(self, model: str) -> bool:
        """Whether the model runs on this machine, inside this process."""
        return self._gateway.is_here(model)

    def cuts(
        self, model: str, prompts: Sequence[Prompt], options: Sequence[str], *, max_text_tokens: int
    ) -> NDArray[np.bool_]:
        """Return that no text is cut, which costs nothing to say."""
        return np.zeros(len(prompts), dtype=np.bool_)

    def embed(
        self, model: str, texts: Sequence[str], *, columns: tuple[str, ...] | None = None
    ) -> NDArray[np.float32]:
        """Return vectors of length 1, made up or real."""
        if self._embeds:
            return self._gateway.embed(model, texts, columns=columns)
        told = self._gateway.estimate_embedding(model, texts, columns=columns)
        self._add(model, Cost(told.requests, told.tokens_in, told.money, told.seconds))
        vectors = np.array([_made_up(text, DIMENSION) for text in texts]) - 1 / DIMENSION
        vectors = vectors.reshape(len(texts), DIMENSION)
        return np.asarray(vectors / np.linalg.norm(vectors, axis=1, keepdims=True), np.float32)

    def _count(self, model: str, prompts: Sequence[Prompt], ask: Options | type[BaseModel]) -> None:
        model = self._instead.get(model, model)
        columns: tuple[str, ...] | type[BaseModel]
        if isinstance(ask, type):
            columns = ask
        else:  # from here on the prompts hold what is their own
            prompts, columns, _ = with_options(prompts, ask)
        prompts = self._new(model, prompts, columns)
        told = self._gateway.estimate(model, prompts, columns, anew=self._anew)
        tokens = told.tokens_in + told.tokens_out
        if not tokens and told.requests:  # a model on this machine reckons none
            tokens = sum(count_tokens(each.instructions + each.text) for each in prompts)
        self._add(model, Cost(told.requests, tokens, told.money, told.seconds))

    def _new(
        self, model: str, prompts: Sequence[Prompt], ask: tuple[str, ...] | type[BaseModel]
    ) -> list[Prompt]:
        """Return the prompts that were not rehearsed before: the ledger answers the others."""
        extra = ask.__name__ if isinstance(ask, type) else json.dumps(ask)
        keys = Keys(model, "", extra, {})
        key_of = {keys.of(prompt): prompt for prompt in prompts}
        new = [prompt for key, prompt in key_of.items() if key not in self._seen]
        self._seen.update(key_of)
        return new

    def _add(self, model: str, cost: Cost) -> None:
        self.costs[model] = self.costs.get(model, Cost()) + cost


def _made_up(text: str, count: int) -> NDArray[np.float64]:
    seed = hashlib.sha256(text.encode("utf-8", "surrogatepass")).digest()[:8]
    drawn = np.random.default_rng(int.from_bytes(seed)).random(count) + 1e-3
    return np.asarray(drawn / drawn.sum())
