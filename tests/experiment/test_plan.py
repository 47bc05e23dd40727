"""Plans: what the rules say, what a model may add, and what is told where one is unusable."""

from __future__ import annotations

import re
import subprocess
import sys
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import polars as pl
import pytest

from assay import Project
from assay.errors import InputError
from assay.experiment import experiment
from assay.experiment.order import Order, first_entrants
from assay.experiment.plan import ExperimentPlan, make_plan, plan_to_toml, read_plan, write_plan
from assay.experiment.plan.page import render_page
from assay.experiment.plan.spec import Section, Try
from assay.experiment.plan.suggestions import (
    SuggestedFeature,
    SuggestedLate,
    SuggestedRisk,
    SuggestedTry,
    Suggestions,
)
from assay.experiment.plan.values import tried_values
from assay.experiment.search.circumstances import Circumstances
from assay.experiment.search.families import families_for
from assay.llm import Prompt, ScriptedModel
from assay.recipe import baseline_recipe
from assay.task import ClassDescription, Task
from in_process import assay as told_by
from newsroom import newsroom
from troublesome import shop

CHURN = "predict churn next month; false alarms cost 1, misses 20; explain to auditors"
TASK = Task(
    kind="binary",
    modality="tabular",
    target="bought",
    features=("size", "age", "town"),
    classes=(ClassDescription(name="no"), ClassDescription(name="yes")),
)
FAMILIES = families_for(Circumstances.of(TASK, shop(200)))


@pytest.fixture
def project(tmp_path: Path) -> Project:
    table = shop(400).with_columns(
        customer_id=pl.Series([f"c{number // 4}" for number in range(400)]),
        since=pl.Series([f"2024-{1 + n % 12:02d}-{1 + n % 28:02d}" for n in range(400)]),
        afterwards=pl.col("bought").str.to_uppercase(),
    )
    return Project.create(tmp_path / "shop", table, target="bought")


def test_costs_that_are_not_understood_are_said_to_be(project: Project) -> None:
    plan = make_plan(project, "false alarms cost € 2.000, misses cost € 20.000")
    assert plan.costs is None
    assert plan.metric == project.task.metric
    assert "not understood" in " ".join(each.what for each in plan.section("metric"))


def told(plan: ExperimentPlan, section: Section) -> str:
    return "\n".join(f"{each.what}; {each.why}" for each in plan.section(section))


def test_a_plan_by_costs_tells_their_power_and_a_time_that_is_not_the_searchs(
    project: Project,
) -> None:
    plan = make_plan(project, "false alarms cost 1, misses 20; what fails in 48 hours")
    assert "standard deviations of one row's difference" in told(plan, "power")
    assert plan.minutes == 10
    assert "not clearly the search's" in told(plan, "stopping")


def test_a_plan_for_texts_tells_what_embedding_costs_and_explains_without_it(
    tmp_path: Path,
) -> None:
    made = Project.create(tmp_path / "news", newsroom(200), target="topic", text="text")
    models = made.settings.models.model_copy(update={"embed": "openai:small"})
    settings = made.settings.model_copy(update={"models": models})
    costly = replace(made, file=made.file.model_copy(update={"settings": settings}))
    assert "$0" in told(make_plan(made, "sort headlines"), "cost")
    assert "openai:small charges to embed 100 texts" in told(
        make_plan(costly, "sort headlines"), "cost"
    )
    plan = make_plan(costly, "sort headlines; explain it; false alarms cost 1, misses cost 20")
    assert plan.families == ("words", "letters")
    assert "$0" in told(plan, "cost")
    assert plan.costs is None
    assert "costs are of two classes" in told(plan, "metric")


def test_rules_alone_give_a_full_plan(project: Project) -> None:
    plan = make_plan(project, CHURN)
    sections = {each.section for each in plan.lines}
    assert len(sections) == 13, "every section has something to say"
    assert {each.by for each in plan.lines} == {"rule"}
    assert plan.metric == "cost_1_20"
    assert plan.left_out == ("afterwards",)
    about_it = {each.section for each in plan.lines if "afterwards" in each.what}
    assert about_it == {"leakage"}, "what is left out is not prepared, nor made features of"
    assert plan.families == ("linear",), "an auditor is shown sums of effects"
    told = "\n".join(f"{each.what} {each.why}" for each in plan.lines)
    assert "0.048" in told
    assert "--time since" in told
    assert "--group customer_id" in told
    assert "judges by cost_1_20" in told
    assert "set metric =" not in told
    assert "At 80% power" in told
    page = render_page(plan.model_copy(update={"question": "<b>why</b>"}))
    assert "&lt;b&gt;why" in page
    assert "<b>why" not in page


def test_a_project_is_judged_by_costs_before_it_says_so(project: Project) -> None:
    file = project.path / "assay.toml"
    before = file.read_text()
    costly = project.judged_by("cost_1_20")
    assert costly.task.threshold == pytest.approx(1 / 21)
    assert costly.vault().n == project.vault().n
    assert file.read_text() == before
    costly.save_metric()
    after = file.read_text()
    assert after.replace("cost_1_20", project.task.metric) == before, "nothing else changed"
    assert Project.open(project.path).task == costly.task
    with pytest.raises(InputError, match="metric"):
        project.judged_by("rmse")


def test_a_plan_is_read_back_from_its_text(project: Project, tmp_path: Path) -> None:
    plan = make_plan(project, "rank buyers, in 3 minutes")
    assert (plan.metric, plan.minutes) == ("auc", 3)
    write_plan(plan, tmp_path / "plan.toml")
    assert read_plan(tmp_path / "plan.toml") == plan
    (tmp_path / "plan.toml").write_text(plan_to_toml(plan).replace("minutes = 3.0", "minutes = 0"))
    with pytest.raises(InputError, match="minutes"):
        read_plan(tmp_path / "plan.toml")
    with pytest.raises(InputError, match="no plan"):
        read_plan(tmp_path / "absent.toml")
    with pytest.raises(InputError, match="question is empty"):
        make_plan(project, "  ")


@pytest.mark.parametrize(
    ("values", "message"),
    [
        ({"C": 1.0, "numbers": "rank"}, r"numbers of linear.*not one of plain.*Given: rank"),
        ({"C": "many"}, r"C of linear.*not a number.*Given: many"),
        ({"C": -1}, r"C of linear.*not from 0\.\d+ to"),
        ({"depth": 3}, r"linear does not have.*Given: depth.*Allowed: C"),
    ],
)
def test_a_try_that_was_edited_is_checked(values: dict[str, Any], message: str) -> None:
    order = Order(tries=(Try(family="linear", values=values),))
    with pytest.raises(InputError, match=message):
        first_entrants(order, baseline_recipe(TASK), FAMILIES, TASK)


def test_every_default_is_a_try_that_is_taken() -> None:
    for family in FAMILIES:
        for values in family.defaults:
            assert tried_values(Try(family=family.name, values=values), family) == values


def test_a_plan_that_cannot_be_read_or_written_is_one_message(
    project: Project, tmp_path: Path
) -> None:
    (tmp_path / "plan.toml").write_bytes('question = "für"'.encode("latin-1"))
    with pytest.raises(InputError, match="not UTF-8"):
        read_plan(tmp_path / "plan.toml")
    out = tmp_path / "plan.toml" / "plan.toml"
    ended = told_by("plan", "who buys", "--path", project.path, "--out", out, cwd=tmp_path)
    assert ended.returncode == 2
    assert "Could not write plan.toml" in ended.stderr


def test_the_command_that_follows_a_plan_is_told_whole(project: Project, tmp_path: Path) -> None:
    ended = told_by("plan", "who buys", "--path", "shop", cwd=tmp_path)
    file = project.path / "plan.toml"
    assert f"assay experiment --path shop --plan {file}" in ended.stdout


def test_what_a_model_adds_is_taken_where_it_is_valid(project: Project) -> None:
    suggested = Suggestions(
        tries=[
            SuggestedTry(family="linear", parameter="C", value="0.02", why="many columns"),
            SuggestedTry(family="linear", parameter="C", value="-4"),
            SuggestedTry(family="linear", parameter="depth", value="3"),
            SuggestedTry(family="transformer", parameter="heads", value="8"),
            SuggestedTry(family="linear", parameter="numbers", value="cubes"),
            SuggestedTry(family="boosting", parameter="max_iter", value="80.5"),
        ],
        risks=[
            SuggestedRisk(column="since", risk="drifts"),
            SuggestedRisk(column="colour", risk="unfair"),
            SuggestedRisk(column="age", risk=" "),
        ],
        features=[
            SuggestedFeature(operation="ratio", columns=["age", "size"], why="frequent for an age"),
            SuggestedFeature(operation="ratio", columns=["age"]),
            SuggestedFeature(operation="ratio", columns=["age", "since"]),
            SuggestedFeature(operation="ratio", columns=["age", "age"]),
            SuggestedFeature(operation="ratio", columns=["age", "afterwards"]),
            SuggestedFeature(operation="fourier", columns=["age"]),
        ],
        known_late=[
            SuggestedLate(column="size", why="counted at the end of the year"),
            SuggestedLate(column="colour", why="painted later"),
        ],
    )
    prompts: list[Prompt] = []

    def generate(prompt: Prompt) -> Any:
        prompts.append(prompt)
        return suggested.model_dump()

    scripted = ScriptedModel(generate=generate, name="planner")
    name = scripted.name
    plan = make_plan(project, "predict buyers", model=name, models={name: scripted})
    assert [(each.family, each.values["C"], each.by) for each in plan.tries] == [
        ("linear", 0.02, name)
    ]
    assert len(plan.dropped) == 13
    reasons = " ".join(each.reason for each in plan.dropped)
    for part in (
        *("not from", "no such parameter", "no such family", "not one of", "not a whole"),
        *("needs 2 columns", "since holds date, not number", "one column twice", "it is left out"),
        *("no such operation", "no such column", "it says nothing"),
    ):
        assert part in reasons
    added = {each.section: each.what for each in plan.lines if each.by == name}
    assert added["features"] == "ratio of age, size"
    assert added["risks"] == "since: drifts"
    assert re.search(
        r"is 'size' known when .* it explains \d+\.\d% of the target", added["leakage"]
    )
    rows: Sequence[Any] = project.search()["customer_id"].to_list()
    assert not any(f"{each}\n" in prompts[0].instructions for each in rows)
    task, order = project.task, Order(tries=plan.tries)
    families = families_for(Circumstances.of(task, project.search()))
    entrants = first_entrants(order, project.recipe, families, task)
    assert [each.origin for each in entrants][:3] == ["recipe", "plan", "portfolio"]
    assert entrants[1].recipe.estimator.parameters["C"] == 0.02


def test_columns_that_a_plan_leaves_out_are_read_by_no_recipe(project: Project) -> None:
    plan = make_plan(project, "predict buyers")
    plan = plan.model_copy(update={"left_out": (*plan.left_out, "age", "since")})
    result = experiment(
        project, plan=plan, families=["linear"], most=2, workers=1, confirm=False, keep=["since"]
    )
    assert set(result.left_out) == {"afterwards", "age"}
    assert any("age left out, as you asked" in each for each in result.notes)
    read = {name for each in result.baseline.features for name in each.columns}
    assert read == {"size", "town", "customer_id", "since"}


def test_the_command_writes_the_plan_and_its_page(project: Project) -> None:
    command = [sys.executable, "-m", "assay", "plan", CHURN, "--path", str(project.path)]
    told = subprocess.run(command, capture_output=True, text=True, check=True).stdout
    assert "cost_1_20" in told
    assert read_plan(project.path / "plan.toml").question == CHURN
    assert "cost_1_20" in (project.path / "plan.html").read_text()
