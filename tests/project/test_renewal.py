"""A vault at the end of its looks: told, retired, renewed; through the API and the command."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import polars as pl
import pytest
from typer.testing import CliRunner

from assay import Project
from assay.cli.vault import app
from assay.errors import InputError, VaultError
from assay.project import renewal
from assay.recipe import AddedRows, Rows
from newsroom import TASK, newsroom


@pytest.fixture
def project(tmp_path: Path) -> Project:
    pool = newsroom(150, seed=3, prefix="p").with_columns(topic=pl.lit(None, pl.String))
    rows = pl.concat([newsroom(400, seed=1), pool])
    return Project.create(tmp_path / "news", rows, task=TASK)


@pytest.fixture
def new_rows() -> pl.DataFrame:
    return newsroom(130, seed=2, words=12, prefix="n")


def guess(rows: pl.DataFrame) -> np.ndarray:
    return np.array(["farm"] * rows.height)


def look(project: Project, key: str = "a:b") -> None:
    project.vault().confirm(guess, guess, key=key)


def run(project: Project, *words: object) -> dict[str, object]:
    command = [*map(str, words), "--path", str(project.path), "--json"]
    result = CliRunner().invoke(app, command)
    if result.exception is not None and not isinstance(result.exception, SystemExit):
        raise result.exception
    found: dict[str, object] = json.loads(result.stdout)
    return found


def test_a_look_is_told_in_the_status(project: Project) -> None:
    fresh = run(project, "status")
    assert (fresh["rows"], fresh["looks_left"], fresh["alpha_left"]) == (100, 1, 0.05)
    assert fresh["intact"] is True
    assert fresh["taken"] == []
    look(project)
    spent = run(project, "status")
    assert (spent["looks_left"], spent["alpha_left"]) == (0, 0.0)
    (taken,) = spent["taken"]  # type: ignore[misc]
    assert taken["question"] == "a:b"
    assert project.ledger().get(taken["id"]).kind == "look"
    told = CliRunner().invoke(app, ["status", "--path", str(project.path)]).stdout
    assert "0 of 1 looks left" in told
    assert "assay vault renew DATA" in told


def test_altered_rows_are_told_with_exit_code_2(project: Project) -> None:
    file = project.state / "vault" / "rows.parquet"
    file.write_bytes(file.read_bytes()[:-1] + b"\0")
    result = CliRunner().invoke(app, ["status", "--path", str(project.path), "--json"])
    assert result.exit_code == 2
    found = json.loads(result.stdout)
    assert found["intact"] is False
    assert "altered" in found["problem"]
    with pytest.raises(VaultError, match="altered"):
        renewal.retire(project, "tired of it")
    with pytest.raises(InputError, match="cannot be trained on"):
        renewal.retire(project, "broken disk", lost=True, to_search=True)
    assert renewal.retire(project, "broken disk", lost=True).to_search == 0
    with pytest.raises(VaultError, match="no vault here"):
        renewal.status(project)


def test_new_rows_are_locked_in_place_of_old_ones(
    project: Project, new_rows: pl.DataFrame, tmp_path: Path
) -> None:
    look(project)
    with pytest.raises(VaultError, match="assay vault renew DATA"):
        look(project, "another")
    old, search = project.vault().id, project.search()
    new_rows.write_csv(tmp_path / "new.csv")
    with pytest.raises(VaultError, match="--reason"):
        renewal.renew(project, new_rows)
    made = run(project, "renew", tmp_path / "new.csv", "--reason", "spent", "--looks", 2)
    assert made["rows"] == 130
    assert made["alpha_per_look"] == 0.025
    assert made["retired"] == {"vault": old, "rows": 100, "to_search": 0}
    assert project.search().equals(search)
    look(project, "another")
    events = [each.key for each in project.ledger().entries("event")]
    assert {f"vault-retired:{old}", f"vault-renewed:{made['vault']}"} <= set(events)
    retired = project.ledger().find("event", f"vault-retired:{old}")
    assert retired is not None
    assert retired.body["reason"] == "spent"


def test_retired_rows_become_search_rows_only_when_asked(project: Project) -> None:
    before = project.search()
    with pytest.raises(InputError, match="reason"):
        renewal.retire(project, "  ")
    vault = renewal.retire(project, "all looks are spent").vault
    assert project.search().equals(before)
    again = renewal.retire(project, "more to learn from", to_search=True)
    assert (again.vault, again.to_search) == (vault, 100)
    after = project.search()
    assert after.height == before.height + 100
    assert after["row_id"].n_unique() == after.height
    assert renewal.retire(project, "and again", to_search=True).to_search == 0
    with pytest.raises(VaultError, match="assay vault renew DATA"):
        project.vault()


def test_rows_that_were_searched_on_or_looked_at_are_left_out(
    project: Project, new_rows: pl.DataFrame
) -> None:
    known = project.search().head(20)
    copies = known.with_columns(row_id=pl.format("c{}", "row_id"))
    table = pl.concat([new_rows, known, copies], how="diagonal_relaxed")
    made = renewal.renew(project, table, reason="spent")
    assert made.status.rows == 130
    assert made.left_out == {"known already": 20, "copies of rows known already": 20}
    old = project.search().head(0)
    for each in (project.state / "vault").glob("retired-*.parquet"):
        old = pl.read_parquet(each)
    with pytest.raises(InputError, match=r"at least 100 fresh.*0 rows \(100 known already left"):
        renewal.renew(project, old, reason="again")
    assert project.vault().id == made.status.vault


def test_pool_rows_labelled_since_leave_the_pool(project: Project) -> None:
    pool = project.pool()
    labels = newsroom(150, seed=3, prefix="p").head(110).select("row_id", "topic")
    made = renewal.renew(project, labels, reason="spent")
    assert made.status.rows == 110
    assert not set(project.pool()["text"]) & set(pool["text"].head(110))
    assert project.pool().height <= 40
    with pytest.raises(InputError, match="rows of the pool"):
        renewal.renew(project, labels.with_columns(row_id=pl.format("x{}", "row_id")), reason="x")


def test_rows_that_the_recipe_trains_on_are_left_out(project: Project) -> None:
    votes = project.pool().head(30).with_columns(unlabelled=pl.lit(True))
    artefact = project.ledger().put_table(votes, name="votes.parquet")
    added = Rows(added=(AddedRows(votes=artefact, min_confidence=0.9),))
    project.save_recipe(project.recipe.model_copy(update={"rows": added}))
    labels = newsroom(150, seed=3, prefix="p").select("row_id", "topic")
    made = renewal.renew(project, labels, reason="spent")
    assert made.left_out["trained on by the recipe"] >= 30
    assert made.status.rows <= 120


def test_groups_and_time_stay_apart(tmp_path: Path) -> None:
    def written(rows: pl.DataFrame, start: int) -> pl.DataFrame:
        numbers = range(start, start + rows.height)
        return rows.with_columns(
            writer=pl.Series([f"w{n // 4}" for n in numbers]), day=pl.Series(numbers)
        )

    task = TASK.model_copy(update={"group": "writer", "time": "day"})
    project = Project.create(tmp_path / "news", written(newsroom(400, 1), 0), task=task)
    new = written(newsroom(140, seed=2, words=12, prefix="n"), 390)
    made = renewal.renew(project, new, reason="spent")
    assert made.status.rows == 130
    assert made.left_out == {"of groups known already": 10}


@pytest.mark.parametrize(
    ("damage", "message"),
    [
        (lambda t: t.head(50), "at least 100 fresh"),
        (lambda t: t.drop("topic"), "topic"),
        (lambda t: t.with_columns(topic=pl.lit("weather")), "not among the task's classes"),
        (lambda t: t.drop("text"), "rows of the pool"),
        (lambda t: t.drop("text", "row_id"), "text"),
        (lambda t: pl.concat([t, t]), "row_id does not tell the rows apart"),
    ],
)
def test_rows_that_cannot_be_locked_change_nothing(
    project: Project, new_rows: pl.DataFrame, damage: object, message: str
) -> None:
    held = project.vault().id, project.pool(), project.search()
    with pytest.raises(InputError, match=message):
        renewal.renew(project, damage(new_rows), reason="spent")  # type: ignore[operator]
    assert project.vault().id == held[0]
    assert project.pool().equals(held[1])
    assert project.search().equals(held[2])
