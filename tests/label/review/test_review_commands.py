"""``assay review export`` and ``import``, from file to gold."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import polars as pl
import pytest
from made_up_labelling import labelling
from typer.testing import CliRunner

from assay.cli.app import app
from assay.errors import InputError
from assay.ledger import Ledger


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv("ASSAY_CACHE", str(tmp_path))
    monkeypatch.chdir(tmp_path)
    (tmp_path / "label").mkdir()
    with Ledger.open(tmp_path / "label" / "ledger.sqlite") as ledger:
        labelling(ledger)
    return tmp_path


def told(*arguments: str) -> Any:
    done = CliRunner().invoke(app, ["review", *arguments, "--json"])
    if done.exception is not None and not isinstance(done.exception, SystemExit):
        raise done.exception
    assert done.exit_code == 0, done.output
    return json.loads(done.stdout)


def filled(file: Path, label: str, reviewer: str) -> None:
    table = pl.read_csv(file, infer_schema=False)
    table.with_columns(label=pl.lit(label), reviewer=pl.lit(reviewer)).write_csv(file)


def test_out_to_a_table_and_back_becomes_gold(folder: Path) -> None:
    out = told("export", "--out", "rows.csv", "--rows", "12")
    assert (out["rows"], out["files"]) == (12, ["rows.csv"])
    assert told("export", "--out", "again.csv", "--rows", "12")["rows"] == 12
    assert Path("rows.csv").read_bytes() == Path("again.csv").read_bytes()
    filled(Path("rows.csv"), "farm", "ann")
    with pytest.raises(InputError, match="which an export would lose"):
        told("export", "--out", "rows.csv", "--rows", "12")
    done = told("import", "rows.csv")
    assert (done["taken"], done["missing"]) == (12, 0)
    assert done["summary"]["checked"] == 12
    assert done["summary"]["agreement"] is None
    assert told("import", "rows.csv")["known"] == 12
    filled(Path("rows.csv"), "ships", "bob")
    both = told("import", "rows.csv")["summary"]
    assert both["disputed"] == 12
    assert both["agreement"]["rows"] == 12
    assert both["agreement"]["alpha"] < 0
    filled(Path("rows.csv"), "farm", "eve")
    told("import", "rows.csv")
    assert told("export", "--to", "gold", "--out", "gold.csv")["rows"] == 12
    gold = pl.read_csv("gold.csv")
    assert gold.columns == ["row_id", "text", "label", "weight"]
    assert gold["weight"].sum() == 4
    assert told("export", "--out", "next.csv", "--rows", "5")["rows"] == 17


def test_a_refused_file_leaves_nothing_behind(folder: Path) -> None:
    told("export", "--out", "rows.csv", "--rows", "6")
    table = pl.read_csv("rows.csv", infer_schema=False)
    half = pl.Series(["farm"] * 3 + ["fram"] * 3)
    table.with_columns(label=half).write_csv("rows.csv")
    with pytest.raises(InputError, match="nothing was recorded"):
        told("import", "rows.csv")
    table.with_columns(label=pl.lit("farm"))[:2].write_csv("rows.csv")
    done = told("import", "rows.csv", "--reviewer", "ann")
    assert (done["taken"], done["missing"], done["summary"]["checked"]) == (2, 4, 2)


def test_every_row_goes_out_where_asked(folder: Path) -> None:
    assert told("export", "--to", "label-studio", "--out", "tasks.json", "--all")["rows"] == 40
    assert Path("tasks.xml").exists()
    plain = CliRunner().invoke(app, ["review", "export", "--out", "rows.jsonl", "--rows", "3"])
    assert plain.exit_code == 0
    assert "3 rows of run-1 in rows.jsonl" in plain.stdout


def test_a_command_of_the_group_is_not_taken_for_a_file(folder: Path) -> None:
    assert "--blind" in CliRunner().invoke(app, ["review", "rows", "--help"]).stdout
    assert "export" in CliRunner().invoke(app, ["review", "--help"]).stdout
