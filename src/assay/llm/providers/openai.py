"""OpenAI's chat completions and embeddings, as OpenAI and the servers that copy it speak them."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from assay.llm.model import InvalidAnswerError, RowError, Usage
from assay.llm.providers.wire import Request, no_log_probabilities, strict_schema

TOP = 20


@dataclass(frozen=True)
class ChatCompletions:
    """The chat completions format.

    Attributes
    ----------
    tokens_field
        OpenAI wants ``max_completion_tokens``; most that copy it know only ``max_tokens``.
    top
        How many log-probabilities the server shows at most.
    objects
        ``schema`` where the server holds an answer to a JSON schema, else ``tool``.
    """

    tokens_field: str = "max_completion_tokens"
    top: int = TOP
    objects: str = "schema"

    def choose(self, model: str, system: str, turns: Sequence[tuple[str, str]]) -> Request:
        """Ask for one token with log-probabilities."""
        body = {
            **self._chat(model, system, turns),
            self.tokens_field: 1,
            "temperature": 0,
            "logprobs": True,
            "top_logprobs": self.top,
        }
        return Request("/chat/completions", body)

    def read_choice(self, body: Mapping[str, Any]) -> tuple[dict[str, float], Usage]:
        """Return the log-probabilities of the first token."""
        used = usage(body)
        choice = first_choice(body, used)
        content = (choice.get("logprobs") or {}).get("content") or []
        if not content:
            raise no_log_probabilities(used)
        shown = content[0].get("top_logprobs") or [content[0]]
        tokens: dict[str, float] = {}
        for each in shown:
            token = str(each["token"])
            tokens[token] = max(float(each["logprob"]), tokens.get(token, -np.inf))
        return tokens, used

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
        """Ask for an object, by the server's own JSON schema mode or the form of a tool."""
        body = {**self._chat(model, system, turns), self.tokens_field: max_tokens}
        if self.objects == "schema":
            form = {"name": "answer", "strict": True, "schema": strict_schema(schema)}
            body["response_format"] = {"type": "json_schema", "json_schema": form}
        else:
            function = {"name": "answer", "parameters": dict(schema)}
            body["tools"] = [{"type": "function", "function": function}]
            body["tool_choice"] = {"type": "function", "function": {"name": "answer"}}
        if temperature is not None:
            body["temperature"] = temperature
        return Request("/chat/completions", body)

    def read_object(self, body: Mapping[str, Any]) -> tuple[Any, Usage]:
        """Return the object."""
        used = usage(body)
        choice = first_choice(body, used)
        message = choice.get("message") or {}
        if message.get("refusal") or choice.get("finish_reason") == "content_filter":
            raise RowError("The model refused to answer.", kind="refused", usage=used)
        if choice.get("finish_reason") == "length":
            raise InvalidAnswerError("it was cut off; be shorter", usage=used)
        for call in message.get("tool_calls") or []:
            return parsed(str((call.get("function") or {}).get("arguments") or ""), used), used
        return parsed(str(message.get("content") or ""), used), used

    def embed(self, model: str, texts: Sequence[str]) -> Request:
        """Ask for embeddings."""
        body = {"model": model, "input": list(texts), "encoding_format": "float"}
        return Request("/embeddings", body)

    def read_vectors(
        self, body: Mapping[str, Any], count: int
    ) -> tuple[NDArray[np.float32], Usage]:
        """Return the vectors, by their index."""
        data = body.get("data") or []
        if sorted(each.get("index", -1) for each in data) != list(range(count)):
            raise RowError(f"The server sent {len(data)} embeddings for {count} texts.")
        ordered = sorted(data, key=lambda each: int(each["index"]))
        vectors = np.array([each["embedding"] for each in ordered], dtype=np.float32)
        return vectors, usage(body)

    def _chat(self, model: str, system: str, turns: Sequence[tuple[str, str]]) -> dict[str, Any]:
        messages = [{"role": "system", "content": system}] if system else []
        messages += [{"role": role, "content": text} for role, text in turns]
        return {"model": model, "messages": messages}


def usage(body: Mapping[str, Any]) -> Usage:
    """Return the tokens that the server counted."""
    told = body.get("usage") or {}
    return Usage(int(told.get("prompt_tokens") or 0), int(told.get("completion_tokens") or 0))


def first_choice(body: Mapping[str, Any], used: Usage) -> Mapping[str, Any]:
    """Return the first choice; raise `RowError` where there is none."""
    choices = body.get("choices")
    if not isinstance(choices, list) or not choices or not isinstance(choices[0], dict):
        raise RowError("The server's answer holds no choices.", kind="malformed", usage=used)
    return choices[0]


def parsed(text: str, used: Usage) -> Any:
    """Return the JSON in ``text``; raise `InvalidAnswerError` where it is none."""
    try:
        return json.loads(text)
    except ValueError as error:
        raise InvalidAnswerError(f"it is not JSON ({error})", usage=used) from error
