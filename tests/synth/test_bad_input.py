"""What a new user may type, and what a bad model may write, is told in words."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Callable
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import polars as pl
import pytest

from assay import Project, synthesize
from assay.errors import InputError
from assay.ledger import Ledger
from assay.llm import Gateway, ScriptedModel
from assay.llm.model import RowError
from assay.project.prepare import PURPOSE
from assay.synth.curation import curated_rows
from assay.synth.release import CARD, provenance, require_file_name
from assay.synth.report import headline
from assay.synth.scarcity import require_enough, scope
from assay.synth.spec import Order
from assay.synth.written import Written, WrittenMethod, write_rows
from assay.tables.predicate_text import predicate_from_words
from newsroom import TASK as NEWS
from newsroom import newsroom
from synth.tables_made_up import TASK, customers


@pytest.mark.parametrize(
    ("where", "told"),
    [
        ('region = "nowhere"', ["holds in no search row", "nowhere", "north, south, west"]),
        ("age > 200", ["holds in no search row", "18 to"]),
        ("opened > 2020", ["compares numbers", "dates"]),
        ('class = "rare"', ["none of the inputs", "for_class"]),
        ("age < 20", ["cannot be read", "<=", "is not empty"]),
        ("  ", ["cannot be read", "nothing"]),
    ],
)
def test_a_condition_that_selects_nothing_says_what_there_is(where: str, told: list[str]) -> None:
    with pytest.raises(InputError) as error:
        scope(customers(), TASK, None, where)
    assert all(each in str(error.value) for each in told)


@pytest.mark.parametrize("where", ["age = 40", "income = 1234567", 'age = "40.0"'])
def test_a_condition_on_a_number_may_be_written_in_any_way(where: str) -> None:
    rows = customers().with_columns(age=pl.lit(40.0), income=pl.lit(1234567))
    _, predicate = scope(rows, TASK, None, where)
    assert predicate.select(rows).all()


@pytest.mark.parametrize(("name", "told"), [("opera", "common, rare"), ("", "common, rare")])
def test_a_class_that_is_none_is_named(name: str, told: str) -> None:
    with pytest.raises(InputError, match="none of the classes") as error:
        scope(customers(), TASK, name, None)
    assert told in str(error.value)


def test_a_regression_has_no_classes_to_make_rows_of() -> None:
    task = TASK.model_copy(update={"kind": "regression", "target": "income", "classes": ()})
    with pytest.raises(InputError, match="regression has no classes"):
        scope(customers(), task, "rare", None)


def test_a_slice_that_is_too_small_is_named() -> None:
    where = predicate_from_words("age > 60 and age <= 20")
    with pytest.raises(InputError, match="0 search rows where age > 60") as error:
        require_enough(customers().head(0), TASK, None, where)
    assert "loosen the condition" in str(error.value)


def test_a_name_that_rows_cannot_be_written_under_is_refused_before_any_are_made(
    tmp_path: Path,
) -> None:
    taken = tmp_path / "taken"
    taken.write_text("mine")
    (tmp_path / "folder.csv").mkdir()
    for name in ("rows.xlsx", "rows.json", "taken", "taken/rows.csv", "folder.csv"):
        with pytest.raises(InputError, match="cannot be written there"):
            require_file_name(tmp_path / name)
    for name in ("rows.csv", "rows", "rows v1.2", "new/rows.parquet"):
        require_file_name(tmp_path / name)


def test_what_is_no_earlier_release_is_not_written_over(tmp_path: Path) -> None:
    card, rows = "\n".join(CARD), f"text,{PURPOSE}\n"
    for name, text in (
        ("README.md", "my own"), ("news.csv", "text,topic\n"), ("mine.md", card),
        ("mine.csv", "text,topic\n"), ("lone.csv", rows), ("again.md", card), ("again.csv", rows),
        ("other/notes.txt", "mine"), ("released/README.md", card), ("released/notes.txt", "mine"),
    ):  # fmt: skip
        (tmp_path / name).parent.mkdir(exist_ok=True)
        (tmp_path / name).write_text(text)
    (tmp_path / "empty").mkdir()
    for name in (".", "README.csv", "news.csv", "mine.csv", "lone.csv", "other"):
        with pytest.raises(InputError, match="is no earlier release"):
            require_file_name(tmp_path / name)
    for name in ("again.csv", "again.parquet", "mine.parquet", "empty", "released"):
        require_file_name(tmp_path / name)


def written_by(
    answer: Callable[[Any], Any], folder: Path, method: WrittenMethod = "write"
) -> Written:
    rows = newsroom(120, seed=0, words=30).filter(pl.col("topic") == "farm")
    long = rows.with_columns(text=pl.col("text") + " grain" * 400)
    order = Order(NEWS, long, "farm", 100, 0)
    models = {"scripted:model": ScriptedModel(generate=answer)}
    with Ledger.open(folder / "ledger") as ledger, Gateway(ledger, models=models) as gateway:
        return write_rows(order, method=method, model="scripted:model", gateway=gateway)


def first_example(prompt: Any) -> Any:
    return json.loads(prompt.text.split("\n")[2])


def test_a_writer_that_returns_its_examples_is_stopped_early(tmp_path: Path) -> None:
    written = written_by(first_example, tmp_path)
    assert written.asked == 16
    assert "what it was shown: 0 of its last 16" in str(written.stopped)


def test_a_text_column_called_prompt_holds_what_was_written(tmp_path: Path) -> None:
    task = NEWS.model_copy(update={"text": "prompt", "features": ("run", "seed", "planned")})
    rows = newsroom(60, seed=0).rename({"text": "prompt"})
    rows = rows.with_columns(run=pl.lit("alpha"), seed=pl.lit(7), planned=pl.lit(True))
    answer = {"c0": "wheat is up", "c1": "alpha", "c2": 7, "c3": True}
    models = {"scripted:model": ScriptedModel(generate=lambda _: answer)}
    order = Order(task, rows, "farm", 3, 0)
    with Ledger.open(tmp_path / "ledger") as ledger, Gateway(ledger, models=models) as gateway:
        written = write_rows(order, method="write", model="scripted:model", gateway=gateway)
    assert written.rows.select(task.inputs).unique().rows() == [tuple(answer.values())]
    assert written.rows["planned_cell"].str.contains("words").all()


@pytest.mark.parametrize("name", ["made_by", "shown", "assay_purpose"])
def test_a_column_called_as_one_of_the_provenance_is_refused_before_a_run_begins(
    tmp_path: Path, name: str
) -> None:
    rows = customers(300).drop("row_id").rename({"age": name})
    project = Project.create(tmp_path, rows, target="class")
    with pytest.raises(InputError, match="where made rows come from") as error:
        synthesize(project, for_class="rare")
    assert error.value.given == name
    assert not project.ledger().entries("run")
    project.ledger().close()


def test_a_maker_in_a_fold_refuses_such_a_column_too() -> None:
    rows = customers().rename({"age": "made_by"})
    task = TASK.model_copy(update={"features": ("made_by", *TASK.features[1:])})
    with pytest.raises(InputError, match="where made rows come from"):
        curated_rows(rows, task, method="copula", class_name="rare", count=9, seed=0)


def test_released_rows_keep_columns_called_run_and_seed() -> None:
    table = pl.DataFrame({"run": ["alpha"], "seed": [7]})
    told = provenance(SimpleNamespace(run="run-1", seed=3), table)  # type: ignore[arg-type]
    assert told.row(0) == ("alpha", 7, "run-1", 3, "train")


def test_a_writer_is_shown_both_ends_of_a_text_of_100_kb(tmp_path: Path) -> None:
    rows = newsroom(30, seed=0).with_columns(text=pl.col("text") + " grain" * 17_000 + " end")
    order = Order(NEWS, rows, "farm", 4, 0)
    scripted = ScriptedModel(generate=lambda _: {"c0": "wheat"})
    models = {"scripted:model": scripted}
    with Ledger.open(tmp_path / "ledger") as ledger, Gateway(ledger, models=models) as gateway:
        write_rows(order, method="write", model="scripted:model", gateway=gateway)
    for prompt in scripted.asked:
        assert len(prompt.text) < 5_000
        assert prompt.text.count("grain end") == 3


def test_a_writer_of_new_rows_is_not_stopped(tmp_path: Path) -> None:
    numbers = iter(range(1000))
    written = written_by(lambda _: {"c0": f"wheat number {next(numbers)}"}, tmp_path)
    assert (written.asked, written.stopped) == (100, None)


def test_more_paraphrases_than_rows_are_asked_for_in_other_words(tmp_path: Path) -> None:
    def answer(prompt: Any) -> dict[str, str]:
        return {"c0": f"wheat {hashlib.sha256(prompt.text.encode()).hexdigest()}"}

    written = written_by(answer, tmp_path, "paraphrase")
    assert (written.asked, written.stopped) == (100, None)
    assert written.rows["text"].n_unique() == 100
    assert written.rows["made_from"].n_unique() < 50


def test_a_writer_that_refuses_every_row_is_stopped_early(tmp_path: Path) -> None:
    written = written_by(lambda _: RowError("no", kind="refused"), tmp_path)
    assert written.asked < 100
    assert written.rows.is_empty()
    assert "none of the model's last" in str(written.stopped)


@pytest.mark.parametrize(
    ("content", "told"),
    [
        (b"[[constraints]\n", "not valid TOML"),
        (b"[[constraints]]\nkind = 'betwixt'\n", "is not usable"),
        (b"\xff\xfe", "no UTF-8"),
        (b"[[constraints]]\nkind = 'filled'\ncolumn = 'height'\n", "none of the inputs"),
        (b"[[constraints]]\nkind = 'between'\ncolumn = 'age'\nlow = 9\nhigh = 1\n", "no value"),
        (b"[[constraints]]\nkind = 'whole'\ncolumn = 'region'\n", "does not fit what region holds"),
    ],
)
def test_constraints_that_cannot_be_kept_are_told_before_a_run_begins(
    tmp_path: Path, content: bytes, told: str
) -> None:
    project = Project.create(tmp_path, customers(300).drop("row_id"), target="class")
    (tmp_path / "constraints.toml").write_bytes(content)
    with pytest.raises(InputError, match=told):
        synthesize(project, for_class="rare")
    assert not project.ledger().entries("run")
    project.ledger().close()


def test_where_no_row_was_tried_the_report_does_not_say_that_none_helped(tmp_path: Path) -> None:
    project = Project.create(
        tmp_path / "p", newsroom(240, seed=1, words=14).drop("row_id"), target="topic"
    )
    model = ScriptedModel(generate=lambda _: {"c0": "wheat harvest in the soil this year"})
    result = synthesize(
        project,
        for_class="farm",
        method="write",
        rows=40,
        doses=(0.5,),
        model="scripted:model",
        models={"scripted:model": model},
    )
    assert result.doses == ()
    assert headline(result) == "Too few made rows of 'farm' passed the filters to try them."
    assert any("1 made rows passed the filters and the smallest" in each for each in result.notes)
    project.ledger().close()


def test_very_many_rows_are_refused_with_the_word_that_means_them(tmp_path: Path) -> None:
    project = Project.create(tmp_path, customers(300).drop("row_id"), target="class")
    with pytest.raises(InputError, match="more than 20,000 rows") as error:
        synthesize(project, for_class="rare", method="copula", rows=30_000)
    assert "--yes" in str(error.value)
    project.ledger().close()
