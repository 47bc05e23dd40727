"""The providers that Assay knows: where they are, what they speak, which key they want."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Literal

from assay.llm.model import Capabilities

Format = Literal["chat", "responses", "anthropic", "gemini"]

BY_LOG_PROBABILITIES = Capabilities(choose="log-probabilities", parts=2, generate=True, embed=True)
BY_SAMPLES = Capabilities(choose="samples", parts=3, generate=True, embed=True)
BY_SAMPLES_ONLY = Capabilities(choose="samples", parts=3, generate=True)

_REASONING = re.compile(r"^(o\d|gpt-5)")


@dataclass(frozen=True)
class Provider:
    """One provider.

    Attributes
    ----------
    name
        The part of a model's name before the colon.
    base
        Its address; ``NAME_BASE_URL`` in the environment replaces it.
    format
        The wire format that it speaks.
    key
        The environment variable, or keyring entry, with its key; None where it wants none.
    key_header
        The header that carries the key, with ``{key}`` in its value.
    capabilities
        What its models can do.
    tokens_field
        What it calls the cap on written tokens.
    objects
        Whether it holds an answer to a JSON schema itself, or by the form of a tool.
    headers
        Sent with every request.
    """

    name: str
    base: str
    format: Format = "chat"
    key: str | None = None
    key_header: tuple[str, str] = ("Authorization", "Bearer {key}")
    capabilities: Capabilities = BY_LOG_PROBABILITIES
    tokens_field: str = "max_tokens"
    objects: Literal["schema", "tool"] = "schema"
    headers: Mapping[str, str] = field(default_factory=dict)

    @property
    def base_variable(self) -> str:
        """The environment variable that replaces the address."""
        return f"{self.name.upper().replace('-', '_')}_BASE_URL"

    def capabilities_of(self, model: str) -> Capabilities:
        """Return what one model can do."""
        if self.name in ("openai", "openai-responses", "azure") and _REASONING.match(model):
            return BY_SAMPLES_ONLY
        return self.capabilities

    def takes_temperature(self, model: str) -> bool:
        """Whether a temperature may be sent; reasoning models refuse it."""
        return not _REASONING.match(model)


_OPENAI = "https://api.openai.com/v1"
_API_KEY = ("api-key", "{key}")

PROVIDERS: dict[str, Provider] = {
    each.name: each
    for each in (
        Provider("openai", _OPENAI, key="OPENAI_API_KEY", tokens_field="max_completion_tokens"),
        Provider("openai-responses", _OPENAI, "responses", key="OPENAI_API_KEY"),
        Provider(
            "anthropic",
            "https://api.anthropic.com/v1",
            "anthropic",
            key="ANTHROPIC_API_KEY",
            key_header=("x-api-key", "{key}"),
            capabilities=BY_SAMPLES_ONLY,
            objects="tool",
            headers={"anthropic-version": "2023-06-01"},
        ),
        Provider(
            "gemini",
            "https://generativelanguage.googleapis.com/v1beta",
            "gemini",
            key="GEMINI_API_KEY",
            key_header=("x-goog-api-key", "{key}"),
        ),
        Provider("azure", "", key="AZURE_OPENAI_API_KEY", key_header=_API_KEY),
        Provider("ollama", "http://localhost:11434/v1"),
        Provider("vllm", "http://localhost:8000/v1"),
        Provider("llamacpp", "http://localhost:8080/v1"),
        Provider("lmstudio", "http://localhost:1234/v1", capabilities=BY_SAMPLES),
        Provider("openrouter", "https://openrouter.ai/api/v1", key="OPENROUTER_API_KEY"),
        Provider(
            "groq",
            "https://api.groq.com/openai/v1",
            key="GROQ_API_KEY",
            capabilities=BY_SAMPLES_ONLY,
        ),
        Provider(
            "mistral",
            "https://api.mistral.ai/v1",
            key="MISTRAL_API_KEY",
            capabilities=BY_SAMPLES,
        ),
        Provider(
            "together",
            "https://api.together.xyz/v1",
            key="TOGETHER_API_KEY",
            capabilities=BY_SAMPLES,
        ),
        Provider("deepseek", "https://api.deepseek.com/v1", key="DEEPSEEK_API_KEY", objects="tool"),
    )
}
