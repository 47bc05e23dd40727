from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import polars as pl
import pytest
from typer.testing import CliRunner

from assay import Project
from assay.cli.app import app
from assay.errors import InputError
from assay.improve import improve
from assay.label import LabelErrorSource, LabelTask, find_label_errors
from assay.ledger import Ledger
from assay.llm import Gateway, ScriptedModel
from assay.recipe import Observation, ProposalSource, baseline_recipe
from newsroom import TASK, newsroom, topic_counts

CLEAN = newsroom(200, seed=1, topical=0.6)
FLIPPED = np.random.default_rng(0).random(200) < 0.1
NEXT = {"farm": "money", "money": "sport", "sport": "farm"}
ROWS = CLEAN.with_columns(
    topic=pl.Series([NEXT[t] if f else t for t, f in zip(CLEAN["topic"], FLIPPED, strict=True)])
)


def scripted_embedder(name: str = "minilm") -> ScriptedModel:
    """Count the newsroom's words: a stand-in for an embedder, never for its quality."""
    model = ScriptedModel(embed=lambda text: [float(each) for each in topic_counts([text])[0]])
    model.name = f"local:{name}"
    return model


MODELS = {"local:minilm": scripted_embedder()}


@pytest.fixture(autouse=True)
def _own_cache(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("ASSAY_CACHE", str(tmp_path / "cache"))


def test_planted_flips_come_first_and_nothing_is_changed() -> None:
    before = ROWS.clone()
    found = find_label_errors(ROWS, "topic", models=MODELS)
    assert ROWS.equals(before)
    bad = set(ROWS.filter(pl.Series(FLIPPED))["row_id"])
    top = found.table.head(len(bad))
    assert len(bad & set(top["row_id"])) > 0.8 * len(bad)
    assert found.table["rank"].to_list() == list(range(1, 201))
    truth = dict(zip(CLEAN["row_id"], CLEAN["topic"], strict=True))
    flagged = found.flagged.filter(pl.col("row_id").is_in(bad))
    assert all(truth[row] == s for row, s in flagged.select("row_id", "suggested").iter_rows())
    assert (found.table["given"] != found.table["suggested"]).all()
    assert found.errors.interval.low <= found.errors.estimate <= found.errors.interval.high
    assert 10 < found.errors.estimate < 40
    assert json.loads(json.dumps(found.as_dict()))["rows"] == 200


def test_votes_of_annotators_join_in_and_are_named() -> None:
    names = TASK.class_names
    votes = np.array(
        [[0.98 if name == topic else 0.01 for name in names] for topic in CLEAN["topic"]]
    )
    votes[5] = np.nan
    task = LabelTask.of(TASK)
    found = find_label_errors(ROWS, task=task, votes={"panel": votes}, models=MODELS)
    bad = set(ROWS.filter(pl.Series(FLIPPED))["row_id"])
    assert set(found.table.head(len(bad))["row_id"]) == bad
    assert found.flagged["found_by"].str.contains("panel").mean() > 0.7
    with pytest.raises(InputError, match="do not fit"):
        find_label_errors(ROWS, task=task, votes={"panel": votes[:10]}, models=MODELS)


@pytest.mark.parametrize(
    ("rows", "message"),
    [
        (ROWS.head(10), "too few labels"),
        (ROWS.with_columns(topic=pl.lit("farm")), "too few labels"),
        (ROWS.drop("topic"), "topic"),
    ],
)
def test_what_cannot_be_judged_is_refused(rows: pl.DataFrame, message: str) -> None:
    with pytest.raises(InputError, match=message):
        find_label_errors(rows, "topic", models=MODELS)


@pytest.fixture
def ledger(tmp_path: Path) -> Iterator[Ledger]:
    with Ledger.open(tmp_path / "ledger.sqlite") as opened:
        yield opened


def test_the_source_proposes_edits_without_a_row_id(ledger: Ledger) -> None:
    source = LabelErrorSource()
    assert isinstance(source, ProposalSource)
    with Gateway(ledger, models=MODELS) as gateway:
        seen = Observation(TASK, baseline_recipe(TASK), ROWS, ROWS.head(0), gateway, ledger, 0)
        proposals = list(source.propose(seen))
    recipes = [each.apply(baseline_recipe(TASK)) for each in proposals]
    assert [each.rows.mended[0].action for each in recipes] == ["drop", "relabel"]
    assert len(proposals[1].apply(recipes[0]).rows.mended) == 1, "one action replaces the other"
    assert not any(row in str(recipe.plain()) for recipe in recipes for row in ("'r1'", "artefact"))
    assert "labels look wrong" in proposals[0].rationale


@pytest.mark.slow
def test_the_command_lists_suspects_of_a_file_and_of_a_project(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("assay.llm.roster.load", lambda _: scripted_embedder())
    wild = ROWS.with_columns(text=pl.col("text") + " \x1b[31m")
    wild.write_csv(tmp_path / "news.csv")
    runner = CliRunner()
    file = [str(tmp_path / "news.csv"), "--target", "topic"]
    out = tmp_path / "suspects.csv"
    told = runner.invoke(app, ["suspects", *file, "--out", str(out)])
    assert told.exit_code == 0, told.output
    assert "\x1b" not in told.stdout
    assert "labels look wrong" in told.stdout
    assert pl.read_csv(out).height == 200
    project = Project.create(
        tmp_path / "news", newsroom(300, topical=0.6), target="topic", text="text"
    )
    found = runner.invoke(app, ["suspects", "--path", str(project.path), "--json"])
    assert found.exit_code == 0, found.output
    assert json.loads(found.stdout)["rows"] == project.search().height


@pytest.mark.slow
def test_improve_keeps_mended_rows_where_labels_are_wrong(tmp_path: Path) -> None:
    clean = newsroom(600, seed=8, topical=0.5)
    flipped = np.random.default_rng(1).random(600) < 0.25
    wrong = [NEXT[t] if f else t for t, f in zip(clean["topic"], flipped, strict=True)]
    rows = clean.with_columns(topic=pl.Series(wrong))
    project = Project.create(tmp_path / "news", rows, target="topic", text="text")
    project.save_recipe(project.recipe.with_parameters(C=100.0))
    result = improve(project, sources=[LabelErrorSource()], models=MODELS)
    assert [each.source for each in result.attempts] == ["label_errors"] * len(result.attempts)
    assert result.kept
    assert result.recipe.rows.mended
