"""LocalModel: the embedded language model behind the two ways to ask."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from contextlib import closing
from typing import TYPE_CHECKING, TypeVar

import numpy as np
from numpy.typing import NDArray
from pydantic import BaseModel

from assay.errors import InputError, MissingExtraError
from assay.llm.guard import require_real_calls
from assay.llm.prompt import Prompt

try:
    import tokenizers  # noqa: F401 (its absence is told before any work)
    import torch  # noqa: F401
except ImportError as error:
    raise MissingExtraError("The embedded language model", "local") from error

from assay.llm.local.decoder import Decoder
from assay.llm.local.options import OptionTree
from assay.llm.local.scoring import Scorer, encode
from assay.llm.local.tokens import ChatTokenizer
from assay.llm.local.weights import prepare

if TYPE_CHECKING:
    from assay.llm.local.generation import Writer

NAMES = ("smollm2-135m",)
Answer = TypeVar("Answer", bound=BaseModel)
OnBatch = Callable[[NDArray[np.intp], NDArray[np.float64]], None]
"""Told of each finished batch: indices into the prompts, and their probabilities (b, k)."""


class LocalModel:
    """The embedded language model; no account, no key, no server.

    Attributes
    ----------
    name
        ``local:NAME``, as the ledger and the gateway know it.
    """

    def __init__(self, name: str, decoder: Decoder, tokenizer: ChatTokenizer) -> None:
        self.name = f"local:{name}"
        self.decoder = decoder
        self.tokenizer = tokenizer
        self._writer: Writer | None = None

    @classmethod
    def load(cls, name: str = NAMES[0]) -> LocalModel:
        """Load an embedded model, fetching and preparing it the first time.

        Parameters
        ----------
        name
            ``smollm2-135m``.

        Raises
        ------
        InputError
            When there is no embedded model of that name.
        ModelError
            When real model calls are forbidden.
        AssetError
            When it is not cached and cannot be fetched.
        """
        if name not in NAMES:
            raise InputError("No embedded language model has this name.",
                             given=name, allowed=", ".join(NAMES))  # fmt: skip
        require_real_calls(f"local:{name}")
        prepared = prepare(name)
        return cls(name, Decoder(prepared), ChatTokenizer(prepared.tokenizer))

    def choose(
        self,
        prompts: Sequence[Prompt],
        options: Sequence[str],
        *,
        on_batch: OnBatch | None = None,
        max_text_tokens: int | None = None,
        reuse_prefix: bool = True,
    ) -> NDArray[np.float64]:
        """Return the probability of each option as the answer to each prompt.

        Parameters
        ----------
        prompts
            What to ask; those that share instructions and examples share their cost.
        options
            The possible answers, each scored whole however many tokens it has.
        on_batch
            Called as each batch is finished, in the order of the work, not of the prompts.
        max_text_tokens
            Longer texts keep their first two thirds and last third of this many tokens;
            the model's context by default. See :meth:`cuts`.
        reuse_prefix
            Read what all prompts begin with once.

        Returns
        -------
        probabilities
            (n, k), rows sum to 1.

        Raises
        ------
        InputError
            When options are empty or repeat, or the prompts' cues differ.
        """
        out = np.empty((len(prompts), len(options)))
        if not prompts:
            return out
        tree = self._tree(options, _cue(prompts))
        rows = encode(self.tokenizer, prompts, self._context(options), max_text_tokens)
        scorer = Scorer(self.decoder, tree, reuse_prefix)
        with closing(scorer.score(rows)) as finished:
            for indices, probabilities in finished:
                out[indices] = probabilities
                if on_batch is not None:
                    on_batch(indices, probabilities)
        return out

    def cuts(
        self,
        prompts: Sequence[Prompt],
        options: Sequence[str],
        *,
        max_text_tokens: int | None = None,
    ) -> NDArray[np.bool_]:
        """Return which texts :meth:`choose` would shorten, (n,)."""
        rows = encode(self.tokenizer, prompts, self._context(options), max_text_tokens)
        return np.array([row.cut for row in rows], dtype=np.bool_)

    def count_tokens(self, prompts: Sequence[Prompt]) -> NDArray[np.int64]:
        """Return the tokens of each whole prompt, (n,)."""
        rows = encode(self.tokenizer, prompts, self.decoder.shape.context, None)
        return np.array([len(row.tokens) for row in rows], dtype=np.int64)

    def generate(
        self,
        prompt: Prompt,
        schema: type[Answer],
        *,
        max_tokens: int = 256,
        seed: int = 0,
        temperature: float = 0.0,
    ) -> Answer:
        """Return an object of ``schema`` that the model wrote under its grammar.

        Parameters
        ----------
        prompt
            What to ask.
        schema
            A pydantic model; recursive ones are refused.
        max_tokens
            Most tokens of the answer.
        seed
            Of the sampling; of no effect at temperature 0.
        temperature
            0 takes the likeliest token.

        Raises
        ------
        InputError
            When the schema cannot be turned into a grammar.
        ModelError
            When the answer does not fit ``max_tokens``, or breaks a rule that a grammar
            cannot express.
        """
        if self._writer is None:
            from assay.llm.local.generation import Writer

            self._writer = Writer(self.decoder, self.tokenizer)
        return self._writer.write(
            prompt, schema, max_tokens=max_tokens, seed=seed, temperature=temperature
        )

    def _tree(self, options: Sequence[str], cue: str) -> OptionTree:
        encoded = [self.tokenizer.option(option, cue) for option in options]
        # A document's answer ends its line, a chat's its turn.
        end = self.tokenizer.newline if cue else self.tokenizer.end
        return OptionTree.build(self.tokenizer.tail(cue)[-1], encoded, end)

    def _context(self, options: Sequence[str]) -> int:
        longest = max((len(self.tokenizer.encode(option)) for option in options), default=0)
        return self.decoder.shape.context - longest - 1


def _cue(prompts: Sequence[Prompt]) -> str:
    cues = {each.cue for each in prompts}
    if len(cues) > 1:
        raise InputError("Prompts that are asked together need the same cue.", given=sorted(cues))
    return cues.pop()
