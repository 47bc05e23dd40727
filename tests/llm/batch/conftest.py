"""A batch server of each provider, and gateways that look at it without waiting."""

from __future__ import annotations

from collections.abc import Callable, Iterator

import pytest
from batch_servers import AnthropicBatchServer, CompatibleBatchServer, OpenAIBatchServer
from model_servers import KEY

from assay.llm.batch import waiting

Server = OpenAIBatchServer | AnthropicBatchServer


@pytest.fixture(autouse=True)
def _quick(monkeypatch: pytest.MonkeyPatch) -> None:
    """These servers are real, and here; they need no minutes between two looks."""
    monkeypatch.setattr(waiting, "FIRST_SECONDS", 0.001)
    monkeypatch.setattr(waiting, "LONGEST_SECONDS", 0.01)
    monkeypatch.delenv("ASSAY_NO_REAL_MODELS")
    for name in ("OPENAI_API_KEY", "ANTHROPIC_API_KEY", "ASSAY_API_KEY"):
        monkeypatch.setenv(name, KEY)


@pytest.fixture
def serve(monkeypatch: pytest.MonkeyPatch) -> Iterator[Callable[[str], tuple[Server, str]]]:
    """Starts a provider's server; returns it and the name of its model."""
    started: list[Server] = []

    def start(provider: str) -> tuple[Server, str]:
        kinds = {"anthropic": AnthropicBatchServer, "http": CompatibleBatchServer}
        server = kinds.get(provider, OpenAIBatchServer)()
        started.append(server)
        if provider == "http":
            return server, f"{server.url}#good"
        monkeypatch.setenv(f"{provider.upper().replace('-', '_')}_BASE_URL", server.url)
        return server, f"{provider}:good"

    yield start
    for each in started:
        each.close()
