"""Questions are answered by what ran: from the book, or from a model whose errors come back."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
from typer.testing import CliRunner

import assay
from ask.questions import QUESTIONS
from assay.ask import EMBED_MODEL, Answer, _door
from assay.ask.given import MADE_UP, rows_of
from assay.ask.shelf import nearest, recipe_book
from assay.ask.spec import Snippet
from assay.ask.trying import fault_of, try_snippet
from assay.cli.app import app
from assay.cli.ask import _show
from assay.errors import InputError, ProjectError
from assay.llm import Prompt, ScriptedModel
from assay.llm.caches import Cache
from assay.project import Project
from newsroom import newsroom

GOOD = {
    "title": "Count the rows",
    "code": "count = rows.height",
    "promise": "the count is that of the table",
    "check": "assert count == len(rows)",
}
BAD = GOOD | {"code": "count = rows.hight"}
WRONG = GOOD | {"code": "count = 100"}
EMPTY = GOOD | {"check": "assert True"}
HOSTILE = GOOD | {"code": "import os\nos._exit(0)\ncount = 1"}


@pytest.fixture(scope="module")
def project(tmp_path_factory: pytest.TempPathFactory) -> Project:
    folder = tmp_path_factory.mktemp("asked")
    return Project.create(folder, newsroom(260).drop("row_id"), target="topic")


def _asked(answers: list[dict[str, str]], project: Project | None) -> tuple[Answer, list[Prompt]]:
    left = iter(answers)
    scripted = ScriptedModel(generate=lambda _: next(left))
    models: dict[str, Any] = {"scripted:model": scripted, "local:minilm": ScriptedModel()}
    answer = assay.ask(
        "How many rows?", project=project, model="scripted:model", models=models, offline=True
    )
    return answer, scripted.asked


def test_what_a_model_wrote_ran_on_the_projects_rows(project: Project) -> None:
    answer, asked = _asked([GOOD], project)
    assert answer.ok
    assert answer.attempts == 1
    assert answer.trial is not None
    assert answer.trial.whose == "search rows of the project"
    assert answer.trial.rows == project.search().height
    values = project.search()["text"].to_list()
    assert not any(value in asked[0].instructions for value in values)


@pytest.mark.parametrize(
    ("first", "error"),
    [
        (BAD, "AttributeError: 'DataFrame' object has no attribute 'hight'"),
        (WRONG, "The post-condition does not hold"),
        (EMPTY, "The post-condition asserts nothing"),
        (HOSTILE, "is missing"),
    ],
)
def test_a_failure_goes_back_to_the_model(first: dict[str, str], error: str) -> None:
    answer, asked = _asked([first, GOOD], None)
    assert answer.ok
    assert answer.attempts == 2
    assert error in asked[1].text
    assert first["code"].splitlines()[0] in asked[1].text


def test_what_fails_three_times_is_shown_as_failed() -> None:
    answer, asked = _asked([BAD, EMPTY, WRONG], None)
    assert len(asked) == answer.attempts == 3
    assert not answer.ok
    assert answer.snippet is not None
    assert "does not hold" in answer.trial.why


def test_an_answer_is_plain_values() -> None:
    answer, _ = _asked([GOOD | {"code": "import numpy\ncount = rows.height"}], None)
    told = json.loads(json.dumps(answer.as_dict()))
    assert told["ok"] is True
    assert [each["name"] for each in told["libraries"]] == ["numpy"]
    assert told["libraries"][0]["warnings"]


def test_code_is_printed_as_it_can_be_copied(capsys: pytest.CaptureFixture[str]) -> None:
    code = f"count = sum({list(range(40))})\nother = [count]\n"
    _show(Answer("How many?", Snippet("Count", code, "it counts", "assert count", "here"), None))
    assert code in capsys.readouterr().out


@pytest.mark.parametrize("question", ["", "  ", "x" * 2001])
def test_a_question_has_a_length(question: str) -> None:
    with pytest.raises(InputError, match="between 1 and 2,000"):
        assay.ask(question)
    with pytest.raises(InputError, match="take"):
        assay.ask("x", take=5)


@pytest.mark.parametrize(
    ("check", "fault"),
    [
        ("assert count", ""),
        ("for each in [count]:\n    assert each", ""),
        ("assert rows.height", "asserts nothing"),
        ("count", "asserts nothing"),
        ("assert (", "no Python"),
    ],
)
def test_a_post_condition_must_be_able_to_fail(check: str, fault: str) -> None:
    assert fault in fault_of(Snippet("t", "count = 1", "p", check, "o"))
    assert bool(fault_of(Snippet("t", "count = 1", "p", check, "o"))) == bool(fault)


def test_hidden_columns_are_left_out(project: Project) -> None:
    given = rows_of(project, without=["text"])
    assert "text" not in given.rows.columns
    assert given.text is None
    assert given.lacks(["text", "class"]) == ["text"]


def test_a_text_of_few_words_is_no_category_too(tmp_path: Path) -> None:
    rows = newsroom(400, words=2).drop("row_id")
    short = Project.create(tmp_path / "short", rows, target="topic", text="text")
    given = rows_of(short)
    assert (given.text, given.categorical) == ("text", [])


def test_the_rows_are_the_search_rows_alone(project: Project) -> None:
    recipe = next(each for each in recipe_book() if "text" in each.needs)
    trial = try_snippet(recipe, rows_of(project))
    assert trial.met, trial.why
    assert trial.rows == project.search().height < 260


@pytest.mark.slow
@pytest.mark.embedded
def test_the_book_answers_in_the_projects_terms(
    project: Project, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(project.path)
    run = CliRunner().invoke
    found = run(app, ["ask", "text classification baseline", "--offline", "--json"])
    assert found.exit_code == 0, found.output
    told = json.loads(found.stdout)
    assert told["snippet"]["origin"] == "book:text"
    assert told["trial"]["whose"] == "search rows of the project"
    code = run(app, ["ask", "text classification baseline", "--offline", "--code"]).stdout
    compile(code, "snippet", "exec")
    assert told["snippet"]["code"].strip() == code.strip()
    monkeypatch.chdir(project.path.parent)
    shown = run(app, ["ask", "split by customer, groups on one side", "--offline"])
    assert shown.exit_code == 0, shown.output
    assert MADE_UP in shown.stdout
    assert "Also near" in shown.stdout
    nothing = run(app, ["ask", "who won the world cup", "--offline"])
    assert nothing.exit_code == 1
    assert "Nothing in the book" in nothing.stdout


@pytest.mark.slow
@pytest.mark.embedded
def test_questions_in_other_words_find_their_recipe() -> None:
    with _door(None, None, Cache(shared=True)) as gateway:
        found = [
            [each.title for each, _ in nearest(gateway, EMBED_MODEL, question, recipe_book(), 4)]
            for question in QUESTIONS
        ]
    first = [titles[0].startswith(QUESTIONS[q]) for q, titles in zip(QUESTIONS, found, strict=True)]
    shown = [
        any(title.startswith(QUESTIONS[question]) for title in titles)
        for question, titles in zip(QUESTIONS, found, strict=True)
    ]
    assert sum(first) >= 0.5 * len(QUESTIONS)
    assert sum(shown) >= 0.8 * len(QUESTIONS)


def test_a_named_folder_without_a_project_is_an_error(tmp_path: Path) -> None:
    found = CliRunner().invoke(app, ["ask", "x", "--path", str(tmp_path), "--offline"])
    assert found.exit_code != 0


def test_a_project_of_a_newer_version_is_not_passed_over(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    (tmp_path / "assay.toml").write_text("format = 99\n")
    found = CliRunner().invoke(app, ["ask", "split by customer", "--offline"])
    assert isinstance(found.exception, ProjectError)
    assert "newer version" in str(found.exception)
