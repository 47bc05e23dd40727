"""Ctrl-C, in a process of its own that asks a real server."""

from __future__ import annotations

import asyncio
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import pytest
from aiohttp import web
from model_servers import KEY, CompatibleServer

from assay.ledger import Ledger
from assay.ledger.calls import CallBook
from waiting import until

ROWS = 400
IN_FLIGHT = 8

ASKS = """
import signal, sys
from assay.ledger import Ledger
from assay.llm import Gateway, Prompt
from assay.llm.model import Capabilities, Limits
from assay.llm.providers import connect

signal.signal(signal.SIGINT, signal.default_int_handler)  # a shell's background job ignores it
path, run, url, rows, in_flight = sys.argv[1:]
model = connect(url + "#good")
model.capabilities = Capabilities("log-probabilities", parts=1)
prompts = [Prompt("What?", f"row {n} sport") for n in range(int(rows))]
try:
    with Ledger.open(path) as ledger, Gateway(ledger, run=run, models={model.name: model},
                 limits=Limits(in_flight=int(in_flight))) as gateway:
        assert gateway.choose(model.name, prompts, ["sport", "money"]).complete
except KeyboardInterrupt:
    print("interrupted")
"""


@pytest.fixture
def server(monkeypatch: pytest.MonkeyPatch) -> Iterator[CompatibleServer]:
    monkeypatch.delenv("ASSAY_NO_REAL_MODELS")
    monkeypatch.setenv("ASSAY_API_KEY", KEY)
    started = CompatibleServer()
    yield started
    started.close()


@pytest.fixture
def asks(tmp_path: Path, server: CompatibleServer) -> Iterator[subprocess.Popen[str]]:
    """A process that is asking: the server has had some of its requests."""
    with Ledger.open(tmp_path / "ledger.sqlite") as ledger:
        run = ledger.start_run("interrupted", {})
    server.delay = 0.3
    arguments = [str(tmp_path / "ledger.sqlite"), run, server.url, str(ROWS), str(IN_FLIGHT)]
    with subprocess.Popen(
        [sys.executable, "-c", ASKS, *arguments], stdout=subprocess.PIPE, text=True
    ) as process:
        until(lambda: server.answered >= IN_FLIGHT)
        yield process
        process.kill()


def test_an_interrupt_lets_no_more_requests_leave_and_keeps_what_is_answered(
    tmp_path: Path, server: CompatibleServer, asks: subprocess.Popen[str]
) -> None:
    asks.send_signal(signal.SIGINT)
    time.sleep(server.delay / 2)
    received = len(server.received)  # those in flight: none of them is answered before this
    assert asks.communicate(timeout=60)[0] == "interrupted\n"
    assert len(server.received) == received
    assert server.answered == received < ROWS
    with Ledger.open(tmp_path / "ledger.sqlite") as ledger:
        calls = ledger.entries("call")
        assert sum(each.body["status"] == "answered" for each in calls) == received
        assert CallBook(ledger, "run-1").balance().reserved.calls == 0


def test_a_second_interrupt_does_not_wait_for_what_is_in_flight(
    tmp_path: Path, server: CompatibleServer, asks: subprocess.Popen[str]
) -> None:
    hanging: list[int] = []

    async def hang(number: int, body: object) -> web.StreamResponse | None:
        hanging.append(number)
        await asyncio.sleep(3600)
        return None

    server.fault = hang
    until(lambda: len(hanging) == IN_FLIGHT)
    asks.send_signal(signal.SIGINT)
    time.sleep(0.2)
    asks.send_signal(signal.SIGINT)
    assert asks.communicate(timeout=60)[0] == "interrupted\n"
    assert len(hanging) == IN_FLIGHT
    with Ledger.open(tmp_path / "ledger.sqlite") as ledger:
        answered = {each.key for each in ledger.entries("call") if each.body["answer"]}
        assert len(answered) == server.answered
        # Whether these will be answered, and paid for, only the server knows.
        assert CallBook(ledger, "run-1").balance().reserved.calls == IN_FLIGHT
