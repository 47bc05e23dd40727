"""Questions in batches over real HTTP, against servers that refuse what the real ones refuse."""

from __future__ import annotations

import time
from collections.abc import Callable
from typing import Any

import numpy as np
import pytest
from aiohttp import web
from pydantic import BaseModel

from assay.errors import InputError, ModelError
from assay.ledger import Ledger
from assay.ledger.batches import BatchBook
from assay.llm import Budget, Example, Gateway, Prompt
from assay.llm.model import Price

Make = Callable[..., Gateway]
Serve = Callable[[str], tuple[Any, str]]
OPTIONS = ["sport", "money"]
PROVIDERS = ["openai", "openai-responses", "anthropic", "http"]
PRICE = Price(1_000_000, 3_000_000)


class Words(BaseModel):
    words: int


def rows(count: int, start: int = 0) -> list[Prompt]:
    example = (Example("a match", "sport"),)
    return [
        Prompt("What is it about?", f"row {n} {OPTIONS[n % 2]}", example)
        for n in range(start, start + count)
    ]


@pytest.mark.parametrize("provider", PROVIDERS)
def test_a_batch_answers_as_a_live_model_does(
    serve: Serve, gateway: Make, provider: str, tmp_path: Any
) -> None:
    server, name = serve(provider)
    opened = gateway(batch=True, prices={name: PRICE})
    choices = opened.choose(name, rows(30), OPTIONS)
    objects = opened.generate(name, rows(5), Words)
    assert choices.complete
    assert objects.complete
    assert server.received == []  # nothing was asked live
    assert len(server.batches) == 2
    with Ledger.open(tmp_path / "other.sqlite") as other, Gateway(other, prices={name: PRICE}) as g:
        live = g.choose(name, rows(30), OPTIONS)
        assert np.array_equal(live.probabilities, choices.probabilities)
        assert live.how == choices.how
        assert list(g.generate(name, rows(5), Words)) == list(objects)
        whole = g.spend.money
    share = 1.0 if provider == "http" else 0.5
    assert opened.spend.money == pytest.approx(share * whole)
    assert opened.spend.unsettled == 0.0


def test_a_batch_is_one_span(serve: Serve, gateway: Make, spans: Any) -> None:
    _, name = serve("openai")
    gateway(batch=True).choose(name, rows(4), OPTIONS)
    (span,) = spans.get_finished_spans()
    assert span.name == "chat good"
    assert span.attributes["gen_ai.provider.name"] == "openai"
    assert span.attributes["assay.batch.requests"] == 8
    assert "sport" not in span.to_json()


def test_what_a_batch_answered_is_not_asked_again_nor_live(serve: Serve, gateway: Make) -> None:
    server, name = serve("openai")
    gateway(batch=True).choose(name, [*rows(4), *rows(2)], OPTIONS)  # two rows come twice
    assert sum(server.asked.values()) == 4 * 2  # in two orders of the options
    again = gateway(batch=True).choose(name, rows(4), OPTIONS)
    live = gateway().choose(name, rows(4), OPTIONS)
    assert again.cached.all()
    assert live.cached.all()
    assert len(server.batches) == 1
    assert server.received == []


@pytest.mark.parametrize("provider", ["openai", "anthropic"])
def test_rows_fail_alone_each_with_its_reason(serve: Serve, gateway: Make, provider: str) -> None:
    server, name = serve(provider)
    prompts = [*rows(6), Prompt("What?", "bad \ud800 text")]
    server.missing = {prompts[1].text}
    server.twice = {prompts[2].text}
    result = gateway(batch=True).generate(name, prompts, Words)
    assert result.status.tolist() == [
        "answered", "failed", "failed", "answered", "answered", "answered", "failed"
    ]  # fmt: skip
    assert "do not hold this row" in result.why[1]
    assert "twice" in result.why[2]
    assert "Unicode" in result.why[6]
    server.missing, server.twice = set(), set()
    retried = gateway(batch=True).generate(name, prompts, Words)
    assert retried.status.tolist() == [
        "cached", "answered", "answered", "cached", "cached", "cached", "failed"
    ]  # fmt: skip


@pytest.mark.parametrize("provider", ["openai", "anthropic"])
def test_a_row_that_the_provider_refuses_fails_alone(
    serve: Serve, gateway: Make, provider: str
) -> None:
    from model_servers import RefusalError

    server, name = serve(provider)

    def refuse(body: dict[str, Any]) -> None:
        if body["messages"][-1]["content"].startswith("row 1 "):
            raise RefusalError(400, "prompt is too long: maximum 10 tokens")

    live = "chat" if provider == "openai" else "messages"
    answer = getattr(server, live)
    setattr(server, live, lambda request, body: refuse(body) or answer(request, body))
    result = gateway(batch=True).generate(name, rows(3), Words)
    assert result.status.tolist() == ["answered", "failed", "answered"]
    assert result.why[1].startswith("The text is too long for the model.")


@pytest.mark.parametrize("provider", ["openai", "anthropic"])
def test_invalid_answers_are_asked_again_in_a_further_batch(
    serve: Serve, gateway: Make, provider: str, ledger: Ledger
) -> None:
    server, name = serve(provider)

    def invalid_at_first(body: dict[str, Any]) -> dict[str, Any] | None:
        told = "last answer was not valid" in str(body)
        bad = "row 3 " in str(body["messages"][-1]) and not told
        return {"words": "many"} if bad or "row 4 " in str(body["messages"][-1]) else None

    server.objects = invalid_at_first
    opened = gateway(batch=True, prices={name: PRICE})
    result = opened.generate(name, rows(6), Words)
    assert result.status.tolist() == ["answered"] * 4 + ["failed", "answered"]
    assert "words: Input should be a valid integer" in result.why[4]
    assert len(server.batches) == 3
    statuses = [each.body["status"] for each in ledger.entries("call")]
    assert {word: statuses.count(word) for word in set(statuses)} == {
        "answered": 5, "invalid": 3, "failed": 1
    }  # fmt: skip
    read, written = server.tokens
    half = (PRICE.read * read + PRICE.write * written) / 2e12
    assert opened.spend.money == pytest.approx(half)


@pytest.mark.parametrize("provider", ["openai", "anthropic"])
def test_rows_of_an_expired_batch_are_asked_by_the_next_command(
    serve: Serve, gateway: Make, provider: str
) -> None:
    server, name = serve(provider)
    server.processed = 4
    opened = gateway(batch=True, prices={name: PRICE})
    result = opened.generate(name, rows(6), Words)
    assert result.status.tolist() == ["answered"] * 4 + ["unasked"] * 2
    assert result.why[5] == "the batch expired before this row's turn"
    assert opened.spend.calls == 4
    assert opened.spend.unsettled == 0.0
    server.processed = None
    again = gateway(batch=True).generate(name, rows(6), Words)
    assert again.status.tolist() == ["cached"] * 4 + ["answered"] * 2


def test_a_batch_that_is_refused_as_a_whole_is_one_clear_error(serve: Serve, gateway: Make) -> None:
    server, name = serve("openai")
    server.failure = {"code": "model_not_found", "message": "The model is not for batches"}
    opened = gateway(batch=True, prices={name: PRICE})
    with pytest.raises(ModelError, match="model_not_found: The model is not for batches"):
        opened.choose(name, rows(3), OPTIONS)
    assert opened.spend.unsettled == 0.0
    server.failure = {"code": "token_limit_exceeded", "message": "Enqueued token limit reached"}
    result = opened.choose(name, rows(3), OPTIONS)  # that passes when other batches have ended
    assert "Enqueued token limit" in result.why[0]
    server.failure = None
    assert opened.choose(name, rows(3), OPTIONS).complete


def test_a_wrong_key_stops_at_once_and_nothing_stays_reserved(
    serve: Serve, gateway: Make, monkeypatch: pytest.MonkeyPatch
) -> None:
    server, name = serve("anthropic")
    monkeypatch.setenv("ANTHROPIC_API_KEY", "sk-wrong-0123456789")
    opened = gateway(batch=True, prices={name: PRICE})
    with pytest.raises(ModelError, match="ANTHROPIC_API_KEY"):
        opened.generate(name, rows(3), Words)
    assert opened.spend.unsettled == 0.0
    assert server.batches == {}


@pytest.mark.parametrize("provider", ["openai", "anthropic"])
def test_rows_beyond_the_providers_limits_go_in_further_batches(
    serve: Serve, gateway: Make, provider: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    from assay.llm.batch import anthropic, openai

    module = openai if provider == "openai" else anthropic
    server, name = serve(provider)
    monkeypatch.setattr(module, "MOST_ROWS", 10)
    monkeypatch.setattr(type(server), "most_rows", 10)
    assert gateway(batch=True).generate(name, rows(25), Words).complete
    assert len(server.batches) == 3
    monkeypatch.setattr(module, "MOST_ROWS", 1000)
    monkeypatch.setattr(module, "MOST_BYTES", 3000)
    monkeypatch.setattr(type(server), "most_bytes", 3000)
    prompts = [*rows(8, start=100), Prompt("What?", "long " * 2000)]
    result = gateway(batch=True).generate(name, prompts, Words)
    assert result.status.tolist() == ["answered"] * 8 + ["failed"]
    assert "too long for a batch" in result.why[8]
    assert len(server.batches) > 4


def test_a_cap_holds_and_settled_prices_make_room_for_more(serve: Serve, gateway: Make) -> None:
    server, name = serve("openai")
    prompts = rows(400)
    told = gateway(batch=True, prices={name: PRICE}).estimate(name, prompts, Words)
    opened = gateway(batch=True, prices={name: PRICE}, budget=Budget(money=told.worst_money / 2))
    result = opened.generate(name, prompts, Words)
    assert result.complete  # what came back was far cheaper than the worst case
    assert len(server.batches) > 1
    assert opened.spend.money <= told.worst_money / 2
    little = gateway(batch=True, budget=Budget(calls=3)).generate(name, rows(9, 1000), Words)
    assert little.status.tolist() == ["answered"] * 3 + ["unasked"] * 6
    assert little.why[8] == "the budget's cap on calls was reached"


def test_the_estimate_shows_half_the_price(serve: Serve, gateway: Make) -> None:
    _, name = serve("openai")
    whole = gateway(prices={name: PRICE}).estimate(name, rows(9), OPTIONS)
    half = gateway(batch=True, prices={name: PRICE}).estimate(name, rows(9), OPTIONS)
    assert half.money == pytest.approx(whole.money / 2)
    assert half.worst_money == pytest.approx(whole.worst_money / 2)
    assert half.question == "choose in batches"


def test_waiting_ends_with_the_minutes_and_the_batch_goes_on(
    serve: Serve, gateway: Make, ledger: Ledger
) -> None:
    server, name = serve("anthropic")
    server.held = True
    opened = gateway(batch=True, prices={name: PRICE}, budget=Budget(minutes=0.005))
    result = opened.generate(name, rows(4), Words)
    assert set(result.status) == {"unasked"}
    assert "goes on at the provider" in result.why[0]
    assert opened.spend.unsettled > 0
    (batch,) = BatchBook(ledger).open()
    assert batch.remote == "msgbatch_0"
    server.held = False
    # Another run collects it; the price stays with the run that reserved it.
    later = gateway(batch=True, prices={name: PRICE})
    assert later.generate(name, rows(4), Words).complete
    assert len(server.batches) == 1
    assert later.spend.money == 0.0
    assert opened.spend.money > 0.0
    assert opened.spend.unsettled == 0.0
    assert BatchBook(ledger).open() == []


def test_rows_answered_live_meanwhile_are_still_settled_at_the_price_of_the_batch(
    serve: Serve, gateway: Make, ledger: Ledger
) -> None:
    server, name = serve("openai")
    server.held = True
    opened = gateway(batch=True, prices={name: PRICE}, budget=Budget(minutes=0.005))
    opened.generate(name, rows(4), Words)
    gateway().generate(name, rows(4), Words)
    server.held = False
    later = gateway(batch=True, prices={name: PRICE})
    while BatchBook(ledger).open():  # nobody waits for it; each question looks once
        assert later.generate(name, rows(4), Words).cached.all()
    assert opened.spend.unsettled == 0.0
    read, written = server.tokens
    assert opened.spend.money == pytest.approx((PRICE.read * read + PRICE.write * written) / 2e12)


def test_a_provider_that_asks_to_wait_is_asked_again_and_not_taken_for_a_thief(
    serve: Serve, gateway: Make, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Several batches of as many rows, and a 429 or a 500 between them."""
    from assay.llm.batch import anthropic

    server, name = serve("anthropic")
    monkeypatch.setattr(anthropic, "MOST_ROWS", 5)
    refusals = [200, 429, 200, 500, 200]

    async def busy(request: web.Request, handle: Any) -> web.StreamResponse:
        status = refusals.pop(0) if request.method == "POST" and refusals else 200
        if status == 200:
            return await handle(request)
        return web.json_response({"error": {"message": "wait"}}, status=status)

    server.between = busy
    assert gateway(batch=True).generate(name, rows(15), Words).complete
    assert len(server.batches) == 3
    assert refusals == []


class SlowRows(list[Prompt]):
    def __getitem__(self, index: Any) -> Any:
        time.sleep(0.02)
        return super().__getitem__(index)


def test_minutes_that_end_while_rows_are_packed_leave_each_with_its_reason(
    serve: Serve, gateway: Make, monkeypatch: pytest.MonkeyPatch
) -> None:
    from assay.llm.batch import submitting

    server, name = serve("openai")
    monkeypatch.setattr(submitting, "AT_ONCE", 2)
    opened = gateway(batch=True, prices={name: PRICE}, budget=Budget(minutes=0.3 / 60))
    result = opened.generate(name, SlowRows(rows(10)), Words)  # 0.2 s to read, 0.2 s to pack
    assert set(result.status) == {"unasked"}
    assert [result.why[row] for row in range(10)] == [
        "the budget's cap on minutes was reached"
    ] * 10  # fmt: skip
    assert server.batches == {}
    assert opened.spend.unsettled == 0.0


@pytest.mark.parametrize("name", ["gemini:good", "mistral:good", "groq:good"])
def test_a_provider_without_batches_is_a_clear_mistake(
    gateway: Make, monkeypatch: pytest.MonkeyPatch, name: str
) -> None:
    for provider in ("GEMINI", "MISTRAL", "GROQ"):
        monkeypatch.setenv(f"{provider}_API_KEY", "k" * 20)
    opened = gateway(batch=True)
    with pytest.raises(InputError, match=r"takes no batches.*openai:MODEL.*without --batch"):
        opened.generate(name, rows(1), Words)


@pytest.mark.parametrize("provider", ["openai", "anthropic"])
@pytest.mark.parametrize("taken", [True, False])
def test_a_connection_that_breaks_on_submission_pays_once(
    serve: Serve, gateway: Make, provider: str, taken: bool
) -> None:
    """The server answers 500 to the first submission, which it has taken or not."""
    server, name = serve(provider)
    path = "/v1/batches" if provider == "openai" else "/v1/messages/batches"
    times = 0

    async def breaks_once(request: web.Request, handle: Any) -> web.StreamResponse:
        nonlocal times
        is_submission = (request.method, request.path) == ("POST", path)
        times += is_submission
        if not is_submission or times > 1:
            return await handle(request)
        if taken:
            await handle(request)
        return web.json_response({"error": {"message": "oops"}}, status=500)

    server.between = breaks_once
    opened = gateway(batch=True)
    if provider == "anthropic" and taken:
        # Its batches carry no token: which one is ours shows when they have ended.
        with pytest.raises(ModelError, match="may have taken"):
            opened.generate(name, rows(4), Words)
        opened = gateway(batch=True)
    assert opened.generate(name, rows(4), Words).complete
    assert len(server.batches) == 1
    assert set(server.asked.values()) == {1}


def test_results_that_are_kept_no_longer_count_as_paid_and_are_asked_anew(
    serve: Serve, gateway: Make
) -> None:
    server, name = serve("anthropic")
    server.held = True
    opened = gateway(batch=True, prices={name: PRICE}, budget=Budget(minutes=0.005))
    opened.generate(name, rows(4), Words)
    reserved = opened.spend.unsettled
    server.batches.pop("msgbatch_0")
    server.held = False
    server.batches["other"] = {"id": "other", "request_counts": {}}
    later = gateway(batch=True, prices={name: PRICE})
    assert later.generate(name, rows(4), Words).complete
    assert opened.spend.unsettled == 0.0
    assert opened.spend.money == pytest.approx(reserved)


@pytest.mark.slow
def test_what_leaves_is_redacted_and_put_back(
    serve: Serve, gateway: Make, monkeypatch: pytest.MonkeyPatch
) -> None:
    from assay.llm.privacy import Privacy

    class Owner(BaseModel):
        owner: str

    server, _ = serve("http")
    name, address = "http://models.example.org/v1#good", "ann@example.org"
    monkeypatch.setenv("HTTP_PROXY", f"http://127.0.0.1:{server.port}")  # stands for that host
    server.objects = lambda body: {"owner": _last_word(body)}
    opened = gateway(batch=True, privacy=Privacy(policy="redact", hosts=("models.example.org",)))
    (found,) = opened.generate(name, [Prompt("Who owns it?", f"It belongs to {address}")], Owner)
    assert found == Owner(owner=address)
    assert server.files
    assert not any(address.encode() in file for file in server.files.values())
    elsewhere = gateway(batch=True, privacy=Privacy(policy="redact", hosts=("example.org",)))
    with pytest.raises(ModelError, match="does not allow this host"):
        elsewhere.generate(name, rows(1), Owner)
    with pytest.raises(ModelError, match="only models on this machine"):
        gateway(batch=True, privacy=Privacy(policy="local")).generate(name, rows(1), Owner)


def _last_word(body: dict[str, Any]) -> str:
    return str(body["messages"][-1]["content"].split()[-1])


def test_an_answer_to_other_words_is_not_taken_for_an_answer_to_these(
    serve: Serve, gateway: Make, monkeypatch: pytest.MonkeyPatch
) -> None:
    """As when another version of Assay words the same question differently."""
    from assay.llm.providers import remote

    server, name = serve("openai")
    server.held = True
    gateway(batch=True, budget=Budget(minutes=0.005)).generate(name, rows(2), Words)
    server.held = False
    monkeypatch.setattr(remote, "DATA_RULE", "Data.")
    result = gateway(batch=True).generate(name, rows(2), Words)
    assert set(result.status) == {"failed"}
    assert "worded differently" in result.why[0]
    assert gateway(batch=True).generate(name, rows(2), Words).complete


def test_progress_tells_state_and_counts(serve: Serve, gateway: Make) -> None:
    _, name = serve("openai")
    seen: list[Any] = []
    gateway(batch=True, progress=seen.append).generate(name, rows(4), Words)
    told = [each.what for each in seen]
    assert f"generate: {name} (batch in progress)" in told
    last = next(each for each in seen if "completed" in each.what)
    assert (last.done, last.total) == (4, 4)


def test_looks_grow_rarer_from_a_second_to_a_minute(monkeypatch: pytest.MonkeyPatch) -> None:
    from types import SimpleNamespace

    from assay.llm.batch import waiting
    from assay.llm.batch.server import State

    monkeypatch.undo()
    pauses: list[float] = []
    monkeypatch.setattr(waiting.time, "sleep", pauses.append)
    looks = iter([*[State("in_progress")] * 30, State("completed", ended=True)])
    job: Any = SimpleNamespace(
        holding=SimpleNamespace(beat=lambda: None),
        terms=SimpleNamespace(deadline=float("inf")),
        loop=SimpleNamespace(run=lambda state: state),
        server=SimpleNamespace(state=lambda remote: next(looks)),
        tell=lambda *_: None,
    )
    assert [state.word for _, state in waiting.Waiting(job, ["b"]).ended()] == ["completed"]
    assert pauses[0] == 1.0
    assert pauses == sorted(pauses)
    assert pauses[-1] == 60.0
