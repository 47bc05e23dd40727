from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import polars as pl
import pytest
from scipy import stats
from typer.testing import CliRunner

from assay.cli.app import app
from assay.diagnose.difference import difference
from assay.errors import InputError
from assay.llm.privacy.redaction import Redactor


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


def flipped(rows: pl.DataFrame, wrong: np.ndarray) -> pl.DataFrame:
    y = rows["y"].to_numpy()
    return rows.with_columns(
        prediction=pl.Series(np.where(wrong, np.where(y == "yes", "no", "yes"), y))
    )


def halves_of_a_town(n: int = 1500) -> tuple[pl.DataFrame, np.ndarray, np.random.Generator]:
    random = np.random.default_rng(3)
    rows = pl.DataFrame(
        {
            "side": random.choice(["left", "right"], n),
            "x": random.normal(size=n).round(3),
            "y": random.choice(["no", "yes"], n),
        }
    )
    return rows, (rows["side"] == "right").to_numpy(), random


def test_rows_that_stayed_as_they_were_did_not_get_worse() -> None:
    rows, right, random = halves_of_a_town()
    wrong = random.random(len(right)) < 0.4
    found = difference(flipped(rows, wrong), flipped(rows, wrong & ~right), truth="y")
    assert found.worse.findings == (), "on the left nothing changed, on the right all was mended"
    (first, *_) = found.better.findings
    assert first.title == 'got better where side = "right"'
    assert first.effect.estimate == pytest.approx(0.4, abs=0.1)
    assert (first.severity, first.remedies) == ("high", ())
    none = difference(flipped(rows, wrong), flipped(rows, wrong & False), truth="y")
    assert none.worse.findings == ()


def test_what_got_worse_is_a_share_of_the_loss_there_was_and_hides_behind_no_gain() -> None:
    rows, right, random = halves_of_a_town(3000)
    wrong = random.random(len(right)) < 0.3
    spoiled = right & (rows["x"] > 1).to_numpy() & (random.random(len(right)) < 0.7)
    found = difference(flipped(rows, wrong), flipped(rows, wrong & right | spoiled), truth="y")
    (first, *_) = found.worse.findings
    assert first.predicate is not None
    assert {each.column for each in first.predicate.conditions} == {"side", "x"}
    assert first.cost == pytest.approx(first.share * 0.3, rel=0.1)
    assert first.effect.details["loss_outside"] < -0.1, "elsewhere it got better"
    assert first.effect.estimate == pytest.approx(first.effect.details["loss_inside"])
    assert first.severity == "medium"


def test_what_got_worse_on_few_rows_is_told() -> None:
    rows, _, random = halves_of_a_town(8000)
    kind = random.choice(["rare", "usual"], 8000, p=[0.02, 0.98])
    rows = rows.with_columns(kind=pl.Series(kind))
    wrong = random.random(8000) < 0.1
    spoiled = (kind == "rare") & (random.random(8000) < 0.3)
    left = wrong & (random.random(8000) < 0.5)
    found = difference(flipped(rows, wrong), flipped(rows, left | spoiled), truth="y").worse
    (first, *_) = found.findings
    assert first.title == 'got worse where kind = "rare"'
    assert first.effect.estimate == pytest.approx(0.3, abs=0.1)


def test_no_slice_of_an_unchanged_half_got_worse_by_chance() -> None:
    """Errors come and go alike on the right; on the left they only go."""
    alarms = 0
    for seed in range(20):
        rows, right, _ = halves_of_a_town(800)
        random = np.random.default_rng(seed)
        old, new = random.random(800) < 0.2, random.random(800) < np.where(right, 0.2, 0.02)
        found = difference(flipped(rows, old), flipped(rows, new), truth="y", seed=seed)
        alarms += bool(found.worse.findings)
    assert alarms <= stats.binom.isf(0.001, 20, 0.05)


def test_a_class_that_one_model_alone_says_is_an_error_like_another() -> None:
    old, new = two_models()
    perhaps = pl.when(pl.col("age") > 79).then(pl.lit("perhaps")).otherwise(pl.col("prediction"))
    unsure = old.with_columns(prediction=perhaps)
    gains = [difference(*pair, truth="y").gain.estimate for pair in ((unsure, new), (new, unsure))]
    assert gains[0] == pytest.approx(-gains[1])
    stars = old.with_columns(y=pl.int_range(pl.len()) % 5, prediction=pl.int_range(pl.len()) % 5)
    with pytest.raises(InputError, match="One table's predictions are classes"):
        difference(stars.with_columns(prediction=pl.col("age")), stars, truth="y")


def test_other_rows_cannot_be_paired() -> None:
    old, new = two_models(200)
    with pytest.raises(InputError, match="other rows"):
        difference(old, new.head(100), truth="y")
    with pytest.raises(InputError, match="other true values"):
        difference(old, new.sort("region"), truth="y")


def test_rows_are_paired_by_their_ids_and_never_by_their_order_alone() -> None:
    old, new = (each.with_row_index("row_id") for each in two_models())
    mixed = new.sample(fraction=1.0, shuffle=True, seed=1)
    in_order = difference(old, new, truth="y")
    assert difference(old.sort("y"), mixed, truth="y").gain.estimate == in_order.gain.estimate
    assert difference(old, mixed, truth="y").as_dict() == in_order.as_dict()
    sorted_by_truth = [each.drop("row_id").sort("y") for each in (old, mixed)]
    with pytest.raises(InputError, match="other values of 'region'"):
        difference(*sorted_by_truth, truth="y")
    with pytest.raises(InputError, match="other rows"):
        difference(old, new.with_columns(pl.col("row_id") + 1), truth="y")


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
    for unused in (["--html", "d.html"], ["--predictions", "absent.csv"], ["--freeze"]):
        refused = run.invoke(app, ["diagnose", "--diff", *files, "--truth", "y", *unused])
        assert isinstance(refused.exception, InputError)
        assert unused[0] in str(refused.exception)


def test_identifiers_are_hidden_in_a_comparison(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    plain = lambda patterns: Redactor(patterns, names=False)  # noqa: E731
    monkeypatch.setattr("assay.diagnose.report.sharing._redactor", plain)
    address = pl.col("region").replace({"north": "someone@example.com"})
    for name, rows in zip(("old.csv", "new.csv"), two_models(), strict=True):
        rows.with_columns(address).write_csv(tmp_path / name)
    files = [str(tmp_path / "old.csv"), str(tmp_path / "new.csv")]
    words = ["diagnose", "--diff", *files, "--truth", "y"]
    run = CliRunner()
    assert "someone@" in run.invoke(app, words).output
    for more in ([], ["--json"]):
        told = run.invoke(app, [*words, "--redact", *more]).output
        assert "someone" not in told
        assert "EMAIL" in told
