"""What a run will take is told before anything is sent, and how far that was off afterwards."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import polars as pl
import pytest
from model_servers import KEY, OpenAIServer
from pydantic import BaseModel
from typer.testing import CliRunner

from assay import Project
from assay.cli.app import app
from assay.experiment import FeatureSource
from assay.improve import improve
from assay.improve.events import Estimated, Event, Settled
from assay.improve.rehearse import rehearse
from assay.label import PoolLabelSource
from assay.ledger import Ledger
from assay.llm import Gateway, Prompt, ScriptedModel
from assay.llm.forecast import Estimate, Forecast
from assay.llm.pricing import per_million
from assay.llm.rehearsal import Rehearsal
from assay.project import Models
from assay.recipe import Embedding
from newsroom import newsroom

Make = Callable[..., Gateway]
SOURCES = [PoolLabelSource(), FeatureSource()]


@pytest.fixture
def server(monkeypatch: pytest.MonkeyPatch) -> Iterator[OpenAIServer]:
    monkeypatch.delenv("ASSAY_NO_REAL_MODELS")
    started = OpenAIServer()
    monkeypatch.setenv("OPENAI_BASE_URL", started.url)
    monkeypatch.setenv("OPENAI_API_KEY", KEY)
    yield started
    started.close()


@pytest.fixture
def project(tmp_path: Path) -> Iterator[Project]:
    number = pl.int_range(pl.len())
    table = newsroom(240, seed=1).with_columns(topic=pl.when(number < 220).then("topic"))
    made = Project.create(tmp_path / "p", table.drop("row_id"), target="topic")
    file = made.path / "assay.toml"
    text = file.read_text().replace('"local:smollm2-135m"', '"openai:good"')
    text = text.replace('"local:minilm"', '"openai:good"').replace('= "local"', '= "remote"')
    priced = '[settings.prices."openai:good"]\nread = 1.0\nwrite = 4.0\n\n[settings.models]'
    file.write_text(text.replace("[settings.models]", priced))
    opened = Project.open(made.path)
    yield opened
    opened.ledger().close()
    made.ledger().close()


def prompts(first: int, last: int) -> list[Prompt]:
    words = ["some", "plain", "words", "that", "differ", "in", "number"]
    return [Prompt("Which?", f"{n} " + " ".join(words * (1 + n % 5))) for n in range(first, last)]


def test_calls_on_record_tell_better_than_the_rule(server: OpenAIServer, gateway: Make) -> None:
    opened = gateway(prices={"openai:good": per_million(1, 4)})
    opened.choose("openai:good", prompts(0, 40), ["sport", "money"])
    told = opened.estimate("openai:good", prompts(40, 90), ["sport", "money"])
    assert told.basis == "80 calls on record"
    before = opened.spend
    opened.choose("openai:good", prompts(40, 90), ["sport", "money"])
    spent = opened.spend
    assert told.requests == spent.calls - before.calls == 100
    assert abs(told.error(spent.tokens - before.tokens, 0)) < 0.05
    assert told.money == pytest.approx(spent.money - before.money, rel=0.05)
    embedded = opened.estimate_embedding("openai:good", ["some words", "more words"] * 300)
    assert (embedded.rows, embedded.requests, embedded.basis) == (600, 1, "a rule of thumb")


def test_a_rehearsal_sends_nothing_and_counts_a_repeated_question_once(ledger: Ledger) -> None:
    class Made(BaseModel):
        text: str

    model = ScriptedModel()
    with Rehearsal(ledger, models={model.name: model}) as rehearsal:
        for _ in range(2):
            rehearsal.choose(model.name, prompts(0, 10), ["a", "b", "c"])
        assert list(rehearsal.generate(model.name, prompts(0, 3), Made)) == [None] * 3
        assert rehearsal.embed(model.name, ["x", "y", "x"]).shape == (3, 1)
        rehearsal.embed_like(model.name, ["x", "y"], 5.0, columns=("text",))
        rehearsal.choose("local:smollm2-135m", prompts(0, 4), ["a", "b"])
        counts = [(each.question, each.rows, each.cached) for each in rehearsal.noted]
    assert model.asked == []
    assert counts == [
        ("choose", 10, 0),
        ("choose", 10, 10),
        ("generate", 3, 0),
        ("embed", 3, 0),
        ("embed", 10, 0),
        ("choose", 4, 0),
    ]
    assert ledger.entries() == []
    assert rehearsal.noted[-1].tokens_in > 4
    assert rehearsal.noted[-1].money == 0


def test_a_forecast_adds_up_by_model() -> None:
    one = Estimate("a:x", "choose", 10, 2, 16, 100, 8, 1.0, 2.0, 3.0, "a rule of thumb")
    other = Estimate("a:x", "embed", 5, 0, 1, 50, 0, 0.5, 1.0, 1.0, "a rule of thumb")
    (both,) = Forecast((one, other)).by_model
    assert (both.question, both.rows, both.requests, both.tokens) == ("choose, embed", 15, 17, 158)
    assert both.basis == "a rule of thumb"
    (nothing,) = Forecast((one,)).errors([])
    assert (nothing.tokens, nothing.tokens_off, nothing.money_off) == (0, None, None)


def test_the_dry_run_sends_and_records_nothing(server: OpenAIServer, project: Project) -> None:
    before = project.ledger().entries()
    arguments = ["improve", "--path", str(project.path), "--dry-run"]
    done = CliRunner().invoke(app, [*arguments, "--json"], catch_exceptions=False)
    told = json.loads(done.stdout)
    (model,) = told["models"]
    # 120 search and 20 pool rows, each in two orders; rows, classes and the vault's to embed
    assert model["requests"] == 2 * 140 + 3
    assert model["rows"] > model["cached"] > 0
    assert 0 < model["money"] < model["worst_money"]
    assert model["seconds"] > 0
    assert server.received == []
    assert project.ledger().entries() == before
    assert "told by a rule of thumb" in " ".join(CliRunner().invoke(app, arguments).stdout.split())


def test_what_will_be_refused_is_told(server: OpenAIServer, project: Project) -> None:
    settings = project.settings.model_copy(update={"prices": {}})
    unpriced = Project(project.path, project.file.model_copy(update={"settings": settings}))
    forecast = rehearse(unpriced, sources=SOURCES)
    assert forecast.questions == ()
    assert "--unpriced-ok" in forecast.refused[0]
    with pytest.MonkeyPatch.context() as patch:
        patch.chdir(project.path)
        file = project.path / "assay.toml"
        file.write_text(file.read_text().replace('[settings.prices."openai:good"]', "").replace(
            "read = 1.0\nwrite = 4.0\n", ""))  # fmt: skip
        done = CliRunner().invoke(app, ["improve", "--dry-run", "--unpriced-ok", "--json"])
    assert json.loads(done.stdout)["models"][0]["requests"] > 0


@pytest.mark.slow
def test_a_run_tells_its_estimate_first_and_its_error_last(
    server: OpenAIServer, project: Project
) -> None:
    events: list[Event] = []
    sent: list[int] = []

    def listen(event: Event) -> None:
        events.append(event)
        sent.append(len(server.received))

    result = improve(project, sources=SOURCES[:1], on_event=listen)
    assert isinstance(events[0], Estimated)
    assert sent[0] == 0
    assert isinstance(events[-1], Settled)
    (error,) = events[-1].errors
    assert error.model == "openai:good"
    assert error.tokens == result.cost.tokens
    assert error.money == pytest.approx(result.cost.money)
    assert error.tokens_off == pytest.approx(error.tokens_expected / error.tokens - 1)
    recorded: dict[str, Any] = {
        str(each.key).partition(":")[0]: each.body
        for each in project.ledger().entries("event", run=result.run)
    }
    assert recorded["estimate"]["models"][0]["tokens_in"] > 0
    assert recorded["estimate_error"]["models"][0]["tokens"] == error.tokens


def test_a_prediction_tells_its_estimate_too(
    server: OpenAIServer, project: Project, tmp_path: Path
) -> None:
    embedded = project.recipe.with_features(Embedding(column="text", model="openai:good"))
    project.save_recipe(embedded)
    newsroom(30, seed=5).write_csv(tmp_path / "new.csv")
    command = ["predict", str(tmp_path / "new.csv"), "--path", str(project.path)]
    command += ["--out", str(tmp_path / "out.csv")]
    done = CliRunner().invoke(app, [*command, "--dry-run", "--json"], catch_exceptions=False)
    told = json.loads(done.stdout)
    assert [each["rows"] for each in told["questions"]] == [120, 30]
    assert server.received == []
    assert not (tmp_path / "out.csv").exists()
    done = CliRunner().invoke(app, command, catch_exceptions=False)
    assert (tmp_path / "out.csv").exists()
    assert len(server.received) == told["models"][0]["requests"]
    assert "openai:good took" not in done.stdout  # standard output is for the result
    assert "openai:good took" in done.stderr


def test_a_diagnosis_tells_what_its_recipe_asks_before_it_is_judged(
    server: OpenAIServer, project: Project
) -> None:
    embedded = project.recipe.with_features(Embedding(column="text", model="openai:good"))
    project.save_recipe(embedded)
    command = ["diagnose", "--path", str(project.path), "--dry-run", "--json"]
    done = CliRunner().invoke(app, command, catch_exceptions=False)
    told = json.loads(done.stdout)
    assert [each["rows"] for each in told["questions"]] == [project.search().height]
    assert "once the recipe is judged" in done.stderr
    assert server.received == []
    with project.gateway() as gateway:
        gateway.embed("openai:good", project.search()["text"].to_list(), columns=("text",))
    sent = len(server.received)
    done = CliRunner().invoke(app, command, catch_exceptions=False)
    assert json.loads(done.stdout)["questions"] == []
    assert len(server.received) == sent


def test_a_run_on_this_machine_alone_is_not_rehearsed(project: Project) -> None:
    class Counted(FeatureSource):
        asked = 0

        def propose(self, observation: Any) -> Iterator[Any]:
            Counted.asked += 1
            return iter(())

    local = project.settings.model_copy(update={"models": Models()})
    here = Project(project.path, project.file.model_copy(update={"settings": local}))
    improve(here, sources=[Counted()])
    assert Counted.asked == 1
