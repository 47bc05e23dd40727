"""Embedding by a model elsewhere: batches at once, each on record, none paid for twice."""

from __future__ import annotations

import asyncio
import socket
import subprocess
import sys
from collections.abc import Callable, Iterator, Sequence
from typing import Any

import numpy as np
import pytest
from aiohttp import web
from model_servers import KEY, OpenAIServer
from numpy.typing import NDArray

from assay.errors import BudgetError
from assay.ledger import Ledger
from assay.ledger.amounts import Amount, Caps
from assay.ledger.calls import Intent
from assay.llm import Budget, Gateway, Progress, ScriptedModel
from assay.llm.model import HopelessError, Price, RowError, Usage
from assay.llm.vectors import Vectors

Make = Callable[..., Gateway]
TEXTS = [f"text {number:04}" for number in range(2000)]  # eight batches


@pytest.fixture
def server(monkeypatch: pytest.MonkeyPatch) -> Iterator[OpenAIServer]:
    monkeypatch.delenv("ASSAY_NO_REAL_MODELS")
    started = OpenAIServer()
    monkeypatch.setenv("OPENAI_BASE_URL", started.url)
    monkeypatch.setenv("OPENAI_API_KEY", KEY)
    yield started
    started.close()


def test_batches_go_at_once_and_errors_show(server: OpenAIServer, gateway: Make) -> None:
    server.delay = 0.1

    async def busy_once(number: int, body: dict[str, Any]) -> web.StreamResponse | None:
        return web.json_response({"error": {}}, status=503) if number == 3 else None

    server.fault = busy_once
    seen: list[Progress] = []
    vectors = gateway(progress=seen.append).embed("openai:good", TEXTS)
    assert vectors.shape == (2000, 2)
    np.testing.assert_array_equal(vectors[:, 0], 9.0)
    assert server.most_in_flight == 8
    assert len(server.received) == 9
    assert (seen[-1].done, seen[-1].total) == (2000, 2000)
    assert seen[-1].errors == {"status 503": 1}
    assert seen[-1].what == "embed: openai:good"


def test_what_was_embedded_is_kept_when_another_batch_fails(
    server: OpenAIServer, gateway: Make, ledger: Ledger
) -> None:
    async def refuse_one(number: int, body: dict[str, Any]) -> web.StreamResponse | None:
        if "text 0000" in body["input"]:
            return web.json_response({"error": {"message": "no"}}, status=400)
        return None

    server.fault = refuse_one
    opened = gateway()
    with pytest.raises(RowError, match="no"):
        opened.embed("openai:good", TEXTS)
    server.fault = None
    asked = len(server.received)
    opened.embed("openai:good", TEXTS)
    assert len(server.received) == asked + 1
    statuses = [each.body["status"] for each in ledger.entries("call")]
    assert sorted(statuses) == ["embedded"] * 8 + ["failed"]


def test_a_cap_stops_between_batches_and_what_fits_is_kept(
    server: OpenAIServer, gateway: Make
) -> None:
    with pytest.raises(BudgetError, match="calls"):
        gateway(budget=Budget(calls=3)).embed("openai:good", TEXTS)
    assert server.answered == 3
    gateway().embed("openai:good", TEXTS)
    assert server.answered == 8


def test_what_a_killed_process_reserved_is_settled_by_the_same_batch(
    server: OpenAIServer, gateway: Make, ledger: Ledger
) -> None:
    ended = subprocess.Popen([sys.executable, "-c", ""])
    ended.wait()
    opened = gateway(prices={"openai:good": Price(10**12, 0)})
    worst = Amount(5 * 10**12, 5, 1)
    key = Vectors.key("openai:good", "a\0bb").hex()
    owner = f"{socket.gethostname()}:{ended.pid}:1"
    opened.book.reserve([Intent(key, worst)], Caps(), owner)
    assert opened.spend.unsettled == 5.0
    opened.embed("openai:good", ["a", "bb"])
    assert opened.spend.unsettled == 0.0
    statuses = [(each.body["status"], each.body["money"]) for each in ledger.entries("call")]
    assert statuses == [("embedded", 2.0), ("lost", 2.0)]


def test_a_failed_batch_costs_what_it_cost(ledger: Ledger, gateway: Make) -> None:
    class Hanging(ScriptedModel):
        async def embed(self, texts: Sequence[str]) -> tuple[NDArray[np.float32], Usage]:
            if "text 0000" in texts:
                await asyncio.sleep(0.2)
                raise HopelessError("gone", kind="gone", usage=Usage(7))
            return await super().embed(texts)

    model = Hanging()
    opened = gateway(model)
    with pytest.raises(HopelessError):
        opened.embed(model.name, TEXTS[:600])
    assert opened.spend.tokens == 7 + 2 * (600 - 256)
    assert opened.spend.unsettled == 0.0
