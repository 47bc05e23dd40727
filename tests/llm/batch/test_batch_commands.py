"""``assay batches``, ``assay spend`` and ``assay improve --batch``."""

from __future__ import annotations

import json
import signal
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import polars as pl
import pytest
from batch_servers import OpenAIBatchServer
from typer.testing import CliRunner

from assay import Project
from assay.cli import batches, spend
from assay.ledger.batches import BatchBook
from assay.llm import Budget, Gateway, Prompt
from assay.llm.model import Price
from in_process import assay
from newsroom import TASK, newsroom

run = CliRunner().invoke
PROMPTS = [Prompt("Which?", f"row {n} sport") for n in range(5)]


@pytest.fixture
def server(serve: Callable[[str], tuple[Any, str]]) -> OpenAIBatchServer:
    server, _ = serve("openai")
    assert isinstance(server, OpenAIBatchServer)
    server.held = True
    return server


@pytest.fixture
def project(tmp_path: Path) -> Project:
    table = newsroom(260).drop("row_id")
    pool = table.head(40).with_columns(topic=pl.lit(None, pl.String))
    made = Project.create(tmp_path / "p", pl.concat([table.tail(220), pool]), task=TASK)
    file = made.path / "assay.toml"
    text = file.read_text().replace("local:smollm2-135m", "openai:good")
    text = text.replace("local:minilm", "openai:good")
    price = '[settings.prices."openai:good"]\nread = 1.0\nwrite = 4.0\n\n[settings.models]'
    text = text.replace("[settings.models]", price)
    file.write_text(text)
    return Project.open(made.path)


def asked(project: Project) -> None:
    with Gateway(
        project.ledger(),
        batch=True,
        prices={"openai:good": Price(1_000_000, 1_000_000)},
        budget=Budget(minutes=0.005),
    ) as gateway:
        gateway.choose("openai:good", PROMPTS, ["sport", "money"])


def test_batches_are_listed_cancelled_and_their_answers_still_collected(
    project: Project, server: OpenAIBatchServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    at = ["--path", str(project.path)]
    assert "No batches yet" in run(batches.app, at, catch_exceptions=False).stdout
    asked(project)
    (listed,) = json.loads(run(batches.app, [*at, "--json"], catch_exceptions=False).stdout)
    assert listed["reserved"] > listed["money"] == 0
    wanted = {"id": "batch_0", "model": "openai:good", "rows": 10, "state": "in progress",
              "is_open": True, "collected": 0}  # fmt: skip
    assert wanted.items() <= listed.items()
    wrong = run(batches.app, ["cancel", "batch_7", *at])
    assert "batch_0" in str(wrong.exception)
    stopped = run(batches.app, ["cancel", "batch_0", *at, "--json"], catch_exceptions=False)
    assert json.loads(stopped.stdout)["state"] == "cancelling"
    server.processed = 4
    asked(project)
    server.processed, server.held = None, False
    for _ in range(20):  # a busy machine asks less often within the budget's third of a second
        asked(project)
        told = json.loads(run(batches.app, [*at, "--json"], catch_exceptions=False).stdout)
        if all(each["collected"] for each in told):
            break
    assert [(each["state"], each["collected"]) for each in told] == [
        ("completed", 6), ("cancelled", 4)
    ]  # fmt: skip
    assert "completed" in run(batches.app, at, catch_exceptions=False).stdout
    spent = json.loads(
        run(spend.app, [*at, "--by", "way", "--json"], catch_exceptions=False).stdout
    )
    read, written = server.tokens
    assert spent["in_batches"] == spent["money"] == pytest.approx((read + written) * 5e-7)
    assert [(each["group"], each["calls"]) for each in spent["groups"]] == [("batch", 10)]
    assert "in batches" in run(spend.app, at, catch_exceptions=False).stdout


def test_a_batch_is_listed_when_its_provider_cannot_be_asked(
    project: Project, server: OpenAIBatchServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    asked(project)
    monkeypatch.delenv("OPENAI_API_KEY")
    at = ["--path", str(project.path), "--json"]
    (listed,) = json.loads(run(batches.app, at, catch_exceptions=False).stdout)
    assert listed["state"] == "unknown"
    assert "key is missing" in listed["why"]


@pytest.mark.slow
def test_improve_in_batches_is_stopped_and_goes_on(
    project: Project, server: OpenAIBatchServer
) -> None:
    command = [sys.executable, "-m", "assay", "improve", "--batch", "--path", str(project.path)]
    process = subprocess.Popen(command, stderr=subprocess.PIPE, stdout=subprocess.PIPE, text=True)
    while server.looks < 2:
        assert process.poll() is None, process.communicate()
    process.send_signal(signal.SIGINT)
    _, told = process.communicate(timeout=300)
    assert process.returncode == 130, told
    assert "goes on at the provider: batch_0" in told
    assert "assay batches cancel ID" in told
    server.held = False
    again = assay("improve", "--batch", "--minutes", "0.2", cwd=project.path)
    assert again.returncode == 0, again.stderr
    assert "goes on" not in again.stderr
    assert len(server.batches) == 1
    assert BatchBook(project.ledger()).open() == []
    assert {each.body["capability"] for each in project.ledger().entries("call")
            if each.body["question"] == "choose"} == {"improve"}  # fmt: skip


@pytest.mark.slow
def test_a_dry_run_shows_the_price_of_batches(project: Project, server: OpenAIBatchServer) -> None:
    def told(*options: str) -> dict[str, Any]:
        done = assay("improve", "--dry-run", "--json", *options, cwd=project.path)
        assert done.returncode == 0, done.stderr
        (asked,) = (
            each for each in json.loads(done.stdout)["questions"] if "choose" in each["question"]
        )
        return dict(asked)

    live, batch = told(), told("--batch")
    assert batch["question"] == "choose in batches"
    assert batch["tokens_in"] == live["tokens_in"] > 0
    assert batch["money"] == pytest.approx(live["money"] / 2)
    assert batch["worst_money"] == pytest.approx(live["worst_money"] / 2)
    assert batch["seconds"] == 24 * 3600
    assert server.batches == {}


def test_improve_in_batches_needs_a_provider_that_takes_them(project: Project) -> None:
    file = project.path / "assay.toml"
    file.write_text(file.read_text().replace('label = "openai:good"', 'label = "gemini:good"'))
    done = assay("improve", "--batch", "--json", cwd=project.path)
    assert done.returncode == 2
    assert "takes no batches" in json.loads(done.stdout)["problem"]
