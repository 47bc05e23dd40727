from __future__ import annotations

import json
import re
from collections.abc import Callable
from pathlib import Path
from typing import Any, Literal

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from model_servers import KEY, CompatibleServer
from pydantic import BaseModel, Field, ValidationError

from assay.errors import ModelError
from assay.ledger import Ledger
from assay.llm import Gateway, Prompt
from assay.llm.model import Capabilities
from assay.llm.privacy import Privacy
from assay.llm.privacy.finders import Span, entropy, iban, luhn, without_overlaps
from assay.llm.privacy.plants import PLANTS, recall
from assay.llm.privacy.redaction import RedactedModel, Redactor
from assay.llm.providers import connect

TEXTS = [
    "Shares rose 4.5 percent on 12 March 1987, more than analysts had expected",
    "please reset my account, invoice 2023-114 was charged twice",
    "output of 4,200,000 barrels a day is planned at 17.50 dlrs a barrel",
] * 20
plain = Redactor(names=False)


@pytest.mark.parametrize("kind", sorted(set(PLANTS) - {"PERSON"}))
def test_patterns_find_what_is_planted(kind: str) -> None:
    assert recall(plain, TEXTS, {kind: PLANTS[kind]})[kind] >= 0.99


def test_ordinary_text_is_left_alone() -> None:
    for text in TEXTS[:3]:
        assert plain.begin().hide(text) == text


def test_recall_counts_what_survives() -> None:
    assert recall(plain, TEXTS, {"WORD": lambda index: f"word{index}"}) == {"WORD": 0.0}


@given(
    st.lists(st.sampled_from(sorted(set(PLANTS) - {"PERSON"})), min_size=1, max_size=5), st.data()
)
@settings(max_examples=60, deadline=None)
def test_what_is_hidden_comes_back_exactly(kinds: list[str], data: st.DataObject) -> None:
    values = [PLANTS[kind](data.draw(st.integers(0, 400))) for kind in kinds]
    text = " and ".join(values) + " again " + values[0]
    redaction = plain.begin()
    hidden = redaction.hide(text)
    assert not any(value in hidden for value in values)
    assert redaction.restore({"answer": [hidden]}) == {"answer": [text]}
    assert redaction.hide(text) == hidden


def test_one_value_has_one_placeholder_in_a_prompt() -> None:
    redactor = Redactor({"BADGE": r"\bB-\d{4}\b"}, names=False)
    hidden = redactor.begin().hide_prompt(Prompt("Ask B-1234.", "B-1234 met B-9999 at a@b.org"))
    assert hidden == Prompt("Ask <BADGE_1>.", "<BADGE_1> met <BADGE_2> at <EMAIL_1>")


def test_patterns_must_be_usable() -> None:
    with pytest.raises(ValidationError, match="capitals"):
        Privacy(patterns={"badge": "x"})
    with pytest.raises(ValidationError, match="BADGE is not usable"):
        Privacy(patterns={"BADGE": "("})


def test_checksums() -> None:
    assert luhn("4111 1111 1111 1111")
    assert not luhn("4111 1111 1111 1112")
    assert iban("GB82 WEST 1234 5698 7654 32")
    assert not iban("GB82 WEST 1234 5698 7654 33")
    assert entropy("aaaa") == 0
    joined = without_overlaps([Span(3, 5, "B"), Span(0, 4, "A"), Span(7, 8, "C")])
    assert joined == [Span(0, 5, "A"), Span(7, 8, "C")]


class Echo(BaseModel):
    text: str


class Owner(BaseModel):
    """Kept by keeper@corp.example."""

    owner: Literal["anna@corp.example", "bob@corp.example"] = Field(
        description="as told by chief@corp.example", examples=["eve@corp.example"]
    )


class Report(BaseModel):
    """Owners in definitions, in lists, by names and by default."""

    first: Owner
    others: list[Owner] = []
    note: Literal["of dan@corp.example"] | None = "of dan@corp.example"
    badge: str = Field(alias="B-1234", pattern="^(B-1234|none)$")


def test_no_part_of_a_schema_tells_what_a_prompt_hides() -> None:
    redaction = Redactor({"BADGE": r"B-\d{4}"}, names=False).begin()
    hidden = redaction.hide_prompt(Prompt("Copy.", "Of anna@corp.example"))
    schema = Report.model_json_schema()
    form = redaction.hide_schema(schema)
    assert hidden.text == "Of <EMAIL_1>"
    assert not re.findall(r"\w+@corp|B-\d{4}", json.dumps(form))
    assert form["$defs"]["Owner"]["properties"]["owner"]["enum"][0] == "<EMAIL_1>"
    assert form["properties"]["first"] == {"$ref": "#/$defs/Owner"}
    assert "<BADGE_1>" in form["required"]
    assert redaction.restore(form) == schema


def test_what_was_found_in_a_prompt_is_hidden_in_its_schema_without_its_context() -> None:
    redaction = Redactor({"CUSTOMER": r"(?<=customer )\w+"}, names=False).begin()
    redaction.hide_prompt(Prompt("", "the customer Okafor"))
    schema = {"properties": {"Okafor": {"enum": ["Okafor & Sons", "Okafors"], "type": "string"}}}
    assert redaction.hide_schema(schema) == {
        "properties": {
            "<CUSTOMER_1>": {"enum": ["<CUSTOMER_1> & Sons", "Okafors"], "type": "string"}
        }
    }


def test_the_grammar_of_a_schema_stays() -> None:
    redaction = Redactor({"WORD": "string|date|type"}, names=False).begin()
    schema = {"type": "object", "properties": {"a": {"type": ["string", "null"], "format": "date"}}}
    assert redaction.hide_schema(schema) == schema


@pytest.fixture
def echo(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Callable[..., CompatibleServer]:
    """A server that answers with the text that it was sent."""
    monkeypatch.delenv("ASSAY_NO_REAL_MODELS")
    monkeypatch.setenv("ASSAY_API_KEY", KEY)
    server = CompatibleServer()
    monkeypatch.setattr("model_servers.object_for", lambda schema, system, text: {"text": text})
    yield server  # type: ignore[misc]
    server.close()


@settings(max_examples=15, deadline=None)
@given(index=st.integers(0, 10**6))
def test_no_canary_reaches_the_server_or_the_events(index: int) -> None:
    values = [make(index) for kind, make in PLANTS.items() if kind != "PERSON"]
    redaction = plain.begin()
    hidden = redaction.hide_prompt(Prompt(f"Mind {values[0]}.", " ; ".join(values)))
    sent = hidden.instructions + hidden.text
    assert not [value for value in values if value in sent]


def test_a_redacted_model_sends_placeholders_and_answers_in_full(
    echo: CompatibleServer, ledger: Ledger
) -> None:
    remote = connect(f"{echo.url}#good")
    remote.capabilities = Capabilities("log-probabilities", parts=1, generate=True)
    model = RedactedModel(remote, Redactor(names=False))
    canary = PLANTS["EMAIL"](3)
    with Gateway(ledger, models={model.name: model}) as gateway:
        made = gateway.generate(model.name, [Prompt("Copy.", f"Write to {canary} today")], Echo)
        gateway.choose(model.name, [Prompt("Which?", f"{canary} sport")], ["sport", "money"])
    assert list(made) == [Echo(text=f"Write to {canary} today")]
    assert len(echo.received) == 2
    assert canary not in str(echo.received)


def test_a_schema_leaves_without_identifiers_and_its_values_come_back(
    echo: CompatibleServer, ledger: Ledger, monkeypatch: pytest.MonkeyPatch
) -> None:
    def first(schema: dict[str, Any], system: str, text: str) -> dict[str, Any]:
        return {"owner": schema["properties"]["owner"]["enum"][0]}

    monkeypatch.setattr("model_servers.object_for", first)
    remote = connect(f"{echo.url}#good")
    remote.capabilities = Capabilities("log-probabilities", parts=1, generate=True)
    model = RedactedModel(remote, Redactor(names=False))
    with Gateway(ledger, models={model.name: model}) as gateway:
        made = gateway.generate(model.name, [Prompt("Whose?", "this one")], Owner)
    assert list(made) == [Owner(owner="anna@corp.example")]
    assert "@corp" not in str(echo.received)


def test_the_policy_decides_what_may_be_asked(
    monkeypatch: pytest.MonkeyPatch, ledger: Ledger
) -> None:
    monkeypatch.delenv("ASSAY_NO_REAL_MODELS")
    monkeypatch.setenv("OPENAI_API_KEY", "sk-canary-0123456789abcdef")
    ask = ("openai:gpt-4o-mini", [Prompt("Which?", "x")], ["a", "b"])
    with Gateway(ledger, privacy=Privacy()) as gateway, pytest.raises(ModelError) as told:
        gateway.choose(*ask)
    assert "only models on this machine" in str(told.value)
    assert "canary" not in str(told.value)
    allowed = Privacy(policy="remote", hosts=("example.org",))
    with (
        Gateway(ledger, privacy=allowed) as gateway,
        pytest.raises(ModelError, match=r"api\.openai\.com"),
    ):
        gateway.choose(*ask)
    assert "canary" not in str([entry.body for entry in ledger.entries()])


def test_hosts_are_named_alone() -> None:
    assert Privacy(hosts=("API.OpenAI.com",)).hosts == ("api.openai.com",)
    with pytest.raises(ValidationError, match="a host alone"):
        Privacy(hosts=("https://api.openai.com/v1",))


@pytest.mark.slow
def test_names_are_found_without_the_network(monkeypatch: pytest.MonkeyPatch) -> None:
    pytest.importorskip("presidio_analyzer")
    import socket

    import tldextract

    from assay.llm.privacy import names

    def refuse(*_: object) -> None:
        raise AssertionError("the network was asked")

    monkeypatch.setattr(socket.socket, "connect", refuse)
    import warnings

    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # spaCy's own
        names._analyzer.cache_clear()
        hidden = Redactor().begin().hide("John Smith of Berlin wrote to a@b.org about Maria Novak.")
    assert "Smith" not in hidden
    assert "Novak" not in hidden
    assert "<EMAIL_1>" in hidden
    assert tldextract.tldextract.TLD_EXTRACTOR.suffix_list_urls == ()
    loaded = {type(each).__name__ for each in names._analyzer()[0].registry.recognizers}
    assert loaded.isdisjoint(names.ONLINE)
