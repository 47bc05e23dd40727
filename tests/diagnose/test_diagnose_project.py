"""A project's diagnosis: out of fold, search rows only, on record; and the command line."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import polars as pl
import pytest
from typer.testing import CliRunner

from assay.cli.app import app
from assay.diagnose import diagnose
from assay.diagnose.record import newest
from assay.project import Project


@pytest.fixture(scope="module")
def project(tmp_path_factory: pytest.TempPathFactory) -> Project:
    random, n = np.random.default_rng(0), 1200
    age, region = random.normal(50, 15, n), random.choice(["north", "south"], n)
    sign = np.where((region == "north") & (age > 55), -1, 1)
    y = np.where(sign * (age - 50) + random.normal(0, 1, n) > 0, "yes", "no")
    table = pl.DataFrame({"age": age, "region": region, "y": y})
    return Project.create(tmp_path_factory.mktemp("project") / "p", table, target="y")


def test_a_project_is_diagnosed_on_search_rows_and_the_ledger_keeps_it(project: Project) -> None:
    found = diagnose(project)
    assert found.n == project.search().height
    assert any("region" in each.title for each in found.findings)
    ids = {each for finding in found.findings for each in finding.row_ids}
    assert ids <= set(project.search()["row_id"])
    assert newest(project.ledger()) == found
    effect = found.findings[0].effect
    assert effect.id is not None
    assert project.ledger().get(effect.id).body["estimate"] == effect.estimate
    skipped = {each.detector: each.skipped for each in found.looked}
    assert skipped["like texts"] == "the rows hold no text column"
    assert skipped["slices"] == skipped["label errors"] == ""


def test_the_command_line_tells_and_gives_json(project: Project) -> None:
    run = CliRunner()
    told = run.invoke(app, ["diagnose", "--path", str(project.path)])
    assert told.exit_code == 0, told.output
    assert "AS101" in told.output
    page = (project.path / "diagnosis.html").read_text()
    assert "AS101" in page
    assert "the costliest first" in page
    log = project.path / "found.sarif"
    words = ["diagnose", "--path", str(project.path), "--json", "--sarif", str(log)]
    asked = run.invoke(app, words)
    results = json.loads(log.read_text())["runs"][0]["results"]
    assert results[0]["ruleId"] == "AS101"
    assert results[0]["level"] in ("error", "warning", "note")
    assert json.loads(asked.stdout)["findings"][0]["code"] == "AS101"


def test_the_command_line_imports_a_model_and_opens_no_pickle(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "made_model.py").write_text("def always(rows):\n    return ['no'] * rows.height\n")
    pl.DataFrame({"x": [0.5, 1.5, 2.5, 3.5] * 25, "y": ["no", "yes"] * 50}).write_csv(
        tmp_path / "rows.csv"
    )
    monkeypatch.chdir(tmp_path)
    run = CliRunner()
    words = ["diagnose", "--rows", "rows.csv", "--truth", "y", "--json", "--model"]
    asked = run.invoke(app, [*words, "made_model:always"])
    assert asked.exit_code == 0, asked.output
    assert json.loads(asked.stdout)["mean_loss"] == 0.5
    for refused in ("model.pkl", "made_model:absent"):
        assert run.invoke(app, [*words, refused]).exit_code != 0
    both = [*words, "made_model:always", "--predictions", "rows.csv"]
    assert run.invoke(app, both).exit_code != 0
    with_training = run.invoke(app, [*words, "made_model:always", "--training", "rows.csv"])
    looked = {each["detector"]: each for each in json.loads(with_training.stdout)["looked"]}
    assert looked["drift"]["skipped"] == "there are too few rows of either kind"
    planted = run.invoke(app, ["diagnose", "--rows", "rows.csv", "--model", "made_model:always",
                               "--truth", "y", "--plant", "--json"])  # fmt: skip
    assert json.loads(planted.stdout)["n"] == 100
