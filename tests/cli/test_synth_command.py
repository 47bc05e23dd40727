"""``assay synth`` as a person types it."""

from __future__ import annotations

import json
from pathlib import Path

import polars as pl
import pytest
from typer.testing import CliRunner

from assay import Project
from assay.cli.app import app
from assay.errors import InputError
from newsroom import newsroom


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    rows = newsroom(300, seed=1, words=14).drop("row_id")
    Project.create(tmp_path / "p", rows, target="topic").ledger().close()
    return tmp_path / "p"


@pytest.mark.slow
def test_rows_are_made_tried_and_written(folder: Path) -> None:
    out = folder / "farm.csv"
    given = ["synth", "--path", str(folder), "--for-class", "farm", "--rows", "10", "--dose", "0.5"]
    found = CliRunner().invoke(app, [*given, "--no-confirm", "--out", str(out), "--json"])
    assert found.exit_code == 0, found.output
    result = json.loads(found.stdout)
    (taken,) = [each for each in result["batches"] if each["method"] == result["taken"]]
    assert taken["kept"] == pl.read_csv(out).height
    assert (folder / "synthesis.html").is_file()


def test_a_million_rows_are_told_and_not_made_without_a_yes(folder: Path) -> None:
    given = ["synth", "--path", str(folder), "--for-class", "farm", "--rows", "1000000"]
    found = CliRunner().invoke(app, given, input="n\n")
    assert found.exit_code != 0
    assert "1,000,000 rows take about" in found.stderr
    assert not (folder / "synthesis.html").exists()


def test_test_cases_go_to_their_own_file(folder: Path) -> None:
    out = folder / "cases.csv"
    given = ["synth", "--path", str(folder), "--purpose", "test", "--out", str(out)]
    found = CliRunner().invoke(app, given)
    assert found.exit_code == 0, found.output
    assert set(pl.read_csv(out)["assay_purpose"]) == {"test"}


def test_chosen_capabilities_are_told_with_their_counts_even_of_none(folder: Path) -> None:
    given = ["synth", "--path", str(folder), "--purpose", "test", "--rows", "3", "--json"]
    chosen = ["--capability", "typos", "--capability", "names"]
    found = CliRunner().invoke(app, [*given, *chosen])
    assert found.exit_code == 0, found.output
    assert json.loads(found.stdout)["capabilities"] == {"typos": 3, "names": 0}


@pytest.mark.parametrize(
    ("options", "told"),
    [
        (["--purpose", "test", "--for-class", "farm"], "--for-class says nothing"),
        (["--purpose", "test", "--method", "write"], "--method says nothing"),
        (["--purpose", "test", "--where", "x"], "--where says nothing"),
        (["--purpose", "test", "--rows", "-5"], "rows must be positive"),
        (["--purpose", "test", "--rows", "0"], "rows must be positive"),
        (["--purpose", "test", "--capability", "wit"], "capability is not known"),
        (["--capability", "typos"], "--capability says nothing with --purpose train"),
    ],
)
def test_options_that_would_be_passed_over_are_refused(
    folder: Path, options: list[str], told: str
) -> None:
    found = CliRunner().invoke(app, ["synth", "--path", str(folder), *options])
    assert isinstance(found.exception, InputError)
    assert told in str(found.exception)
    assert not (folder / "tests.csv").exists()
