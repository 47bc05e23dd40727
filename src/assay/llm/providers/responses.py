"""OpenAI's responses format."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from assay.llm.model import InvalidAnswerError, RowError, Usage
from assay.llm.providers.openai import TOP, ChatCompletions, parsed
from assay.llm.providers.wire import Request, no_log_probabilities, strict_schema

_LEAST_TOKENS = 16
"""The format refuses a lower cap."""


class Responses:
    """The responses format; embeddings are those of chat completions."""

    def choose(self, model: str, system: str, turns: Sequence[tuple[str, str]]) -> Request:
        """Ask for an answer with log-probabilities; only its first token is read."""
        body = {
            **_body(model, system, turns, _LEAST_TOKENS),
            "temperature": 0,
            "top_logprobs": TOP,
            "include": ["message.output_text.logprobs"],
        }
        return Request("/responses", body)

    def read_choice(self, body: Mapping[str, Any]) -> tuple[dict[str, float], Usage]:
        """Return the log-probabilities of the first token."""
        used = _usage(body)
        shown = _text(body, used).get("logprobs") or []
        if not shown:
            raise no_log_probabilities(used)
        top = shown[0].get("top_logprobs") or [shown[0]]
        return {str(each["token"]): float(each["logprob"]) for each in top}, used

    def generate(
        self,
        model: str,
        system: str,
        turns: Sequence[tuple[str, str]],
        schema: Mapping[str, Any],
        *,
        max_tokens: int,
        temperature: float | None,
    ) -> Request:
        """Ask for an object."""
        form = {
            "type": "json_schema",
            "name": "answer",
            "strict": True,
            "schema": strict_schema(schema),
        }
        body = {**_body(model, system, turns, max_tokens), "text": {"format": form}}
        if temperature is not None:
            body["temperature"] = temperature
        return Request("/responses", body)

    def read_object(self, body: Mapping[str, Any]) -> tuple[Any, Usage]:
        """Return the object."""
        used = _usage(body)
        if body.get("status") == "incomplete":
            reason = (body.get("incomplete_details") or {}).get("reason")
            if reason == "content_filter":
                raise RowError("The model refused to answer.", kind="refused", usage=used)
            raise InvalidAnswerError("it was cut off; be shorter", usage=used)
        return parsed(str(_text(body, used).get("text") or ""), used), used

    def embed(self, model: str, texts: Sequence[str]) -> Request:
        """Ask for embeddings."""
        return ChatCompletions().embed(model, texts)

    def read_vectors(
        self, body: Mapping[str, Any], count: int
    ) -> tuple[NDArray[np.float32], Usage]:
        """Return the vectors."""
        return ChatCompletions().read_vectors(body, count)


def _body(
    model: str, system: str, turns: Sequence[tuple[str, str]], max_tokens: int
) -> dict[str, Any]:
    return {
        "model": model,
        "instructions": system,
        "input": [{"role": role, "content": text} for role, text in turns],
        "max_output_tokens": max(max_tokens, _LEAST_TOKENS),
        "store": False,
    }


def _usage(body: Mapping[str, Any]) -> Usage:
    told = body.get("usage") or {}
    return Usage(int(told.get("input_tokens") or 0), int(told.get("output_tokens") or 0))


def _text(body: Mapping[str, Any], used: Usage) -> Mapping[str, Any]:
    for item in body.get("output") or []:
        for part in item.get("content") or []:
            if part.get("type") == "refusal":
                raise RowError("The model refused to answer.", kind="refused", usage=used)
            if part.get("type") == "output_text":
                return dict(part)
    raise RowError("The server's answer holds no text.", kind="malformed", usage=used)
