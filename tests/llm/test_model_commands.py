from __future__ import annotations

import json
from pathlib import Path

import pytest
from model_servers import KEY, OpenAIServer
from typer.testing import CliRunner

from assay.cli import models, privacy, spend
from assay.project import Project
from assay.project.leaving import fields

run = CliRunner().invoke


def test_models_says_what_is_missing(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("ASSAY_NO_REAL_MODELS")
    monkeypatch.setenv("OPENAI_API_KEY", "sk-canary-0123456789")
    monkeypatch.delenv("ANTHROPIC_API_KEY", raising=False)
    done = run(models.app, ["--json"])
    found = {each["name"]: each for each in json.loads(done.stdout)}
    assert found["openai:MODEL"]["usable"]
    assert found["anthropic:MODEL"]["why"] == "set ANTHROPIC_API_KEY"
    assert "AZURE_OPENAI_ENDPOINT" in found["azure:MODEL"]["why"]
    assert "canary" not in done.stdout
    assert "openai:MODEL" in run(models.app, []).stdout


def test_models_test_makes_one_question(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("ASSAY_NO_REAL_MODELS")
    monkeypatch.setenv("OPENAI_API_KEY", KEY)
    server = OpenAIServer()
    monkeypatch.setenv("OPENAI_BASE_URL", server.url)
    try:
        done = run(models.app, ["test", "openai:good", "--json"], catch_exceptions=False)
    finally:
        server.close()
    told = json.loads(done.stdout)
    assert told["how"] == "log-probabilities"
    assert sum(told["probabilities"].values()) == pytest.approx(1)
    assert server.answered == 2


@pytest.fixture
def project(tmp_path: Path) -> Path:
    labels = ["wheat", "crude"]
    texts = [f"{labels[n % 2]} report number {n} from the market" for n in range(400)]
    table = {"text": texts, "topic": [labels[n % 2] for n in range(400)]}
    return Project.create(tmp_path / "project", table, target="topic").path


def test_spend_reads_the_projects_ledger(project: Path) -> None:
    from assay.llm import Gateway, Prompt, ScriptedModel

    model = ScriptedModel()
    with Gateway(Project.open(project).ledger(), models={model.name: model}) as gateway:
        gateway.choose(model.name, [Prompt("?", "x")], ["a", "b"])
    done = run(spend.app, ["--path", str(project), "--json"], catch_exceptions=False)
    assert json.loads(done.stdout)["groups"][0]["calls"] == 1
    assert "scripted:model" in run(spend.app, ["--path", str(project)]).stdout


def test_privacy_check_measures_on_the_users_rows(project: Path) -> None:
    arguments = ["check", "--path", str(project), "--no-names", "--rows", "40"]
    done = run(privacy.app, [*arguments, "--json"], catch_exceptions=False)
    told = json.loads(done.stdout)
    assert told["policy"] == "local"
    assert told["hosts"] == []
    assert told["recall"]["EMAIL"] == 1.0
    assert "nothing leaves" in run(privacy.app, arguments).stdout


def test_privacy_check_lists_what_would_leave_and_what_stays(project: Path) -> None:
    settings = project / "assay.toml"
    text = settings.read_text()
    text = text.replace('"local:smollm2-135m"', '"openai:gpt-4o-mini"').replace(
        'policy = "local"',
        'policy = "redact"\ncolumns = ["topic", "custmer"]\nhosts = ["api.openai.com"]\n'
        "patterns = { BADGE = 'B-\\d+' }",
    )
    settings.write_text(text)
    arguments = ["check", "--path", str(project), "--no-names", "--rows", "10"]
    told = json.loads(run(privacy.app, [*arguments, "--json"], catch_exceptions=False).stdout)
    assert told["hosts"] == ["api.openai.com"]
    leaves = {each["column"]: (each["leaves"], each["why"]) for each in told["fields"]}
    assert leaves["text"] == (True, "identifiers redacted")
    assert not leaves["topic"][0]
    assert "'topic' must not leave" in leaves["topic"][1]
    assert told["unknown_columns"] == ["custmer"]
    shown = run(privacy.app, arguments).stdout
    assert "custmer must not leave, but no row has such a column" in shown


def test_privacy_check_lists_the_columns_beside_a_text(project: Path) -> None:
    settings = project / "assay.toml"
    text = settings.read_text().replace('"local:smollm2-135m"', '"openai:gpt-4o-mini"')
    settings.write_text(text.replace('text = "text"', 'text = "text"\nfeatures = ["desk"]'))
    found = fields(Project.open(project))
    assert {each.column for each in found if each.use == "synth"} == {"text", "desk", "topic"}
