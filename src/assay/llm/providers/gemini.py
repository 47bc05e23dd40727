"""Google's Gemini format."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any
from urllib.parse import quote

import numpy as np
from numpy.typing import NDArray

from assay.llm.model import InvalidAnswerError, RowError, Usage
from assay.llm.providers.openai import parsed
from assay.llm.providers.wire import Request, no_log_probabilities

TOP = 20
_REFUSED = {"SAFETY", "RECITATION", "BLOCKLIST", "PROHIBITED_CONTENT", "SPII"}


class GenerateContent:
    """The generateContent format."""

    def choose(self, model: str, system: str, turns: Sequence[tuple[str, str]]) -> Request:
        """Ask for one token with log-probabilities."""
        settings = {
            "maxOutputTokens": 1,
            "temperature": 0,
            "responseLogprobs": True,
            "logprobs": TOP,
        }
        return _request(model, system, turns, settings)

    def read_choice(self, body: Mapping[str, Any]) -> tuple[dict[str, float], Usage]:
        """Return the log-probabilities of the first token."""
        used = _usage(body)
        candidate = _candidate(body, used)
        steps = (candidate.get("logprobsResult") or {}).get("topCandidates") or []
        if not steps:
            raise no_log_probabilities(used)
        shown = steps[0].get("candidates") or []
        return {str(each["token"]): float(each["logProbability"]) for each in shown}, used

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
        settings: dict[str, Any] = {
            "maxOutputTokens": max_tokens,
            "responseMimeType": "application/json",
            "responseJsonSchema": dict(schema),
        }
        if temperature is not None:
            settings["temperature"] = temperature
        return _request(model, system, turns, settings)

    def read_object(self, body: Mapping[str, Any]) -> tuple[Any, Usage]:
        """Return the object."""
        used = _usage(body)
        candidate = _candidate(body, used)
        if candidate.get("finishReason") == "MAX_TOKENS":
            raise InvalidAnswerError("it was cut off; be shorter", usage=used)
        parts = (candidate.get("content") or {}).get("parts") or []
        return parsed("".join(str(each.get("text", "")) for each in parts), used), used

    def embed(self, model: str, texts: Sequence[str]) -> Request:
        """Ask for embeddings."""
        name = f"models/{model}"
        requests = [{"model": name, "content": {"parts": [{"text": text}]}} for text in texts]
        return Request(
            f"/models/{quote(model, safe='')}:batchEmbedContents", {"requests": requests}
        )

    def read_vectors(
        self, body: Mapping[str, Any], count: int
    ) -> tuple[NDArray[np.float32], Usage]:
        """Return the vectors, in the order of the texts."""
        found = body.get("embeddings") or []
        if len(found) != count:
            raise RowError(f"The server sent {len(found)} embeddings for {count} texts.")
        return np.array([each["values"] for each in found], dtype=np.float32), _usage(body)


def _request(
    model: str, system: str, turns: Sequence[tuple[str, str]], settings: Mapping[str, Any]
) -> Request:
    roles = {"user": "user", "assistant": "model"}
    body: dict[str, Any] = {
        "contents": [{"role": roles[role], "parts": [{"text": text}]} for role, text in turns],
        "generationConfig": dict(settings),
    }
    if system:
        body["systemInstruction"] = {"parts": [{"text": system}]}
    return Request(f"/models/{quote(model, safe='')}:generateContent", body)


def _usage(body: Mapping[str, Any]) -> Usage:
    told = body.get("usageMetadata") or {}
    written = int(told.get("candidatesTokenCount") or 0) + int(told.get("thoughtsTokenCount") or 0)
    return Usage(int(told.get("promptTokenCount") or 0), written)


def _candidate(body: Mapping[str, Any], used: Usage) -> Mapping[str, Any]:
    blocked = (body.get("promptFeedback") or {}).get("blockReason")
    candidates = body.get("candidates") or []
    if blocked or (candidates and candidates[0].get("finishReason") in _REFUSED):
        raise RowError("The model refused to answer.", kind="refused", usage=used)
    if not candidates:
        raise RowError("The server's answer holds no candidates.", kind="malformed", usage=used)
    return dict(candidates[0])
