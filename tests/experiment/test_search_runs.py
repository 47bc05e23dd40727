"""Whole searches: what goes wrong costs one trial, a kill costs one fit, the vault has its say."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import polars as pl
import pytest

from assay import Project
from assay.errors import InputError, MissingExtraError
from assay.experiment import circumspection, experiment
from assay.experiment.plan import make_plan
from assay.experiment.record import TRIED, recorded_experiment
from assay.experiment.report import render_html
from assay.experiment.report.story import tell
from assay.experiment.result import ExperimentResult
from assay.experiment.source import SearchSource
from assay.improve.observe import observe
from assay.improve.predict import predict_table
from assay.project import building
from assay.recipe import Estimator, Recipe
from in_process import assay as told_by
from troublesome import shop

pytestmark = pytest.mark.slow


def project(folder: Path, rows: int = 640, **columns: pl.Expr) -> Project:
    table = shop(rows).with_columns(**columns)
    return Project.create(folder / "shop", table, target="bought", seed=2)


def test_what_goes_wrong_costs_one_trial_and_is_told(tmp_path: Path) -> None:
    names = ("Hangs", "EatsMemory", "Crashes", "PredictsNaN", "Raises")
    result = experiment(
        project(tmp_path, 200),
        minutes=6,  # it ends sooner, when all were tried
        families=("linear",),
        estimators=[Estimator(path=f"troublesome.{name}") for name in names],
        most=8,
        fit_seconds=12,  # eating memory takes long where many others work
        memory_gib=0.75,
        confirm=False,
    )
    told = {each.family: each.reason for each in result.standings if each.state == "failed"}
    assert told.keys() == set(names)
    assert told["Hangs"] == "it took longer than 12 s"
    assert told["Crashes"] == "the process died: SIGSEGV"
    assert "not finite" in str(told["PredictsNaN"])
    assert "MiB" in str(told["EatsMemory"])
    assert told["Raises"] == "RuntimeError: it does not want to"
    assert {each.family for each in result.finished} >= {"project", "linear"}


def test_an_estimator_is_imported_from_the_folder_one_is_in(tmp_path: Path) -> None:
    (tmp_path / "mine.py").write_text("from troublesome import Plain\n\nclass Own(Plain): ...\n")
    made = project(tmp_path, 200)
    words = ("--estimator", "mine.Own", "--most", "2", "--workers", "1", "--no-confirm", "--json")
    command = [sys.executable, "-P", "-m", "assay", "experiment", "--path", made.path, *words]
    path = os.pathsep.join(each for each in sys.path if each)
    ended = subprocess.run(
        command,
        cwd=tmp_path,
        env={**os.environ, "PYTHONPATH": path},
        capture_output=True,
        text=True,
        check=True,
    )
    states = {each["family"]: each["state"] for each in json.loads(ended.stdout)["standings"]}
    assert states == {"project": "finished", "Own": "finished"}


def test_what_the_projects_recipe_still_reads_and_that_it_failed_is_told(tmp_path: Path) -> None:
    made = project(tmp_path, 200, leak=pl.col("bought").str.to_uppercase())
    made.save_recipe(made.recipe.with_estimator("troublesome.Raises"))
    result = experiment(made, families=("linear",), most=2, workers=1, confirm=False)
    assert {each.family: each.state for each in result.standings} == {
        "project without leak": "failed",
        "linear": "finished",
    }
    assert result.recipe == made.recipe
    assert any("recipe.toml still reads leak" in each for each in result.notes)
    story = tell(result)
    assert "The linear recipe could not be compared with the project's" in story.headline
    assert "failed in the search: RuntimeError: it does not want to" in story.claim
    assert "--fit-seconds" in story.claim


def test_a_better_recipe_is_found_confirmed_and_used(tmp_path: Path) -> None:
    made = project(tmp_path, leak=pl.col("bought").str.to_uppercase(), same=pl.lit(1))
    events: list[object] = []
    result = experiment(made, minutes=1, most=6, on_event=events.append)
    assert [each.column for each in result.leaks] == ["leak"] == list(result.left_out)
    assert "left out" in result.notes[0]
    assert result.improved
    assert result.promised is not None
    assert result.promised.after is not None
    assert result.promised.after.n == result.vault == 160
    assert result.claimed is not None
    assert result.optimism == pytest.approx(
        result.claimed.estimate - result.promised.after.estimate
    )
    columns = {c for f in result.recipe.all_features for c in f.columns}  # type: ignore[union-attr]
    assert columns == {"size", "age", "town"}
    assert Project.open(made.path).recipe == result.recipe
    new = shop(300, seed=9).with_columns(leak=pl.lit("?"), same=pl.lit(1))
    predicted = predict_table(Project.open(made.path), new)
    assert (predicted["prediction"] == predicted["bought"]).mean() > 0.8
    ledger = made.ledger()
    assert recorded_experiment(ledger) == result
    assert ExperimentResult.from_json(result.to_json()) == result
    for each in result.standings:
        assert ledger.get(each.id).body["recipe"] == each.recipe.plain()
    page = render_html(result)
    assert "<script" not in page
    assert all(each.id in page for each in result.standings)


def test_a_sample_is_searched_and_all_rows_are_built_on(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(circumspection, "MOST_ROWS", 400)
    built, own = [], building.fit_recipe

    def counted(recipe: Recipe, rows: pl.DataFrame, *given: object, **named: object) -> object:
        built.append(rows.height)
        return own(recipe, rows, *given, **named)  # type: ignore[arg-type]

    monkeypatch.setattr(building, "fit_recipe", counted)
    result = experiment(
        project(tmp_path, 1600), minutes=1, families=("extra_trees",), most=2, workers=1
    )
    assert result.sampled == 400
    assert result.improved
    assert built == [result.rows, result.rows] == [1200, 1200]


RUN = """
import sys
from assay import Project
from assay.experiment import circumspection, experiment
experiment(Project.open(sys.argv[1]), minutes=5, most=6, families=("linear",), confirm=False)
"""


def test_the_costs_of_a_plan_choose_promise_and_decide(tmp_path: Path) -> None:
    made = project(tmp_path)
    plan = make_plan(made, "who buys; false alarms cost 1, misses 3; in 1 minute")
    assert not {"margins"} & set(plan.families), "costs need probabilities"
    result = experiment(made, plan=plan, families=("extra_trees",), most=2)
    assert result.improved
    assert result.promised is not None
    for figure in (result.claimed, result.screened, result.promised.after):
        assert figure is not None
        assert figure.name == "cost_1_3"
        assert figure.interval is not None
        assert figure.interval.low <= figure.estimate <= figure.interval.high
    opened = Project.open(made.path)
    assert opened.task.metric == "cost_1_3"
    assert opened.recipe == result.recipe
    predicted = predict_table(opened, shop(300, seed=9))
    missed = (predicted["prediction"] == "no") & (predicted["bought"] == "yes")
    alarms = (predicted["prediction"] == "yes") & (predicted["bought"] == "no")
    assert missed.sum() < alarms.sum(), "a miss costs three alarms"


def tried(folder: Path) -> list[dict[str, object]]:
    with Project.open(folder).ledger() as ledger:
        return [each.body for each in ledger.entries("event") if each.body.get("what") == TRIED]


def test_a_killed_search_goes_on_where_it_was(tmp_path: Path) -> None:
    made = project(tmp_path)
    command = [sys.executable, "-c", RUN, str(made.path)]
    first = subprocess.Popen(command)
    while len(before := tried(made.path)) < 3:
        assert first.poll() is None
        time.sleep(0.05)
    first.send_signal(signal.SIGKILL)
    first.wait()
    before = tried(made.path)
    subprocess.run(command, check=True)
    after = tried(made.path)
    assert after[: len(before)] == before
    finished = [each["number"] for each in after if each["state"] == "finished"]
    assert len(finished) == len(set(finished)), "nothing that was judged is judged again"
    assert len({each["number"] for each in after}) == 6
    assert recorded_experiment(made.ledger()).run == "run-1"
    deadline = time.monotonic() + 20
    while workers_of(first.pid) and time.monotonic() < deadline:
        time.sleep(0.2)
    assert not workers_of(first.pid), "a killed search leaves no workers behind"


def workers_of(process: int) -> list[str]:
    """Return the search workers that are orphans of a killed process."""
    listed = subprocess.run(
        ["ps", "-eo", "pgid,ppid,args"], capture_output=True, text=True, check=True
    ).stdout
    lines = [each.split(maxsplit=2) for each in listed.splitlines()[1:]]
    return [
        args
        for _, parent, args in lines
        if "assay.experiment.search.worker" in args and parent in ("1", str(process))
    ]


def test_the_command_searches_with_a_program_and_shows_the_leaderboard(tmp_path: Path) -> None:
    made = project(tmp_path, 240)
    program = tmp_path / "program.py"
    program.write_text(
        "import pathlib, sys, polars as pl\n"
        "verb, folder = sys.argv[1], pathlib.Path(sys.argv[2])\n"
        "if verb == 'fit':\n"
        "    rows = pl.read_parquet(folder / 'train.parquet')\n"
        "    (folder / 'model').write_text(str(rows['target'].mode()[0]))\n"
        "else:\n"
        "    rows = pl.read_parquet(folder / 'rows.parquet')\n"
        "    code = int((folder / 'model').read_text())\n"
        "    found = pl.DataFrame({'prediction': [code] * rows.height})\n"
        "    found.write_csv(folder / 'predictions.csv')\n"
    )
    assay = [sys.executable, "-m", "assay"]
    options = ["--minutes", "6", "--most", "3", "--family", "linear", "--no-confirm"]
    options += ["--path", str(made.path), "--json"]
    command = [*assay, "experiment", "--command", f"{sys.executable} {program}", *options]
    environment = {**os.environ, "ASSAY_WORKERS": "2"}
    ended = subprocess.run(command, capture_output=True, text=True, check=True, env=environment)
    told = json.loads(ended.stdout)
    own = next(each for each in told["standings"] if each["origin"] == "yours")
    assert own["family"] == "CommandClassifier"
    assert own["state"] in ("finished", "waiting")
    assert (made.path / "experiment.html").is_file()
    shown = told_by("experiments", cwd=made.path).stdout
    assert "CommandClassifier" in shown
    assert told["run"] in shown


def test_mistakes_are_told_before_anything_is_searched(tmp_path: Path) -> None:
    made = project(tmp_path, 240, leak=pl.col("bought"))
    for wrong, message in (
        ({"minutes": 0}, "minutes must be above zero"),
        ({"engine": "steam"}, "engine is not known"),
        ({"sampler": "luck"}, "sampler is not known"),
        ({"keep": ["colour"]}, "no such column to keep"),
        ({"leave_out": ["colour"]}, "no such column to leave out"),
        ({"leave_out": ["age"], "keep": ["age"]}, "both kept and left out"),
        ({"leave_out": ["size", "age", "town"]}, "nothing to search"),
        ({"families": ["words"]}, "no such family"),
        ({"estimators": [Estimator(path="nowhere.Model")]}, "cannot be imported"),
    ):
        with pytest.raises(InputError, match=message):
            experiment(made, **wrong)  # type: ignore[arg-type]


def test_tracking_without_mlflow_is_told(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("MLFLOW_TRACKING_URI", f"sqlite:///{tmp_path / 'runs.db'}")
    monkeypatch.setitem(sys.modules, "mlflow", None)
    with pytest.raises(MissingExtraError, match=r"assay\[mlflow\]"):
        experiment(project(tmp_path, 240))


def test_what_a_search_found_is_proposed_again_without_a_second_search(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    made = project(tmp_path, 400)
    source = SearchSource(minutes=6, families=("boosting",), most=2)
    observation = observe(
        made,
        source,
        made.recipe,
        search=made.search(),
        pool=made.pool(),
        gateway=made.gateway(),
        ledger=made.ledger(),
    )
    first = list(source.propose(observation))
    edited = [each.apply(made.recipe) for each in first]
    assert "HistGradientBoosting" in edited[-1].estimator.path
    assert all(each.name.startswith("search: ") for each in first)
    entries = len(made.ledger().entries("event"))
    monkeypatch.setattr(SearchSource, "_search", None)  # a second search would fail
    again = [each.apply(made.recipe) for each in source.propose(observation)]
    assert again == edited
    assert len(made.ledger().entries("event")) == entries
