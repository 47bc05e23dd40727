"""Servers that tell their limits, and servers that answer late."""

from __future__ import annotations

import json
import math
import time
from collections import Counter
from collections.abc import Callable, Iterator
from datetime import UTC, datetime, timedelta
from email.utils import format_datetime
from typing import Any

import pytest
from aiohttp import web
from model_servers import KEY, AnthropicServer, CompatibleServer, ModelServer, OpenAIServer
from pydantic import BaseModel

from assay.ledger import Ledger
from assay.llm import Budget, Gateway, Prompt
from assay.llm.allowance import Allowance, allowances, wait_of
from assay.llm.model import Capabilities, Limits, Price
from assay.llm.providers import connect

Make = Callable[..., Gateway]
Late = Callable[..., tuple[Gateway, str]]
DATE = "Mon, 02 Nov 2026 10:00:00 GMT"


@pytest.fixture(autouse=True)
def _allow(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("ASSAY_NO_REAL_MODELS")
    for name in ("OPENAI_API_KEY", "ANTHROPIC_API_KEY", "ASSAY_API_KEY"):
        monkeypatch.setenv(name, KEY)


@pytest.mark.parametrize(
    ("reset", "seconds"),
    [("1s", 1), ("6m0s", 360), ("20ms", 0.02), ("1h2m3.5s", 3723.5), ("12", 12), ("0", 0),
     ("2026-11-02T10:00:07Z", 7), ("2026-11-02T09:00:00Z", 0), ("soon", None), ("", None),
     ("1s later", None)],
)  # fmt: skip
def test_times_are_read_as_servers_write_them(reset: str, seconds: float | None) -> None:
    headers = {"x-ratelimit-remaining-tokens": "0", "x-ratelimit-reset-tokens": reset, "Date": DATE}
    expected = () if seconds is None else (Allowance(0, seconds, of_tokens=True),)
    assert allowances(headers) == expected
    assert wait_of(headers) == seconds


def test_what_a_refusal_asks_for_goes_before_what_its_limits_say() -> None:
    spent = {"ratelimit-remaining": "0", "ratelimit-reset": "9"}
    assert wait_of(spent) == 9
    assert wait_of({**spent, "Retry-After": "3"}) == 3
    assert wait_of({**spent, "Retry-After": "3", "retry-after-ms": "1500"}) == 1.5
    assert wait_of({"ratelimit-remaining": "4", "ratelimit-reset": "9"}) is None
    assert wait_of({"Retry-After": "never"}) is None


def openai_requests(left: int, seconds: float, tokens: int) -> dict[str, str]:
    return {
        "x-ratelimit-remaining-requests": str(left),
        "x-ratelimit-reset-requests": f"{math.ceil(seconds * 1000)}ms",
        "x-ratelimit-remaining-tokens": "9999999",
        "x-ratelimit-reset-tokens": "0s",
    }


def openai_tokens(left: int, seconds: float, tokens: int) -> dict[str, str]:
    return {
        "x-ratelimit-remaining-tokens": str(left * tokens),
        "x-ratelimit-reset-tokens": f"0m{seconds + 0.001:.3f}s",
    }


def ietf(left: int, seconds: float, tokens: int) -> dict[str, str]:
    return {"RateLimit-Remaining": str(left), "RateLimit-Reset": str(math.ceil(seconds))}


def anthropic(left: int, seconds: float, tokens: int) -> dict[str, str]:
    now = datetime.now(UTC).replace(microsecond=0) - timedelta(days=3)  # its clock is wrong
    reset = now + timedelta(seconds=math.ceil(seconds) + 1)
    return {
        "anthropic-ratelimit-requests-remaining": str(left),
        "anthropic-ratelimit-requests-reset": reset.isoformat().replace("+00:00", "Z"),
        "Date": format_datetime(now, usegmt=True),
    }


Told = Callable[[int, float, int], dict[str, str]]


def ration(server: ModelServer, told: Told) -> Counter[str]:
    """Let a server answer 40 requests in each half second, and refuse the others."""
    counts: Counter[str] = Counter()
    answer_all, window, most = server._answer, 0.5, 40
    until, left = 0.0, 0

    async def answer(request: web.Request, answered: Any) -> web.StreamResponse:
        nonlocal until, left
        if time.monotonic() >= until:
            until, left = time.monotonic() + window, most
            counts["windows"] += 1
        if left == 0:
            counts["refused"] += 1
            return web.Response(status=429)
        left -= 1
        mine = left
        response = await answer_all(request, answered)
        tokens = json.loads(response.body)["usage"].get("total_tokens", 0)  # type: ignore[attr-defined]
        response.headers.update(told(mine, max(0.0, until - time.monotonic()), tokens))
        return response

    server._answer = answer  # type: ignore[method-assign,assignment]
    server.delay = 0.01
    return counts


class Words(BaseModel):
    words: int


@pytest.mark.parametrize(
    ("kind", "provider", "told"),
    [
        (OpenAIServer, "openai", openai_requests),
        (OpenAIServer, "openai", openai_tokens),
        pytest.param(OpenAIServer, "openai", ietf, marks=pytest.mark.slow),
        pytest.param(AnthropicServer, "anthropic", anthropic, marks=pytest.mark.slow),
    ],
)
def test_a_limit_that_the_server_tells_is_not_run_into(
    gateway: Make,
    monkeypatch: pytest.MonkeyPatch,
    kind: type[ModelServer],
    provider: str,
    told: Told,
) -> None:
    server = kind()
    counts = ration(server, told)
    monkeypatch.setenv(f"{provider.upper()}_BASE_URL", server.url)  # type: ignore[attr-defined]
    rows = [Prompt("Count.", f"row {n:03d}") for n in range(100)]
    assert gateway().generate(f"{provider}:good", rows, Words).complete
    server.close()
    assert counts["windows"] >= 3
    assert counts["refused"] == 0


@pytest.fixture
def server() -> Iterator[CompatibleServer]:
    started = CompatibleServer()
    yield started
    started.close()


@pytest.fixture
def late(server: CompatibleServer, gateway: Make) -> Callable[..., tuple[Gateway, str]]:
    """Makes gateways that ask a second time after 50 ms."""

    def make(*, replays: bool = False, **settings: Any) -> tuple[Gateway, str]:
        model = connect(f"{server.url}#good")
        model.capabilities = Capabilities("log-probabilities", parts=1, replays=replays)
        limits = Limits(in_flight=4, hedge_after=0.05)
        prices = {model.name: Price(10**9, 0)}
        return gateway(model, limits=limits, prices=prices, **settings), model.name

    return make


@pytest.mark.parametrize("replays", [False, True])
def test_a_late_request_is_sent_again_and_both_are_paid_for(
    server: CompatibleServer, late: Late, ledger: Ledger, replays: bool
) -> None:
    opened, name = late(replays=replays)

    async def only_first(number: int, body: object) -> web.StreamResponse | None:
        server.delay = 30.0 if number == 1 else 0.0
        return None

    server.fault = only_first
    choices = opened.choose(name, [Prompt("Which?", "sport")], ["sport", "money"])
    assert choices.best == ["sport"]
    assert len(server.received) == 2
    answered, lost = sorted((each.body for each in ledger.entries("call")),
                            key=lambda body: body["status"] != "answered")  # fmt: skip
    assert lost["status"] == ("replayed" if replays else "lost")
    assert lost["money"] == (0 if replays else answered["money"])
    assert opened.spend.money == answered["money"] + lost["money"] > 0
    assert opened.spend.unsettled == 0


def test_what_is_answered_in_time_is_not_sent_again(server: CompatibleServer, late: Late) -> None:
    opened, name = late()
    rows = [Prompt("Which?", f"sport {n}") for n in range(20)]
    assert opened.choose(name, rows, ["sport", "money"]).complete
    assert len(server.received) == 20


def test_a_second_request_keeps_to_the_budget(server: CompatibleServer, late: Late) -> None:
    server.delay = 0.3
    opened, name = late(budget=Budget(calls=1))
    assert opened.choose(name, [Prompt("Which?", "sport")], ["sport", "money"]).complete
    assert len(server.received) == opened.spend.calls == 1
