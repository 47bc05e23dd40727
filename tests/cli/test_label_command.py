"""``assay label`` over a real HTTP server that speaks as a provider does."""

from __future__ import annotations

import json
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import polars as pl
import pytest

from assay.tables import read_table
from in_process import assay
from llm.model_servers import KEY, CompatibleServer
from newsroom import newsroom

pytestmark = pytest.mark.slow

CLASSES = ["--class", "sport=sport", "--class", "money=money and trade"]


@pytest.fixture
def server() -> Iterator[CompatibleServer]:
    made = CompatibleServer()
    yield made
    made.close()


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    texts = [f"story {n} of {'sport' if n % 2 else 'money and trade'}" for n in range(120)]
    pl.DataFrame({"text": texts, "year": 2024}).write_csv(tmp_path / "news.csv")
    gold = [f"checked {n} of {'sport' if n % 2 else 'money and trade'}" for n in range(60)]
    labels = ["sport" if n % 2 else "money" for n in range(60)]
    pl.DataFrame({"text": gold, "label": labels}).write_csv(tmp_path / "gold.csv")
    return tmp_path


def run(folder: Path, server: CompatibleServer, *words: str) -> subprocess.CompletedProcess[str]:
    model = f"{server.url}#good"
    environment = {"COLUMNS": "160", "ASSAY_API_KEY": KEY, "ASSAY_CACHE": str(folder / "cache")}
    command = ["label", *words, "--model", model, "--embed", model]
    return assay(*command, cwd=folder, without=("ASSAY_NO_REAL_MODELS",), **environment)


def test_rows_are_labelled_beside_their_own_columns(folder: Path, server: CompatibleServer) -> None:
    words = ["news.csv", *CLASSES, "--text", "text", "--gold", "gold.csv", "--precision", "0.8"]
    done = run(folder, server, *words, "--out", "out.parquet")
    assert done.returncode == 0, done.stderr
    for part in ("coverage", "guarantee", "accuracy", "step", "cost", "Next:", "out.parquet"):
        assert part in done.stdout
    found = read_table(folder / "out.parquet")
    names = ["row_id", "text", "year", "label", "probability", "status", "why"]
    assert found.columns == names
    assert set(found["status"]) <= {"accepted", "review"}
    asked = server.answered
    told = json.loads(run(folder, server, *words, "--out", "out.jsonl", "--json").stdout)
    assert server.answered == asked, "the record answers all"
    assert told["rows"] == 120
    assert told["accuracy"]["n"] == 60
    assert read_table(folder / "out.jsonl")["label"].to_list() == found["label"].to_list()


def test_without_gold_it_promises_nothing_and_offers_rows_to_check(
    folder: Path, server: CompatibleServer
) -> None:
    done = run(folder, server, "news.csv", *CLASSES, "--text", "text", "--out", "out.csv")
    assert done.returncode == 0, done.stderr
    assert "no guarantee" in done.stdout
    check = read_table(folder / "out.check.csv")
    assert check.columns == ["row_id", "text", "label", "suggested", "weight"]
    assert check["weight"].sum() == 20, "drawn at random; the others are picked"
    assert check.height == 60
    assert check["label"].null_count() == 60
    (check.with_columns(label=pl.col("suggested"))).write_csv(folder / "mine.csv")
    again = run(folder, server, "news.csv", *CLASSES, "--text", "text", "--out", "out.csv",
                "--gold", "mine.csv", "--json")  # fmt: skip
    assert json.loads(again.stdout)["accuracy"]["n"] == 20


def test_a_dry_run_tells_the_cost_and_sends_nothing(folder: Path, server: CompatibleServer) -> None:
    words = ["news.csv", *CLASSES, "--text", "text", "--gold", "gold.csv"]
    done = run(folder, server, *words, "--dry-run", "--json")
    assert done.returncode == 0, done.stderr
    told = json.loads(done.stdout)
    assert not server.received
    assert told["rows"] == 120
    assert told["gold"] == 60
    assert told["total"]["tokens"] > 0
    assert told["seconds"] == told["total"]["seconds"] > 0
    assert "120 rows" in run(folder, server, *words, "--dry-run").stdout
    real = json.loads(run(folder, server, *words, "--out", "o.csv", "--json").stdout)
    assert told["total"]["requests"] == pytest.approx(real["spend"]["calls"], rel=0.3)


def test_caps_and_mistakes(folder: Path, server: CompatibleServer) -> None:
    words = ["news.csv", "--text", "text", "--out", "out.csv"]
    capped = run(folder, server, *words, *CLASSES, "--calls", "50", "--json")
    if capped.returncode == 0:
        assert json.loads(capped.stdout)["status"]["failed"] > 0
    else:
        assert "cap" in capped.stdout
    assert server.answered <= 50
    (folder / "task.toml").write_text('kind = "single"\nclasses = [{name = "a"}]\n')
    for more, part in (
        ([], "no classes"),
        (["--class", "a", "--class", "a"], "Two classes"),
        (["--task", "task.toml"], "two classes or more"),
        (["--task", "absent.toml"], "cannot be read"),
        ([*CLASSES, "--task", "task.toml"], "not both"),
        ([*CLASSES, "--engine", "steam"], "engine"),
        ([*CLASSES, "--copies", "most"], "copies"),
        ([*CLASSES, "--text", "body"], "body"),
        ([*CLASSES, "--gold", "news.csv"], "label"),
    ):
        done = run(folder, server, *words, *more)
        assert done.returncode == 2, (more, done.stderr)
        assert part in done.stderr
        assert "Traceback" not in done.stderr


def test_a_project_lends_its_task_and_its_ledger(folder: Path, server: CompatibleServer) -> None:
    newsroom(400).drop("row_id").write_csv(folder / "rows.csv")
    made = subprocess.run(
        [sys.executable, "-m", "assay", "init", "rows.csv", "--target", "topic"],
        cwd=folder, capture_output=True, text=True,
    )  # fmt: skip
    assert made.returncode == 0, made.stderr
    newsroom(40, seed=8).select("text").write_csv(folder / "new.csv")
    done = run(folder, server, "new.csv", "--out", "out.csv", "--json")
    assert done.returncode == 0, done.stderr + done.stdout
    found = read_table(folder / "out.csv")
    assert set(found["topic"].drop_nulls()) <= {"farm", "money", "sport"}
    log = subprocess.run(
        [sys.executable, "-m", "assay", "log", "--kind", "run", "--json"],
        cwd=folder, capture_output=True, text=True,
    )  # fmt: skip
    assert json.loads(done.stdout)["run"] in log.stdout
