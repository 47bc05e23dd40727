from __future__ import annotations

import json
import unicodedata
from collections.abc import Iterator, Sequence
from pathlib import Path

import numpy as np
import polars as pl
import pytest
from hypothesis import given
from hypothesis import strategies as st
from typer.testing import CliRunner

from assay import Project
from assay.cli.app import app
from assay.errors import InputError, ModelError
from assay.label import LabelResult, LabelSettings, LabelTask, explain
from assay.label.gold import read_gold
from assay.label.kinds import kind_of
from assay.label.occlusion import MOST_PIECES, pieces_of, without_each
from assay.label.rows import read_rows
from assay.label.shown import visible
from assay.label.spec import Answers, Checked, Gold
from assay.label.store import save
from assay.ledger import Ledger
from assay.llm import Gateway, Prompt, ScriptedModel, Spend
from newsroom import TASK, newsroom, topic_counts

ROWS = newsroom(30, seed=3)
GOLD = newsroom(20, seed=4, prefix="g")
SETTINGS = LabelSettings(models=("scripted:topics",), embed="scripted:topics")
NASTY = "wheat \x1b[31mred\x1b]0;t\x07 \u202egnp <script>alert(1)</script>"


def scripted_topics() -> ScriptedModel:
    """Know the newsroom's words: a stand-in for a model, never for its quality."""

    def choose(prompt: Prompt, options: Sequence[str]) -> list[float]:
        scores = topic_counts([prompt.text])[0] + 0.1
        return [float(each) for each in scores / scores.sum()]

    def embed(text: str) -> list[float]:
        return [float(each) for each in topic_counts([text])[0] + 0.01]

    return ScriptedModel(choose, embed=embed, name="topics")


@pytest.fixture
def ledger(tmp_path: Path) -> Iterator[Ledger]:
    with Ledger.open(tmp_path / "ledger.sqlite") as opened:
        yield opened


def labelled(
    rows: object = ROWS, run: str = "run-1", label: str | None = None
) -> tuple[LabelResult, Gold]:
    """Return a labelling with invented probabilities."""
    task = LabelTask.of(TASK)
    if isinstance(rows, pl.DataFrame) and "text" not in rows.columns:
        task = task.model_copy(update={"inputs": tuple(rows.columns)})
    read, task = read_rows(rows, task)
    random, n = np.random.default_rng(0), len(read)
    shares = random.dirichlet(np.ones(3), n)
    scores = random.uniform(size=400)
    checked = Checked(
        [f"g{row}" for row in range(400)], ["farm"] * 400, ["farm"] * 400, scores, scores > 0.6
    )
    labels = [label or task.class_names[each] for each in shares.argmax(axis=1)]
    result = LabelResult(
        task, read, Answers(labels, shares.max(axis=1), votes={"model": shares}), checked,
        {}, 0.9, 0.95, (), (), Spend(), 0.0, run,
    )  # fmt: skip
    text_task = LabelTask.of(TASK)
    gold = read_gold(GOLD, text_task, kind_of(text_task), read)
    assert gold is not None
    return result, gold


def test_the_words_that_the_model_reads_are_the_ones_that_moved_it(ledger: Ledger) -> None:
    model = scripted_topics()
    result, gold = labelled(["the wheat and harvest of a bank today"], label="farm")
    with Gateway(ledger, models={model.name: model}) as gateway:
        found = explain(result, "0", gateway, gold=gold, settings=SETTINGS, words=True)
        again = explain(result, "0", gateway, gold=gold, settings=SETTINGS, words=True)
    effects = {each.text: each.effect for each in found.pieces}
    assert list(effects) == result.rows.texts[0].split()
    assert effects["wheat"] > 0
    assert effects["harvest"] > 0
    assert effects["bank"] < 0
    assert effects["the"] == effects["today"] == 0
    assert {each.text for each in found.telling} == {"wheat", "harvest", "bank"}
    assert again == found
    assert len(model.asked) == 9, "the row, and each word left out; nothing twice"


def test_the_nearest_checked_rows_come_first_with_their_labels(ledger: Ledger) -> None:
    model = scripted_topics()
    result, gold = labelled(["goal match team the a"])
    with Gateway(ledger, models={model.name: model}) as gateway:
        found = explain(result, "0", gateway, gold=gold, settings=SETTINGS, words=False)
    cosines = [each.similarity for each in found.neighbours]
    assert cosines == sorted(cosines, reverse=True)
    assert found.neighbours[0].label == "sport"
    labels = dict(zip(GOLD["row_id"], GOLD["topic"], strict=True))
    assert all(labels[each.row_id] == each.label for each in found.neighbours)
    assert found.pieces == ()


def test_the_decision_names_the_threshold_that_the_table_used(ledger: Ledger) -> None:
    model = scripted_topics()
    result, gold = labelled()
    statuses = set()
    with Gateway(ledger, models={model.name: model}) as gateway:
        for row in result.table.iter_rows(named=True):
            found = explain(result, row["row_id"], gateway, gold=gold, settings=SETTINGS,
                            words=False)  # fmt: skip
            assert (found.status, found.label) == (row["status"], row["topic"])
            assert found.threshold is not None
            assert (found.probability or 0) > found.threshold or found.status != "accepted"
            assert f"{found.threshold:.3f}" in found.decision
            statuses.add(found.status)
    assert statuses == {"accepted", "review"}


def test_a_tabular_row_is_explained_by_its_columns(ledger: Ledger) -> None:
    model = scripted_topics()
    table = pl.DataFrame({"title": ["wheat harvest"], "body": ["the bank"], "note": [None]})
    result, _ = labelled(table, label="farm")
    with Gateway(ledger, models={model.name: model}) as gateway:
        found = explain(result, "0", gateway, settings=SETTINGS, words=True)
    assert [each.text for each in found.pieces] == ["title: wheat harvest", "body: the bank"]
    assert found.pieces[0].effect > 0 > found.pieces[1].effect
    assert "no checked rows" in found.notes[0]


def test_a_remote_model_is_asked_about_words_only_on_request(ledger: Ledger) -> None:
    result, gold = labelled(["wheat"])
    remote = SETTINGS.model_copy(update={"models": ("openai:gpt-x",)})
    model = scripted_topics()
    models = {"openai:gpt-x": model, "scripted:topics": model}
    with Gateway(ledger, models=models, unpriced_ok=True) as gateway:
        found = explain(result, "0", gateway, gold=gold, settings=remote)
        assert found.pieces == ()
        assert "on request" in found.notes[0]
        assert explain(result, "0", gateway, gold=gold, settings=remote, words=True).pieces


def test_a_model_that_fails_leaves_the_rest_to_be_told(ledger: Ledger) -> None:
    broken = ScriptedModel(lambda *_: ModelError("gone"), name="topics")
    result, gold = labelled(["wheat"])
    with Gateway(ledger, models={broken.name: broken}) as gateway:
        found = explain(result, "0", gateway, gold=gold, settings=SETTINGS, words=True)
    assert found.votes["model"]
    assert found.neighbours
    assert "the words are not shown" in " ".join(found.notes)


def test_an_unknown_row_is_refused(ledger: Ledger) -> None:
    result, _ = labelled()
    with Gateway(ledger) as gateway, pytest.raises(InputError, match="No row") as caught:
        explain(result, "r999", gateway)
    assert caught.value.given == "r999"


def test_nothing_in_a_row_steers_the_terminal_or_the_notebook(ledger: Ledger) -> None:
    model = scripted_topics()
    result, gold = labelled(pl.DataFrame({"row_id": [NASTY], "text": [NASTY]}))
    with Gateway(ledger, models={model.name: model}) as gateway:
        found = explain(result, NASTY, gateway, gold=gold, settings=SETTINGS, words=True)
    told = str(found).replace("\n", "")
    assert not any(unicodedata.category(each) == "Cc" for each in told)
    assert "\u202e" not in told
    assert "[31mred" in told
    html = found._repr_html_()
    assert "<script" not in html
    assert not any(unicodedata.category(each) == "Cc" for each in html)
    assert found.as_dict()["row_id"] == NASTY


@given(st.text())
def test_what_is_shown_holds_no_control_character_and_other_words_stay(text: str) -> None:
    shown = visible(text)
    assert not any(unicodedata.category(each) in ("Cc", "Zl", "Zp", "Cs") for each in shown)
    assert visible(shown) == shown
    assert visible("naïve 日本語 👩‍🌾 עברית") == "naïve 日本語 👩‍🌾 עברית"


@given(st.text(alphabet=st.sampled_from("ab \n日"), max_size=200))
def test_pieces_cover_the_words_in_order_and_one_is_left_out_at_a_time(text: str) -> None:
    parts = pieces_of(text)
    assert len(parts) <= MOST_PIECES
    assert [each for part in parts for each in part if not each.isspace()] == [
        each for each in text if not each.isspace()
    ]
    for part, rest in zip(parts, without_each(text, parts, are_columns=False), strict=True):
        kept = sorted(part + rest)
        assert [each for each in kept if each != " "] == [c for c in sorted(text) if c != " "]


def test_show_explains_a_row_and_still_shows_entries(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    project = Project.create(tmp_path / "news", newsroom(300), target="topic", text="text")
    with project.ledger() as ledger:
        run = ledger.start_run("label", {})
        result, gold = labelled([NASTY, "wheat corn"], run, label="farm")
        save(result, ledger, gold=gold, settings=SETTINGS)
    monkeypatch.setattr("assay.llm.roster.load", lambda _: scripted_topics())
    runner = CliRunner()
    at = ["--path", str(project.path)]
    found = runner.invoke(app, ["show", "0", *at, "--words", "--json"])
    assert found.exit_code == 0, found.output
    document = json.loads(found.stdout)
    assert document["label"] == "farm"
    assert {each["text"] for each in document["pieces"]} >= {"wheat"}
    told = runner.invoke(app, ["show", "0", *at, "--words"]).stdout
    assert "\x1b" not in told
    assert "vote: model" in told
    assert runner.invoke(app, ["show", "1", *at, "--run", run, "--no-words"]).exit_code == 0
    assert json.loads(runner.invoke(app, ["show", run, *at, "--json"]).stdout)["kind"] == "run"
    missing = runner.invoke(app, ["show", "7", *at])
    assert isinstance(missing.exception, InputError)
