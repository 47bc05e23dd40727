from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import polars as pl
import pytest
from typer.testing import CliRunner

from assay.cli.app import app
from assay.diagnose.difference import difference
from assay.errors import InputError


def two_models(n: int = 1200) -> tuple[pl.DataFrame, pl.DataFrame]:
    """The newer model is worse in the north and better for the old; elsewhere alike."""
    random = np.random.default_rng(0)
    rows = pl.DataFrame(
        {
            "region": random.choice(["north", "south", "west"], n),
            "age": random.uniform(18, 80, n).round(1),
            "y": random.choice(["no", "yes"], n),
        }
    )
    north, aged = (rows["region"] == "north").to_numpy(), (rows["age"] > 60).to_numpy()

    def said(chance: np.ndarray) -> pl.DataFrame:
        wrong = random.random(n) < chance
        y = rows["y"].to_numpy()
        flipped = np.where(y == "yes", "no", "yes")
        return rows.with_columns(prediction=pl.Series(np.where(wrong, flipped, y)))

    old = said(np.where(aged, 0.5, 0.1))
    return old, said(np.where(north, 0.5, 0.1))


def test_what_got_worse_and_what_got_better_are_told_apart() -> None:
    old, new = two_models()
    found = difference(old, new, truth="y")
    assert any('region = "north"' in each.title for each in found.worse.findings)
    assert any("age >" in each.title for each in found.better.findings)
    assert not any("north" in each.title.split(" and ")[0] for each in found.better.findings)
    assert found.gain.n == 1200
    same = difference(old, old, truth="y")
    assert (same.worse.findings, same.better.findings) == ((), ())


def test_other_rows_cannot_be_paired() -> None:
    old, new = two_models(200)
    with pytest.raises(InputError, match="other rows"):
        difference(old, new.head(100), truth="y")
    with pytest.raises(InputError, match="other true values"):
        difference(old, new.sort("region"), truth="y")


def test_the_command_line_compares_two_files(tmp_path: Path) -> None:
    for name, rows in zip(("old.csv", "new.csv"), two_models(), strict=True):
        rows.write_csv(tmp_path / name)
    files = [str(tmp_path / "old.csv"), str(tmp_path / "new.csv")]
    run = CliRunner()
    told = run.invoke(app, ["diagnose", "--diff", *files, "--truth", "y"])
    assert told.exit_code == 0, told.output
    assert "got worse" in told.output
    asked = run.invoke(app, ["diagnose", "--diff", *files, "--truth", "y", "--json"])
    assert set(json.loads(asked.stdout)) == {"gain", "worse", "better"}
