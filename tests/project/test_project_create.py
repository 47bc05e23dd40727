"""A project is made whole, opens again, and keeps the vault's rows to the vault."""

from __future__ import annotations

import datetime as dt
import stat
from pathlib import Path
from typing import Any

import numpy as np
import polars as pl
import pytest
from polars.testing import assert_frame_equal

from assay.errors import AssayError, InputError, LedgerError, ProjectError, VaultError
from assay.project import Project
from assay.recipe import Recipe
from assay.task import Task
from newsroom import TASK, newsroom


def labelled_and_not(labelled: int = 240, empty: int = 60) -> pl.DataFrame:
    table = newsroom(labelled + empty, seed=5, words=12)
    return table.with_columns(topic=pl.when(pl.int_range(pl.len()) < labelled).then("topic"))


def numbers(rows: int = 240, **columns: Any) -> pl.DataFrame:
    random = np.random.default_rng(0)
    return pl.DataFrame(
        {"a": random.random(rows), "b": random.random(rows), "y": random.random(rows), **columns}
    )


def every_row(project: Project) -> dict[str, pl.DataFrame]:
    locked = pl.read_parquet(project.state / "vault" / "rows.parquet")
    return {"search": project.search(), "pool": project.pool(), "vault": locked}


def test_what_is_made_can_be_opened_and_holds_every_row_once(tmp_path: Path) -> None:
    table = labelled_and_not()
    made = Project.create(tmp_path / "news", table, target="topic", seed=4)
    opened = Project.open(tmp_path / "news")
    assert opened.task == made.task
    assert opened.settings == made.settings
    assert opened.settings.seed == 4
    assert opened.recipe == made.recipe
    assert opened.vault().n == 100
    rows = every_row(opened)
    assert {role: each.height for role, each in rows.items()} == {
        "search": 140,
        "pool": 60,
        "vault": 100,
    }
    assert rows["pool"].columns == ["row_id", "text"]
    together = pl.concat(rows.values(), how="diagonal").select(table.columns).sort("row_id")
    assert_frame_equal(together, table.sort("row_id"))


def test_the_task_is_told_with_its_reasons(tmp_path: Path) -> None:
    project = Project.create(tmp_path / "news", labelled_and_not(), target="topic")
    assert (project.task.kind, project.task.text) == ("multiclass", "text")
    told = {each.what: each.why for each in project.notes}
    assert "25% of the labelled rows" in told["100 rows are locked in the vault"]
    assert "'topic' is empty" in told["60 rows are the pool"]
    assert "words" in told["text task on 'text'"]


def test_assay_toml_is_commented_and_read_anew(tmp_path: Path) -> None:
    project = Project.create(tmp_path / "news", labelled_and_not(), target="topic")
    file = project.path / "assay.toml"
    text = file.read_text()
    for line in (
        "format = 1",
        "# minutes = 30 # wall time",
        "# rows: 140 search, 60 pool, 100 vault",
        'metric = "accuracy" # or balanced_accuracy, macro_f1, log_loss',
    ):
        assert line in text.splitlines()
    edited = text.replace("# minutes = 30", "minutes = 7").replace(
        "min_effect = 0.0", "min_effect = 0.02"
    )
    file.write_text(edited.replace('description = ""', 'description = "harvest"', 1))
    again = Project.open(project.path)
    assert again.settings.budget.minutes == 7
    assert again.settings.min_effect == 0.02
    assert again.task.classes[0].words == "harvest"


def test_a_recipe_is_kept_and_replaced(tmp_path: Path) -> None:
    project = Project.create(tmp_path / "news", labelled_and_not(), target="topic")
    other = project.recipe.with_parameters(C=7.0)
    project.save_recipe(other)
    assert Project.open(project.path).recipe == other
    made = Project.create(tmp_path / "two", labelled_and_not(), target="topic", recipe=other)
    assert made.recipe == other


def test_a_project_is_found_from_below(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    project = Project.create(tmp_path / "news", labelled_and_not(), target="topic")
    below = project.path / "notes" / "deep"
    below.mkdir(parents=True)
    assert Project.open(below).path == project.path
    monkeypatch.chdir(below)
    assert Project.open().path == project.path


def test_the_vault_and_its_folder_are_the_owners_alone(tmp_path: Path) -> None:
    project = Project.create(tmp_path / "news", labelled_and_not(), target="topic")
    vault = project.state / "vault"
    assert stat.S_IMODE(vault.stat().st_mode) == 0o700
    assert stat.S_IMODE((vault / "rows.parquet").stat().st_mode) == 0o600
    assert (project.state / ".gitignore").read_text() == "*\n"
    ordinary = tmp_path / "ordinary"
    ordinary.mkdir()
    assert project.path.stat().st_mode == ordinary.stat().st_mode


def test_vault_rows_lie_nowhere_but_in_the_vault(tmp_path: Path) -> None:
    table = labelled_and_not().with_columns(text=pl.format("{} canary{}end", "text", "row_id"))
    project = Project.create(tmp_path / "news", table, target="topic")
    vault = project.state / "vault"
    canaries = [each.split()[-1].encode() for each in every_row(project)["vault"]["text"]]
    project.ledger().close()
    elsewhere = [each for each in project.path.rglob("*") if each.is_file()]
    content = b"".join(each.read_bytes() for each in elsewhere if vault not in each.parents)
    content += "".join(map(str, project.search().rows() + project.pool().rows())).encode()
    assert canaries
    assert not [each for each in canaries if each in content]


def test_copies_of_locked_rows_leave_the_pool(tmp_path: Path) -> None:
    table = newsroom(300, seed=5, words=12)
    unlabelled = table.with_columns(
        row_id=pl.format("copy-{}", "row_id"), topic=pl.lit(None, dtype=pl.String)
    )
    project = Project.create(tmp_path / "news", pl.concat([table, unlabelled]), target="topic")
    rows = every_row(project)
    assert rows["pool"].height == 200
    assert not set(rows["pool"]["text"]) & set(rows["vault"]["text"])
    assert "100 rows of the pool are left out" in [each.what for each in project.notes]


def test_labelled_copies_stay_on_one_side_and_it_is_noted(tmp_path: Path) -> None:
    table = newsroom(200, seed=5, words=12)
    twice = pl.concat([table, table.with_columns(row_id=pl.format("again-{}", "row_id"))])
    project = Project.create(tmp_path / "news", twice, target="topic")
    rows = every_row(project)
    assert not set(rows["search"]["text"]) & set(rows["vault"]["text"])
    assert any("200 labelled rows are copies" in each.what for each in project.notes)


def test_group_and_time_are_kept_beside_the_inputs(tmp_path: Path) -> None:
    days = [str(dt.date(2024, 1, 1) + dt.timedelta(days=each)) for each in range(240)]
    table = numbers(who=[each // 4 for each in range(240)], when=days)
    project = Project.create(tmp_path / "p", table, target="y", group="who", time="when")
    assert project.task.kind == "regression"
    assert project.search().columns == ["row_id", "a", "b", "y", "who", "when"]
    rows = every_row(project)
    assert rows["search"]["when"].max() < rows["vault"]["when"].min()  # type: ignore[operator]


def test_a_table_of_numbers_makes_a_tabular_project(tmp_path: Path) -> None:
    project = Project.create(tmp_path / "p", numbers(), target="y")
    assert project.task.features == ("a", "b")
    assert project.recipe.features[0].kind == "tabular"
    assert Project.open(project.path).search()["y"].dtype == pl.Float64


def test_a_given_task_is_taken_as_it_is(tmp_path: Path) -> None:
    project = Project.create(tmp_path / "news", labelled_and_not(), task=TASK)
    assert Project.open(project.path).task == TASK


def test_row_text_and_odd_column_names_are_only_data(tmp_path: Path) -> None:
    odd = '../../etc/"x"\n[settings]\nseed = 9 \x7f ☂'
    table = (
        labelled_and_not()
        .rename({"text": odd})
        .with_columns(topic=pl.col("topic") + "/../../\n=] \"'", role=pl.lit("vault"))
    )
    project = Project.create(tmp_path / "news", table, target="topic")
    opened = Project.open(project.path)
    assert opened.settings.seed == 0
    assert opened.task == project.task
    assert opened.task.text == odd
    assert opened.recipe == project.recipe
    assert sorted(each.name for each in tmp_path.iterdir()) == ["news"]


@pytest.mark.slow
def test_ten_thousand_columns(tmp_path: Path) -> None:
    random = np.random.default_rng(0)
    values = random.random((240, 10_000)).round(3)
    table = pl.DataFrame(values, schema=[f"c{each}" for each in range(10_000)])
    table.with_columns(y=pl.Series(random.choice(["a", "b"], 240))).write_csv(tmp_path / "wide.csv")
    project = Project.create(tmp_path / "wide", tmp_path / "wide.csv", target="y")
    opened = Project.open(project.path)
    assert len(opened.task.features) == 10_000
    assert opened.search().width == 10_002
    assert opened.recipe == project.recipe


def test_the_folders_own_files_stay(tmp_path: Path) -> None:
    (tmp_path / "data.csv").write_text("mine")
    Project.create(tmp_path, labelled_and_not(), target="topic")
    assert (tmp_path / "data.csv").read_text() == "mine"
    names = sorted(each.name for each in tmp_path.iterdir())
    assert names == [".assay", "assay.toml", "data.csv", "recipe.toml"]


@pytest.mark.parametrize("name", ["assay.toml", "recipe.toml", ".assay"])
def test_a_taken_folder_is_refused_and_untouched(tmp_path: Path, name: str) -> None:
    (tmp_path / name).write_text("mine")
    with pytest.raises(ProjectError, match=f"already: {name}"):
        Project.create(tmp_path, labelled_and_not(), target="topic")
    assert (tmp_path / name).read_text() == "mine"
    assert [each.name for each in tmp_path.iterdir()] == [name]


def test_a_file_is_no_folder(tmp_path: Path) -> None:
    (tmp_path / "news").write_text("mine")
    with pytest.raises(ProjectError, match="file, not a folder"):
        Project.create(tmp_path / "news", labelled_and_not(), target="topic")
    with pytest.raises(AssayError, match="Could not write"):
        Project.create(tmp_path / "news" / "below", labelled_and_not(), target="topic")
    assert (tmp_path / "news").read_text() == "mine"


BAD: dict[str, tuple[dict[str, Any], str]] = {
    "no target": ({}, "target is missing"),
    "unknown target": ({"target": "topics"}, "topics.*Allowed: topic"),
    "task and target": ({"task": TASK, "target": "topic"}, "target and task"),
    "task and metric": ({"task": TASK, "metric": "accuracy"}, "metric and task"),
    "negative seed": ({"target": "topic", "seed": -1}, "seed.*-1"),
    "no look": ({"target": "topic", "looks": 0}, "looks"),
    "class not in the task": (
        {"task": TASK.model_copy(update={"classes": TASK.classes[:2]})},
        "not among the task's classes",
    ),
}


@pytest.mark.parametrize(("given", "told"), BAD.values(), ids=BAD)
def test_bad_input_is_one_error_and_leaves_nothing(
    tmp_path: Path, given: dict[str, Any], told: str
) -> None:
    with pytest.raises(InputError, match=told):
        Project.create(tmp_path / "a" / "b", labelled_and_not(), **given)
    assert list(tmp_path.iterdir()) == []


def test_too_few_labels_leave_nothing(tmp_path: Path) -> None:
    with pytest.raises(InputError, match="label 1 more"):
        Project.create(tmp_path / "news", labelled_and_not(199, 60), target="topic")
    assert list(tmp_path.iterdir()) == []


def test_no_project_here(tmp_path: Path) -> None:
    with pytest.raises(ProjectError, match="assay init"):
        Project.open(tmp_path)


@pytest.fixture(scope="module")
def made(tmp_path_factory: pytest.TempPathFactory) -> Project:
    folder = tmp_path_factory.mktemp("made") / "news"
    return Project.create(folder, labelled_and_not(), target="topic")


TOML: dict[str, tuple[str, str, type[AssayError], str]] = {
    "newer": ("format = 1", "format = 2", ProjectError, "format = 2.*format = 1.*upgrade"),
    "no TOML": ("format = 1", "format = = 1", InputError, "not valid TOML"),
    "no format": ("format = 1", 'format = "x"', InputError, "format is not usable"),
    "unknown setting": ("seed = 0", "sede = 0", InputError, "settings.sede"),
    "bad alpha": ("alpha = 0.05", "alpha = 5", InputError, "settings.alpha"),
    "unknown cap": ("# minutes = 30", "hours = 30", InputError, "hours.*minutes"),
    "negative cap": ("# minutes = 30", "minutes = -1", InputError, "budget.minutes"),
    "wrong cap": ("# minutes = 30", 'minutes = "x"', InputError, "budget.minutes"),
    "bad policy": ('policy = "local"', 'policy = "none"', InputError, "settings.privacy"),
}


@pytest.mark.parametrize(("old", "new", "error", "told"), TOML.values(), ids=TOML)
def test_a_spoilt_assay_toml_is_one_clear_error(
    made: Project, tmp_path: Path, old: str, new: str, error: type[AssayError], told: str
) -> None:
    text = (made.path / "assay.toml").read_text()
    assert old in text
    (tmp_path / "assay.toml").write_text(text.replace(old, new, 1))
    with pytest.raises(error, match=told):
        Project.open(tmp_path)


def test_an_assay_toml_of_other_bytes_is_told_so(tmp_path: Path) -> None:
    (tmp_path / "assay.toml").write_bytes(b"format = 1 # caf\xe9\n")
    with pytest.raises(InputError, match="not valid TOML"):
        Project.open(tmp_path)


def test_altered_or_lost_state_is_told_so(tmp_path: Path) -> None:
    project = Project.create(tmp_path / "news", labelled_and_not(), target="topic")
    locked = project.state / "vault" / "rows.parquet"
    pl.read_parquet(locked).reverse().write_parquet(locked)
    with pytest.raises(VaultError, match="altered"):
        project.vault()
    (project.state / "data" / "pool.parquet").unlink()
    with pytest.raises(ProjectError, match="pool rows are gone"):
        project.pool()
    assert isinstance(project.recipe, Recipe)


def test_a_ledger_that_cannot_be_reached_leaves_nothing(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    pytest.importorskip("psycopg")
    monkeypatch.setenv("ASSAY_LEDGER", "postgresql://nobody@127.0.0.1:1/none")
    with pytest.raises(LedgerError):
        Project.create(tmp_path / "news", labelled_and_not(), target="topic")
    assert list(tmp_path.iterdir()) == []


def test_a_task_of_its_own_gets_its_classes(tmp_path: Path) -> None:
    task = Task(kind="multiclass", modality="text", target="topic", text="text")
    project = Project.create(tmp_path / "news", labelled_and_not(), task=task)
    assert project.task.class_names == tuple(sorted(TASK.class_names))
