"""``assay gate`` on real files."""

import json
import re
import shlex
from pathlib import Path
from xml.etree import ElementTree

import numpy as np
import polars as pl
import pytest
import typer
from typer.testing import CliRunner

from assay import Project
from assay.cli.gate import gate as command
from assay.errors import InputError
from assay.evidence.gate import Guard, gate, read_predictions
from assay.recipe import Embedding, write_recipe
from newsroom import newsroom

APP = typer.Typer()
APP.command()(command)


def run(*arguments: object):
    return CliRunner().invoke(APP, [str(each) for each in arguments])


@pytest.fixture
def files(tmp_path):
    rng = np.random.default_rng(0)
    n = 600
    truth = rng.choice(["ham", "spam"], n, p=[0.8, 0.2])
    other = np.where(truth == "ham", "spam", "ham")
    right = {
        name: rng.random(n) >= e for name, e in {"old": 0.25, "new": 0.1, "same": 0.25}.items()
    }
    for name, ok in right.items():
        sure = np.where(ok, 0.8, 0.2)
        spam = np.where(truth == "spam", sure, 1 - sure)
        table = pl.DataFrame(
            {
                "row_id": [f"r{i}" for i in range(n)],
                "truth": truth,
                "prediction": np.where(ok, truth, other),
                "probability:ham": 1 - spam,
                "probability:spam": spam,
                "latency": rng.normal(10 if name != "new" else 13, 1, n),
            }
        )
        table.sample(fraction=1, shuffle=True, seed=1).write_csv(tmp_path / f"{name}.csv")
    return tmp_path


def test_a_better_model_passes(files):
    result = run(files / "old.csv", files / "new.csv", "--json")
    assert result.exit_code == 0
    document = json.loads(result.stdout)
    assert document["decision"] == "kept"
    assert document["evidence"][0]["estimate"] > 0.1


def test_a_worse_model_fails(files):
    result = run(files / "new.csv", files / "old.csv")
    assert result.exit_code == 1
    assert result.stdout.startswith("dropped:")


def test_undecided_is_exit_three_and_says_how_many_rows_would_tell(tmp_path):
    truth = ["a", "b"] * 100
    before = truth.copy()
    before[:3] = ["b", "a", "b"]
    for name, predicted in (("before", before), ("after", truth)):
        pl.DataFrame({"truth": truth, "prediction": predicted}).write_csv(tmp_path / f"{name}.csv")
    result = run(tmp_path / "before.csv", tmp_path / "after.csv", "--json")
    assert result.exit_code == 3
    assert json.loads(result.stdout)["more_rows"] > 50


@pytest.mark.parametrize("metric", ["log_loss", "auc", "macro_f1", "average_precision"])
def test_every_kind_of_metric_finds_its_columns(files, metric):
    rows = read_predictions(files / "old.csv", files / "new.csv")
    assert gate(rows, metric=metric, seed=1).verdict.kept


def test_probability_columns_are_matched_by_name_not_place(files):
    table = pl.read_csv(files / "new.csv")
    swapped = [*table.columns]
    i, j = swapped.index("probability:ham"), swapped.index("probability:spam")
    swapped[i], swapped[j] = swapped[j], swapped[i]
    table.select(swapped).write_csv(files / "swapped.csv")
    one = gate(read_predictions(files / "old.csv", files / "new.csv"), metric="log_loss")
    two = gate(read_predictions(files / "old.csv", files / "swapped.csv"), metric="log_loss")
    assert one.verdict.main.estimate == two.verdict.main.estimate


def test_a_guard_on_a_cost_stops_a_better_model(files):
    arguments = (files / "old.csv", files / "new.csv", "--guard", "recall:0.02", "--guard")
    stopped = run(*arguments, "latency:10%")
    assert stopped.exit_code == 1
    assert "latency" in stopped.stdout
    assert run(*arguments, "latency:50%").exit_code == 0
    assert run(*arguments, "log_loss:0.01").exit_code == 0


def test_reports_for_people_and_for_build_servers(files):
    run(
        files / "old.csv",
        files / "new.csv",
        *("--guard", "recall:0.02", "--guard", "latency:10%"),
        *("--markdown", files / "gate.md", "--junit", files / "gate.xml"),
    )
    text = (files / "gate.md").read_text()
    assert "dropped" in text
    assert text.count("\n| ") == 5
    suite = ElementTree.parse(files / "gate.xml").getroot()  # noqa: S314 - our own file
    assert suite.attrib["failures"] == "1"
    assert len(suite.findall("testcase")) == int(suite.attrib["tests"]) == 4


def test_class_names_are_data_not_markup(tmp_path):
    truth = np.array(["<script>alert(1)</script>", "a|b"] * 60)
    before = np.roll(truth, 1)
    for name, predicted in (("before", before), ("after", truth)):
        pl.DataFrame({"truth": truth, "prediction": predicted}).write_parquet(
            tmp_path / f"{name}.parquet"
        )
    run(
        tmp_path / "before.parquet",
        tmp_path / "after.parquet",
        *("--guard", "recall:0.1", "--markdown", tmp_path / "m", "--junit", tmp_path / "j"),
    )
    text = (tmp_path / "m").read_text()
    assert "<script>" not in text
    assert "a\\|b" in text
    ElementTree.parse(tmp_path / "j")  # noqa: S314 - our own file


def test_truth_may_lie_in_a_third_file(files):
    table = pl.read_csv(files / "old.csv")
    table.select("row_id", label="truth").reverse().write_csv(files / "labels.csv")
    rows = read_predictions(
        files / "old.csv", files / "new.csv", truth=files / "labels.csv", target="label"
    )
    assert rows.truth.to_list() == table["truth"].to_list()


@pytest.mark.parametrize(
    ("damage", "message"),
    [
        (lambda t: pl.concat([t, t.head(1)]), "repeats"),
        (lambda t: t.head(50), "different rows"),
        (lambda t: t.drop("row_id"), "no column 'row_id'"),
        (lambda t: t.drop("prediction"), "no column 'prediction'"),
    ],
)
def test_files_that_do_not_match_are_named(files, damage, message):
    damage(pl.read_csv(files / "new.csv")).write_csv(files / "bad.csv")
    with pytest.raises(InputError, match=message):
        gate(read_predictions(files / "old.csv", files / "bad.csv"))


def test_files_without_ids_must_have_one_length(tmp_path):
    for name, n in (("a", 30), ("b", 29)):
        pl.DataFrame({"truth": ["x"] * n, "prediction": ["x"] * n}).write_csv(
            tmp_path / f"{name}.csv"
        )
    with pytest.raises(InputError, match="differ in length"):
        read_predictions(tmp_path / "a.csv", tmp_path / "b.csv")


@pytest.mark.parametrize(
    ("text", "guard"),
    [
        ("recall:0.02", Guard("recall", 0.02)),
        ("latency: 10%", Guard("latency", 0.1, relative=True)),
        ("log_loss=0.1", Guard("log_loss", 0.1)),
    ],
)
def test_guards_are_written_plainly(text, guard):
    assert Guard.parse(text) == guard


@pytest.mark.parametrize("text", ["recall", "recall:", "recall:-1", "recall:1.2.3", ":0.1"])
def test_a_guard_that_is_not_understood_is_an_error(text):
    with pytest.raises(InputError, match="guard"):
        Guard.parse(text)


@pytest.fixture
def newsroom_project(tmp_path):
    return Project.create(tmp_path / "news", newsroom(500, topical=0.4), target="topic")


def judge(project, recipe, *words):
    file = project.path / "other.toml"
    write_recipe(recipe, file)
    return run("--recipe", file, "--path", project.path, *words)


@pytest.mark.slow
def test_a_recipe_is_judged_against_the_projects_own(newsroom_project):
    own = newsroom_project.recipe
    result = judge(newsroom_project, own.with_parameters(C=1e-6), "--json")
    assert result.exit_code == 1
    document = json.loads(result.stdout)
    assert document["evidence"][0]["estimate"] < -0.1
    assert [each["details"]["allowed"] for each in document["evidence"][1:]] == [0.05] * 3
    assert judge(newsroom_project, own).exit_code == 1


@pytest.mark.slow
def test_a_recipe_is_held_to_the_same_guards_as_files(newsroom_project, tmp_path):
    forest = newsroom_project.recipe.with_estimator(
        "sklearn.ensemble.RandomForestClassifier", n_estimators=300
    )
    result = judge(
        newsroom_project,
        forest,
        *("--metric", "macro_f1", "--guard", "recall:0.1", "--guard", "log_loss:5%"),
        *("--guard", "latency:10%", "--markdown", tmp_path / "m", "--junit", tmp_path / "j"),
        "--json",
    )
    document = json.loads(result.stdout)
    assert document["metric"] == "macro_f1"
    facts = {each["name"]: each for each in document["evidence"][1:]}
    assert len(facts) == 5
    assert facts["change in log_loss"]["details"]["allowed"] > 0
    assert facts["saving in latency"]["estimate"] < -0.1
    assert facts["saving in latency"]["p_value"] < 0.05
    assert "saving in latency" in (tmp_path / "m").read_text()
    assert 'name="saving in latency"' in (tmp_path / "j").read_text()


def test_what_a_recipe_cannot_be_asked_is_named(newsroom_project):
    own = newsroom_project.recipe
    embedding = own.with_features(Embedding(column="text", model="local:minilm"))
    file = newsroom_project.path / "other.toml"
    write_recipe(embedding, file)
    at = ["--recipe", str(file), "--path", str(newsroom_project.path)]
    for words, message in (
        (["--guard", "latency:10%"], "embeds texts"),
        (["--guard", "latency:0.5"], "by a share"),
        (["--group", "writer"], "not both"),
        (["--truth", "x.csv"], "not both"),
    ):
        with pytest.raises(InputError, match=message):
            APP([*at, *words], standalone_mode=False)


def test_the_documented_pipeline_runs(files, monkeypatch):
    """The command of the GitHub Actions example, word for word."""
    text = (Path(__file__).parents[2] / "docs" / "evidence.md").read_text()
    command = re.search(r"assay gate (main.parquet(?:.*\\\n)*.*)", text)
    assert command is not None
    pl.read_csv(files / "old.csv").write_parquet(files / "main.parquet")
    pl.read_csv(files / "new.csv").write_parquet(files / "new.parquet")
    monkeypatch.chdir(files)
    result = run(*shlex.split(command[1].replace("\\\n", " ")))
    assert result.exit_code == 1  # its latency is 30 % worse, and 10 % are allowed
    assert "latency" in result.stdout
    assert (files / "gate.md").exists()
    ElementTree.parse(files / "gate.xml")  # noqa: S314 - our own file
