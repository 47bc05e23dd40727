"""What ``assay init`` prints, in words and as JSON."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
import typer
from typer.testing import CliRunner

from assay.cli.init import init
from assay.errors import InputError
from newsroom import newsroom

APP = typer.Typer()
APP.command()(init)


@pytest.fixture
def data(tmp_path: Path) -> Path:
    path = tmp_path / "data.csv"
    newsroom(240, seed=1, words=12).drop("row_id").write_csv(path)
    return path


def run(*arguments: object) -> str:
    result = CliRunner().invoke(APP, [str(each) for each in arguments])
    if result.exception is not None:
        raise result.exception
    return result.output


def test_json_is_one_document_that_holds_what_was_found(data: Path, tmp_path: Path) -> None:
    made = json.loads(run(data, "--target", "topic", "--path", tmp_path / "p", "--json"))
    assert made["path"] == str(tmp_path / "p")
    assert made["rows"] == {"search": 140, "pool": 0, "vault": 100}
    assert made["task"]["text"] == "text"
    assert {"what": "multiclass, 3 classes", "why": "the target holds words"} in made["notes"]
    assert 0 < made["plan"]["screening"] < made["plan"]["vault"] < 0.5


def test_words_tell_what_was_found_and_why(data: Path, tmp_path: Path) -> None:
    told = run(data, "--target", "topic", "--path", tmp_path / "p", "--metric", "macro_f1")
    for each in ("Made a project", "text task on 'text'", "100 rows are locked", "assay improve"):
        assert each in told
    assert 'metric = "macro_f1"' in (tmp_path / "p" / "assay.toml").read_text()


def test_an_encoding_can_be_named(tmp_path: Path) -> None:
    data = tmp_path / "data.csv"
    table = newsroom(240, seed=1, words=12).drop("row_id").write_csv().replace("wheat", "blé")
    data.write_bytes(table.encode("cp1252"))
    with pytest.raises(InputError, match="--encoding"):
        run(data, "--target", "topic", "--path", tmp_path / "p")
    run(data, "--target", "topic", "--path", tmp_path / "p", "--encoding", "cp1252")
    assert (tmp_path / "p" / "assay.toml").exists()


def test_markup_in_the_data_is_shown_as_it_is(tmp_path: Path) -> None:
    data = tmp_path / "data.csv"
    table = newsroom(240, seed=1, words=12).drop("row_id").rename({"text": "[red]text[/red]"})
    table.write_csv(data)
    assert "[red]text[/red]" in run(data, "--target", "topic", "--path", tmp_path / "p")
