"""Constraints are shown, edited and enforced."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from assay import Project, SynthesisResult, synthesize
from assay.errors import InputError
from assay.synth.constraints import Between, mine_constraints, read_constraints, write_constraints
from assay.synth.curation import curated_rows
from assay.synth.report import render_html
from in_process import assay
from synth.tables_made_up import FEATURES, TASK, customers

AGES = Between(column="age", low=30, high=50)


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
