"""Writing an object of a schema, token by token, under the schema's grammar."""

from __future__ import annotations

import json
import re
from dataclasses import dataclass, field
from typing import Any, TypeVar

import numpy as np
import torch
from numpy.typing import NDArray
from pydantic import BaseModel, ValidationError

from assay.errors import InputError, MissingExtraError, ModelError
from assay.llm.local.attention import Growing
from assay.llm.local.decoder import Decoder
from assay.llm.local.parallel import one_thread
from assay.llm.local.tokens import ChatTokenizer
from assay.llm.prompt import Prompt

Answer = TypeVar("Answer", bound=BaseModel)

CLOSING_SHARE = 0.25
"""The last part of an answer's tokens, in which whatever can be closed is closed."""


@dataclass
class Writer:
    """Writes objects with a decoder, under grammars that are compiled once.

    Attributes
    ----------
    decoder
        The network.
    tokenizer
        Its tokenizer.
    """

    decoder: Decoder
    tokenizer: ChatTokenizer
    _grammars: dict[type[BaseModel], str] = field(default_factory=dict)

    def __post_init__(self) -> None:
        try:
            from llguidance import LLTokenizer
        except ImportError as error:
            raise MissingExtraError("Grammar-constrained writing", "local") from error
        size = self.decoder.shape.vocabulary
        description = self.tokenizer.for_grammar()
        self._vocabulary = LLTokenizer(description, n_vocab=size, eos_token=self.tokenizer.end)
        texts = [self.tokenizer.decode([token]) for token in range(size)]
        self._ends_text = np.array([_only(text, '"', '"]},') for text in texts], dtype=np.bool_)
        self._ends_more = np.array([_only(text, "]}", "]}") for text in texts], dtype=np.bool_)

    def write(
        self,
        prompt: Prompt,
        schema: type[Answer],
        *,
        max_tokens: int,
        seed: int,
        temperature: float,
    ) -> Answer:
        """Return an object of ``schema``; see ``LocalModel.generate``."""
        if max_tokens < 1 or temperature < 0:
            raise InputError(
                "max_tokens must be positive and temperature not negative.",
                given=f"max_tokens={max_tokens}, temperature={temperature}",
            )
        text = self._write_text(
            prompt, self._grammar(schema), max_tokens, _Sampler(seed, temperature)
        )
        try:
            return schema.model_validate_json(text)
        except ValidationError as error:
            raise ModelError(
                f"The model's answer breaks a rule of {schema.__name__}.",
                given="; ".join(each["msg"] for each in error.errors()),
                next_step="state the rule in the prompt, or ask again with a temperature and seed",
            ) from error

    def _write_text(self, prompt: Prompt, grammar: str, max_tokens: int, sampler: _Sampler) -> str:
        from llguidance import LLMatcher
        from llguidance.numpy import allocate_token_bitmask, fill_next_token_bitmask

        matcher = LLMatcher(self._vocabulary, grammar)
        mask = allocate_token_bitmask(1, self.decoder.shape.vocabulary)
        context = self.decoder.shape.context
        pending = self._tokens(prompt, context - max_tokens)
        row = Growing(self.decoder, len(pending) + max_tokens)
        written: list[int] = []
        with torch.inference_mode(), one_thread():
            while not matcher.is_stopped():
                if len(written) >= max_tokens:
                    raise ModelError(
                        "The model's answer did not end within max_tokens.",
                        given=max_tokens,
                        next_step="raise max_tokens, or ask for less",
                    )
                forced = list(matcher.compute_ff_tokens())[: max_tokens - len(written)]
                if forced:
                    fresh, read = forced, []
                else:
                    logits = self.decoder.logits(row.extend(pending))[0].numpy()
                    fill_next_token_bitmask(matcher, mask, 0)
                    allowed = self._allowed(mask[0])
                    if max_tokens - len(written) <= CLOSING_SHARE * max_tokens:
                        allowed = self._closing(allowed, written)
                    fresh, read = [sampler.pick(logits, allowed)], pending
                if not matcher.consume_tokens(fresh):
                    raise ModelError("The grammar refused a token.", given=matcher.get_error())
                written += fresh
                pending = pending[len(read) :] + fresh
        return self.tokenizer.decode(written)

    def _tokens(self, prompt: Prompt, room: int) -> list[int]:
        from assay.llm.local.scoring import encode

        (row,) = encode(self.tokenizer, [prompt], room, None)
        return row.tokens

    def _allowed(self, mask: NDArray[np.int32]) -> NDArray[np.bool_]:
        bits = np.unpackbits(mask.view(np.uint8), bitorder="little")
        return bits[: self.decoder.shape.vocabulary].astype(np.bool_)

    def _closing(self, allowed: NDArray[np.bool_], written: list[int]) -> NDArray[np.bool_]:
        """Return the allowed tokens that close something, or all where none does."""
        quotes = re.findall(r'\\.|(")', self.tokenizer.decode(written))
        in_text = sum(map(bool, quotes)) % 2 == 1
        closing = allowed & (self._ends_text if in_text else self._ends_more)
        return closing if closing.any() else allowed

    def _grammar(self, schema: type[BaseModel]) -> str:
        if schema not in self._grammars:
            self._grammars[schema] = _grammar(schema)
        return self._grammars[schema]


@dataclass
class _Sampler:
    seed: int
    temperature: float

    def __post_init__(self) -> None:
        self._random = np.random.default_rng(self.seed)

    def pick(self, logits: NDArray[np.float32], allowed: NDArray[np.bool_]) -> int:
        scores = np.where(allowed, logits, -np.inf).astype(np.float64)
        if self.temperature == 0:
            return int(scores.argmax())
        scores = np.exp((scores - scores.max()) / self.temperature)
        return int(self._random.choice(len(scores), p=scores / scores.sum()))


def _only(text: str, first: str, rest: str) -> bool:
    """Whether ``text`` starts with one of ``first`` and goes on with ``rest`` alone."""
    return bool(text) and text[0] in first and set(text[1:]) <= set(rest)


def _grammar(schema: type[BaseModel]) -> str:
    """Return llguidance's grammar of a pydantic model, or say why there is none."""
    from llguidance import LLMatcher

    name = schema.__name__
    description = schema.model_json_schema()
    if _is_recursive(description):
        raise InputError(
            f"The schema {name} refers to itself, so its answers could nest without end.",
            allowed="a model without recursion",
        )
    style = {"whitespace_flexible": False, "item_separator": ", ", "key_separator": ": "}
    grammar = LLMatcher.grammar_from_json_schema(json.dumps(description | {"x-guidance": style}))
    problem = LLMatcher.validate_grammar(grammar)
    if problem:
        raise InputError(
            f"The schema {name} has no grammar.",
            given=problem,
            next_step="use plain types, Literal, lists, lengths and nested models",
        )
    return str(grammar)


def _is_recursive(schema: dict[str, Any]) -> bool:
    definitions: dict[str, Any] = schema.get("$defs", {})

    def reaches(node: Any, open_names: frozenset[str]) -> bool:
        if isinstance(node, list):
            return any(reaches(each, open_names) for each in node)
        if not isinstance(node, dict):
            return False
        target = str(node.get("$ref", "")).removeprefix("#/$defs/")
        if target in open_names:
            return True
        if target in definitions and reaches(definitions[target], open_names | {target}):
            return True
        return any(reaches(each, open_names) for key, each in node.items() if key != "$defs")

    return reaches(schema, frozenset())
