"""Constraints are shown, edited and enforced."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from assay import Project, SynthesisResult, improve, synthesize
from assay.diagnose.spec import Finding
from assay.diagnose.strategies.edits import edits_of
from assay.errors import InputError
from assay.evidence import compare
from assay.improve.observe import observe
from assay.llm import Gateway
from assay.recipe import Observation, Tools, training_rows
from assay.synth.constraints import (
    Between,
    mine_constraints,
    read_constraints,
    read_stated,
    write_constraints,
)
from assay.synth.curation import curated_rows
from assay.synth.report import render_html
from assay.synth.source import SynthesisSource
from assay.tables.predicate_text import predicate_from_words
from in_process import assay
from synth.tables_made_up import FEATURES, TASK, customers

AGES = Between(column="age", low=30, high=50)


def unused(*_: object, **__: object) -> object:
    raise AssertionError("nothing is read")


TOOLS = Tools(unused, unused)  # type: ignore[arg-type]


@pytest.fixture
def project(tmp_path: Path) -> Project:
    rows = customers(500, gaps=False).drop("row_id")
    made = Project.create(tmp_path / "p", rows, target="class", kind="binary", metric="auc")
    made.ledger().close()
    return made


def test_they_are_written_for_editing_and_then_read(project: Project) -> None:
    first = assay("synth", "--path", project.path, "--constraints", cwd=project.path)
    path = project.path / "constraints.toml"
    assert read_constraints(path) == mine_constraints(project.search(), project.task.inputs)
    assert "region is one of" in first.stdout
    write_constraints((AGES,), path)
    told = json.loads(assay("synth", "--constraints", "--json", cwd=project.path).stdout)
    assert [each["column"] for each in told["constraints"]] == ["age"]


@pytest.mark.slow
def test_what_is_stated_holds_in_every_row_and_in_every_fold(project: Project) -> None:
    write_constraints((AGES,), project.path / "constraints.toml")
    result = synthesize(project, method="copula", doses=(1,), confirm=False)
    made = project.ledger().read_table(result.artefact)
    assert made["age"].is_between(30, 50).all()
    assert result.constraints == (str(AGES),)
    assert str(AGES) in render_html(result)
    assert SynthesisResult.from_json(result.to_json()) == result
    assert result.batches[0].filters[0].why.keys() >= {str(AGES)}
    project.ledger().close()
    text = (project.path / "constraints.toml").read_text()
    given = {"method": "copula", "class_name": "rare", "count": 60, "seed": 1}
    rows = customers(500, gaps=False)
    free = curated_rows(rows, TASK, **given)  # type: ignore[arg-type]
    held = curated_rows(rows, TASK, **given, constraints=text)  # type: ignore[arg-type]
    assert not free["age"].is_between(30, 50).all()
    assert held["age"].is_between(30, 50).all()
    assert set(FEATURES) <= set(held.columns)


def test_two_that_contradict_each_other_are_named(project: Project) -> None:
    path = project.path / "constraints.toml"
    write_constraints((AGES, Between(column="age", low=60, high=70)), path)
    with pytest.raises(InputError, match="contradict each other: age lies between 30"):
        synthesize(project, method="copula", doses=(1,), confirm=False)
    project.ledger().close()


def test_what_assay_improve_proposes_holds_them_too(project: Project) -> None:
    write_constraints((AGES,), project.path / "constraints.toml")
    proposed = list(SynthesisSource().propose(seen(project)))
    assert {each.origin for each in proposed} == {"rule:smote", "rule:forest", "rule:copula"}
    rows = project.search()
    for each in proposed:
        recipe = each.apply(project.recipe)
        assert read_stated(recipe.rows.made[0].parameters["constraints"]) == (AGES,)
    recipe = proposed[0].apply(project.recipe)
    made = training_rows(recipe, rows, project.task, TOOLS, seed=0).rows[rows.height :]
    assert made.height
    assert made["age"].is_between(30, 50).all()


def test_made_rows_that_a_finding_suggests_hold_them_too(project: Project) -> None:
    worse = compare(["a", "b"] * 9, ["a"] * 18, ["b"] * 18)
    old = Finding(
        "AS101", "old customers", "low", "slices", "", worse,
        0.01, 0.1, 0.1, 40, predicate=predicate_from_words("age > 50"),
    )  # fmt: skip
    for constraints in (None, (AGES,)):
        (made,) = [
            each for kind, each in edits_of(old, project.task, constraints) if kind == "synthesise"
        ]
        text = made.apply(project.recipe).rows.made[0].parameters.get("constraints", "")
        assert read_stated(text) == constraints


def test_a_run_of_improve_does_not_begin_with_constraints_that_cannot_be_kept(
    project: Project,
) -> None:
    height = Between(column="height", low=1, high=2)
    write_constraints((height,), project.path / "constraints.toml")
    with pytest.raises(InputError, match="none of the inputs: height lies between 1 and 2"):
        improve(project, sources=[])
    assert not project.ledger().entries("run")
    project.ledger().close()


def seen(project: Project) -> Observation:
    """Return what ``assay improve`` shows a source."""
    ledger, source = project.ledger(), SynthesisSource()
    with Gateway(ledger) as gateway:
        return observe(
            project,
            source,
            project.recipe,
            search=project.search(),
            pool=project.pool(),
            gateway=gateway,
            ledger=ledger,
        )
