"""Remote models over real HTTP, against servers that refuse what the real ones refuse."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Callable, Iterator
from datetime import UTC, datetime, timedelta
from email.utils import format_datetime
from typing import Any

import numpy as np
import pytest
from aiohttp import web
from model_servers import (
    KEY,
    AnthropicServer,
    CompatibleServer,
    GeminiServer,
    ModelServer,
    OpenAIServer,
)
from pydantic import BaseModel

from assay.errors import InputError, ModelError
from assay.llm import Example, Gateway, Prompt

Make = Callable[..., Gateway]
OPTIONS = ["sport", "money", "weather"]
SERVERS: dict[str, type[ModelServer]] = {
    "openai": OpenAIServer,
    "openai-responses": OpenAIServer,
    "anthropic": AnthropicServer,
    "gemini": GeminiServer,
    "deepseek": CompatibleServer,
    "groq": CompatibleServer,
    "ollama": CompatibleServer,
    "azure": CompatibleServer,
}


class Words(BaseModel):
    words: int


@pytest.fixture(autouse=True)
def _allow(monkeypatch: pytest.MonkeyPatch) -> None:
    """These servers are real, and they are here."""
    monkeypatch.delenv("ASSAY_NO_REAL_MODELS")
    for name in ("OPENAI", "ANTHROPIC", "GEMINI", "DEEPSEEK", "GROQ", "AZURE_OPENAI"):
        monkeypatch.setenv(f"{name}_API_KEY", KEY)
    monkeypatch.setenv("ASSAY_API_KEY", KEY)


@pytest.fixture
def serve(monkeypatch: pytest.MonkeyPatch) -> Iterator[Callable[[str], ModelServer]]:
    """Starts the server of a provider and points the provider at it."""
    started: list[ModelServer] = []

    def start(provider: str) -> ModelServer:
        server = SERVERS[provider]()
        if provider in ("ollama", "azure"):  # those want no key, or in another header
            server.check_key = lambda request: None  # type: ignore[method-assign]
        started.append(server)
        variable = f"{provider.upper().replace('-', '_')}_BASE_URL"
        monkeypatch.setenv(variable, server.url)  # type: ignore[attr-defined]
        return server

    yield start
    for each in started:
        each.close()


def row(text: str) -> Prompt:
    return Prompt("Say what it is about.", text, (Example("rain tomorrow", "weather"),))


@pytest.mark.parametrize("provider", SERVERS)
def test_every_provider_chooses_and_generates(
    serve: Callable[[str], ModelServer], gateway: Make, provider: str
) -> None:
    server = serve(provider)
    name = f"{provider}:good"
    opened = gateway()
    choices = opened.choose(name, [row("a sport"), row("the weather"), row("money")], OPTIONS)
    assert choices.best == ["sport", "weather", "money"]
    np.testing.assert_allclose(choices.probabilities.sum(axis=1), 1)
    expected = "samples" if provider in ("anthropic", "groq") else "log-probabilities"
    assert choices.how == expected
    if expected == "log-probabilities":
        np.testing.assert_allclose(choices.probabilities[0], np.array([0.7, 0.1, 0.1]) / 0.9)
    made = opened.generate(name, [row("one two three")], Words)
    assert list(made) == [Words(words=3)]
    sent = server.answered
    assert opened.spend.calls == sent
    again = opened.choose(name, [row("money"), row("a sport")], OPTIONS)
    assert again.cached.all()
    assert server.answered == sent


@pytest.mark.parametrize("provider", ["openai", "openai-responses", "gemini", "ollama"])
def test_embeddings_keep_the_order_of_the_texts(
    serve: Callable[[str], ModelServer], gateway: Make, provider: str
) -> None:
    serve(provider)
    vectors = gateway().embed(f"{provider}:good", ["aaa", "b", "cc"])
    np.testing.assert_array_equal(vectors[:, 0], [3, 1, 2])


def test_anthropic_has_no_embeddings(serve: Callable[[str], ModelServer], gateway: Make) -> None:
    serve("anthropic")
    with pytest.raises(InputError, match="cannot embed"):
        gateway().embed("anthropic:good", ["x"])


def test_a_server_named_by_its_address(serve: Callable[[str], ModelServer], gateway: Make) -> None:
    server = serve("groq")
    name = f"{server.url}#good"  # type: ignore[attr-defined]
    assert gateway().choose(name, [row("money")], OPTIONS).best == ["money"]


def test_positions_average_out(serve: Callable[[str], ModelServer], gateway: Make) -> None:
    """A model that always prefers the first position prefers no option."""
    server = serve("openai")

    def first(request: web.Request, body: dict[str, Any]) -> dict[str, Any]:
        top = [{"token": "A", "logprob": -0.05}, {"token": " b", "logprob": -3.0}]
        return {
            "choices": [{"message": {}, "logprobs": {"content": [{"top_logprobs": top}]}}],
            "usage": {"prompt_tokens": 1, "completion_tokens": 1},
        }

    server.chat = first  # type: ignore[attr-defined]
    server._answer = lambda request, _: ModelServer._answer(server, request, first)  # type: ignore
    choices = gateway().choose("openai:good", [row(str(n)) for n in range(20)], ["x", "y"])
    np.testing.assert_allclose(choices.probabilities, 0.5)


def test_options_that_are_not_shown_are_floored_and_flagged(
    serve: Callable[[str], ModelServer], gateway: Make
) -> None:
    serve("openai")
    options = [f"topic number {n:03d}" for n in range(40)]
    choices = gateway().choose("openai:good", [row("topic number 017")], options)
    assert choices.best == ["topic number 017"]
    assert choices.floored == {0}
    assert (choices.probabilities > 0).all()


def fault(make: Callable[[], web.StreamResponse]) -> Any:
    async def instead(number: int, body: dict[str, Any]) -> web.StreamResponse | None:
        return make() if "bad" in str(body["messages"][-1]["content"]) else None

    return instead


SICK: dict[str, tuple[Callable[[], web.StreamResponse], str]] = {
    "too long": (
        lambda: web.json_response(
            {"error": {"message": "maximum context length is 10 tokens", "code": "context"}},
            status=400,
        ),
        "too long",
    ),
    "malformed": (lambda: web.json_response({"choices": []}), "no choices"),
    "html": (lambda: web.Response(text="<html>hi</html>", content_type="text/html"), "not JSON"),
    "truncated": (
        lambda: web.Response(text='{"choices": [{"mess', content_type="application/json"),
        "not JSON",
    ),
    "error inside": (
        lambda: web.json_response({"error": {"message": "content was odd", "code": 400}}),
        "content was odd",
    ),
    "unwell": (lambda: web.Response(status=503, text="unwell"), "503"),
}


@pytest.mark.parametrize("kind", SICK)
def test_a_poisoned_row_fails_alone(
    serve: Callable[[str], ModelServer], gateway: Make, kind: str
) -> None:
    server = serve("openai")
    make, told = SICK[kind]
    server.fault = fault(make)
    rows = [row("sport"), row("bad"), row("money")]
    choices = gateway().choose("openai:good", rows, OPTIONS)
    assert choices.status.tolist() == ["answered", "failed", "answered"]
    assert told in choices.why[1]
    server.fault = None
    server.received.clear()
    assert gateway().choose("openai:good", rows, OPTIONS).complete
    assert {each["messages"][-1]["content"] for each in server.received} == {"bad"}


def test_a_text_that_is_too_long_is_told_with_its_row_and_length(
    serve: Callable[[str], ModelServer], gateway: Make
) -> None:
    serve("openai").fault = fault(SICK["too long"][0])
    rows = [row("sport"), row("bad " * 500), row("money")]
    choices = gateway().choose("openai:good", rows, OPTIONS)
    assert set(choices.why) == {1}
    assert "maximum context length is 10 tokens" in choices.why[1]
    assert "2,000 characters" in choices.why[1]


@pytest.mark.parametrize("indices", [[0, 0], [0, 2], [1]])
def test_embeddings_that_cannot_be_told_apart_are_refused(
    serve: Callable[[str], ModelServer], gateway: Make, indices: list[int]
) -> None:
    server = serve("openai")

    async def mixed(number: int, body: dict[str, Any]) -> web.StreamResponse | None:
        data = [{"index": index, "embedding": [1.0, 2.0]} for index in indices]
        return web.json_response({"data": data, "usage": {"prompt_tokens": 2}})

    server.fault = mixed
    with pytest.raises(ModelError, match="embeddings for 2 texts"):
        gateway().embed("openai:good", ["a", "bb"])
    server.fault = None
    np.testing.assert_array_equal(gateway().embed("openai:good", ["a", "bb"])[:, 0], [1, 2])


def test_a_wrong_key_stops_at_once_and_is_not_shown(
    serve: Callable[[str], ModelServer], gateway: Make, monkeypatch: pytest.MonkeyPatch
) -> None:
    server = serve("openai")
    monkeypatch.setenv("OPENAI_API_KEY", "sk-wrong-canary-1234567890")
    refused = 0

    def check(request: web.Request) -> None:
        nonlocal refused
        refused += 1
        ModelServer.check_key(server, request)

    server.check_key = check  # type: ignore[method-assign]
    with pytest.raises(ModelError, match="OPENAI_API_KEY") as told:
        gateway().choose("openai:good", [row(str(n)) for n in range(300)], OPTIONS)
    assert "canary" not in str(told.value)
    assert refused <= 16


def test_a_missing_key_names_its_variable(gateway: Make, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("ANTHROPIC_API_KEY")
    with pytest.raises(ModelError, match="ANTHROPIC_API_KEY"):
        gateway().choose("anthropic:good", [row("x")], OPTIONS)


def test_a_model_that_is_not_there_stops_at_once(
    serve: Callable[[str], ModelServer], gateway: Make
) -> None:
    server = serve("openai")
    with pytest.raises(ModelError, match="does not exist"):
        gateway().choose("openai:bad", [row(str(n)) for n in range(300)], OPTIONS)
    assert len(server.received) <= 16


def test_a_server_that_is_not_there_is_told(gateway: Make, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("OPENAI_BASE_URL", "http://127.0.0.1:9/v1")
    with pytest.raises(ModelError, match="cannot be reached"):
        gateway().choose("openai:good", [row(str(n)) for n in range(300)], OPTIONS)


def test_the_server_says_how_long_to_wait(
    serve: Callable[[str], ModelServer], gateway: Make
) -> None:
    server = serve("openai")
    now = datetime.now(UTC) - timedelta(days=3)  # its clock is wrong; only the difference counts
    waits = iter(
        [
            {"Retry-After": "0.3"},
            {"Retry-After": format_datetime(now + timedelta(seconds=1), usegmt=True),
             "Date": format_datetime(now, usegmt=True)},
        ]
    )  # fmt: skip

    async def busy(number: int, body: dict[str, Any]) -> web.StreamResponse | None:
        headers = next(waits, None)
        return None if headers is None else web.Response(status=429, headers=headers)

    server.fault = busy
    began = time.monotonic()
    assert gateway().choose("openai:good", [row("sport")], OPTIONS).complete
    assert time.monotonic() - began >= 1.0


def test_a_redirect_cannot_leak(serve: Callable[[str], ModelServer], gateway: Make) -> None:
    server, elsewhere = serve("openai"), serve("groq")
    server.fault = fault(
        lambda: web.Response(status=307, headers={"Location": elsewhere.url})  # type: ignore[attr-defined]
    )
    with pytest.raises(ModelError, match="redirect"):
        gateway().choose("openai:good", [row("bad")], OPTIONS)
    assert elsewhere.received == []


def test_the_connector_refuses_hosts_that_are_not_allowed() -> None:
    import aiohttp

    from assay.llm.model import HopelessError
    from assay.llm.transport import GuardedConnector

    async def leak() -> None:
        connector = GuardedConnector(frozenset({"allowed.example"}))
        async with aiohttp.ClientSession(connector=connector) as session:
            await session.post("http://127.0.0.1:9/v1")

    with pytest.raises(HopelessError, match=r"127\.0\.0\.1 is not on the list"):
        asyncio.run(leak())


@pytest.mark.parametrize("kind", ["hangs", "drips"])
def test_a_server_that_never_ends_is_left(
    serve: Callable[[str], ModelServer],
    gateway: Make,
    kind: str,
) -> None:
    from assay.llm.providers import connect

    server = serve("openai")

    async def slow(request: web.Request, _: Any) -> web.StreamResponse:
        if kind == "hangs":
            await asyncio.sleep(60)
        response = web.StreamResponse()
        await response.prepare(request)
        while True:
            await response.write(b" ")
            await asyncio.sleep(0.05)

    server._answer = slow  # type: ignore[method-assign,assignment]
    model = connect("openai:good")
    model.connection._seconds = 0.4
    choices = gateway(model).choose("openai:good", [row("sport")], OPTIONS)
    assert choices.status.tolist() == ["failed"]
    assert "no whole answer in 0.4 s" in choices.why[0]


def test_a_broken_certificate_is_told(gateway: Make, monkeypatch: pytest.MonkeyPatch) -> None:
    import socket
    import threading

    listener = socket.create_server(("127.0.0.1", 0))

    def plain() -> None:
        with listener:
            for _ in range(16):
                connection, _ = listener.accept()
                with connection:
                    connection.recv(1024)
                    connection.sendall(b"HTTP/1.1 400 Bad Request\r\n\r\n")

    threading.Thread(target=plain, daemon=True).start()
    port = listener.getsockname()[1]
    monkeypatch.setenv("OPENAI_BASE_URL", f"https://127.0.0.1:{port}/v1")
    with pytest.raises(ModelError, match="TLS"):
        gateway().choose("openai:good", [row("x")], OPTIONS)
