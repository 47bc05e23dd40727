from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any

import pytest
from model_servers import KEY, OpenAIServer

from assay.errors import InputError
from assay.ledger import Ledger
from assay.ledger.spending import models_asked, spending
from assay.llm import Budget, Gateway, Prompt, ScriptedModel, telemetry
from assay.llm.counting import count_tokens
from assay.llm.model import Price, RowError
from assay.llm.pricing import per_million, price_of

Make = Callable[..., Gateway]


def prompts(count: int) -> list[Prompt]:
    return [Prompt("Which?", str(index)) for index in range(count)]


def test_prices_come_from_the_list_and_the_users_own_go_first() -> None:
    pytest.importorskip("genai_prices")
    listed = price_of("openai:gpt-4o-mini", {})
    assert 0 < listed.read < listed.write
    own = {"openai:gpt-4o-mini": Price(1, 2)}
    assert price_of("openai:gpt-4o-mini", own) == Price(1, 2)
    assert price_of("local:smollm2-135m", {}) == Price()
    assert price_of("ollama:anything", {}) == Price()
    assert price_of("http://127.0.0.1:8000/v1#x", {}) == Price()
    with pytest.raises(InputError, match="unpriced-ok"):
        price_of("openai:no-such-model", {})
    with pytest.raises(InputError, match="unpriced-ok"):
        price_of("https://example.org/v1#x", {})
    assert price_of("openai:no-such-model", {}, unpriced_ok=True) == Price()


def test_a_million_tiny_prices_add_up_exactly() -> None:
    price = per_million(0.15, 0.6)
    assert price == Price(150_000, 600_000)


def test_the_cap_on_money_holds_and_the_ledger_adds_up(gateway: Make, ledger: Ledger) -> None:
    model = ScriptedModel(seconds=0.002)  # 2 tokens read, 1 written
    prices = {model.name: per_million(1_000_000, 2_000_000)}  # 1 and 2 dollars a token
    opened = gateway(model, budget=Budget(money=22.0), prices=prices, capability="label")
    choices = opened.choose(model.name, prompts(30), ["a", "b"])
    assert (choices.status == "answered").sum() == 5
    assert opened.spend.money == 20.0
    assert opened.spend.unsettled == 0.0
    (spent,) = spending(ledger, "model")
    assert (spent.group, spent.calls, spent.money) == (model.name, 5, 20.0)
    assert spending(ledger, "capability")[0].group == "label"
    assert len(spending(ledger, "day")) == 1
    run = ledger.entries("run")[-1].id
    assert models_asked(ledger, run) == [model.name]
    assert spending(ledger, run=run) == [spent]
    other = ledger.start_run("other", {})
    assert (models_asked(ledger, other), spending(ledger, run=other)) == ([], [])
    assert spending(ledger, "run")[0].group.startswith("run-")
    with pytest.raises(InputError, match="capability"):
        spending(ledger, "weather")


def test_failed_calls_cost_what_they_cost(gateway: Make) -> None:
    from assay.llm.model import RowError, Usage

    refusal = RowError("refused", kind="refused", usage=Usage(10, 0))
    model = ScriptedModel(lambda *_: refusal)
    opened = gateway(model, prices={model.name: per_million(1_000_000, 0)})
    opened.choose(model.name, prompts(2), ["a", "b"])
    assert opened.spend.money == 20.0


@pytest.fixture
def server(monkeypatch: pytest.MonkeyPatch) -> Iterator[OpenAIServer]:
    monkeypatch.delenv("ASSAY_NO_REAL_MODELS")
    started = OpenAIServer()
    monkeypatch.setenv("OPENAI_BASE_URL", started.url)
    monkeypatch.setenv("OPENAI_API_KEY", KEY)
    yield started
    started.close()


def test_an_estimate_is_made_of_the_real_prompts_before_anything_is_sent(
    server: OpenAIServer, gateway: Make
) -> None:
    opened = gateway(prices={"openai:good": per_million(1, 4)})
    rows = [Prompt("Say what it is about.", f"{n} " + "some plain words " * 20) for n in range(20)]
    opened.choose("openai:good", rows[:5], ["sport", "money"])
    sent = len(server.received)
    told = opened.estimate("openai:good", rows, ["sport", "money"])
    assert len(server.received) == sent
    assert (told.rows, told.cached, told.requests) == (20, 5, 30)
    assert told.money <= told.worst_money
    before = opened.spend
    opened.choose("openai:good", rows, ["sport", "money"])
    spent = opened.spend
    assert told.worst_money >= spent.money - before.money
    assert abs(told.error(spent.tokens - before.tokens, 0)) < 0.5  # the server counts words


@pytest.mark.parametrize(
    ("text", "tokens"),
    [("", 0), ("hello world", 2), ("internationalization", 4), ("12345", 2), ("日本語", 3)],
)
def test_tokens_are_counted_about_right(text: str, tokens: int) -> None:
    assert count_tokens(text) == tokens


def test_nothing_is_traced_unless_it_is_set_up() -> None:
    assert not telemetry.is_on()


def test_spans_follow_the_conventions_and_hold_no_text(gateway: Make, spans: Any) -> None:
    model = ScriptedModel(lambda p, _: RowError("canary", kind="refused") if p.text == "1" else "a")
    opened = gateway(model)
    opened.choose(model.name, prompts(2), ["a", "b"])
    opened.embed(model.name, ["canary one", "two"])
    finished = spans.get_finished_spans()
    (embedded,) = [each for each in finished if each.name == "embeddings model"]
    assert embedded.attributes["gen_ai.operation.name"] == "embeddings"
    assert embedded.attributes["gen_ai.usage.input_tokens"] == 3
    assert embedded.attributes["gen_ai.embeddings.dimension.count"] == 32
    assert "canary" not in embedded.to_json()
    asked = [each for each in finished if each is not embedded]
    by_error = {each.attributes.get("error.type"): each for each in asked}
    good = by_error[None]
    assert good.name == "chat model"
    assert good.attributes["gen_ai.request.model"] == "model"
    assert good.attributes["gen_ai.usage.input_tokens"] == 2
    assert "canary" not in by_error["refused"].to_json()
