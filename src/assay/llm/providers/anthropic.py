"""Anthropic's messages format: no log-probabilities, objects by the form of a tool."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from assay.llm.model import HopelessError, InvalidAnswerError, RowError, Usage
from assay.llm.providers.wire import Request

TOOL = "answer"


class Messages:
    """The messages format."""

    def choose(self, model: str, system: str, turns: Sequence[tuple[str, str]]) -> Request:
        """Refuse: the format has no log-probabilities, so choices are sampled."""
        raise HopelessError("Anthropic shows no log-probabilities.", kind="no log-probabilities")

    def read_choice(self, body: Mapping[str, Any]) -> tuple[dict[str, float], Usage]:
        """Refuse, as :meth:`choose` does."""
        raise HopelessError("Anthropic shows no log-probabilities.", kind="no log-probabilities")

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
        """Ask for an object as the input of the one tool that must be called."""
        tool = {
            "name": TOOL,
            "description": "Give the answer in this form.",
            "input_schema": dict(schema),
        }
        body: dict[str, Any] = {
            "model": model,
            "max_tokens": max_tokens,
            "messages": [{"role": role, "content": text} for role, text in turns],
            "tools": [tool],
            "tool_choice": {"type": "tool", "name": TOOL},
        }
        if system:
            body["system"] = system
        if temperature is not None:
            body["temperature"] = temperature
        return Request("/messages", body)

    def read_object(self, body: Mapping[str, Any]) -> tuple[Any, Usage]:
        """Return the tool's input."""
        told = body.get("usage") or {}
        used = Usage(int(told.get("input_tokens") or 0), int(told.get("output_tokens") or 0))
        if body.get("stop_reason") == "refusal":
            raise RowError("The model refused to answer.", kind="refused", usage=used)
        if body.get("stop_reason") == "max_tokens":
            raise InvalidAnswerError("it was cut off; be shorter", usage=used)
        for block in body.get("content") or []:
            if block.get("type") == "tool_use" and block.get("name") == TOOL:
                return block.get("input"), used
        raise InvalidAnswerError("the tool was not called", usage=used)

    def embed(self, model: str, texts: Sequence[str]) -> Request:
        """Refuse: the format has no embeddings."""
        raise HopelessError("Anthropic has no embeddings.", kind="no embeddings")

    def read_vectors(
        self, body: Mapping[str, Any], count: int
    ) -> tuple[NDArray[np.float32], Usage]:
        """Refuse, as :meth:`embed` does."""
        raise HopelessError("Anthropic has no embeddings.", kind="no embeddings")
