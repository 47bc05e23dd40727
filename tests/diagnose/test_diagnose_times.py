from __future__ import annotations

from dataclasses import replace
from datetime import date, timedelta
from pathlib import Path

import numpy as np
import polars as pl
import pytest
from scipy import stats

from assay.diagnose import diagnose
from assay.diagnose.detectors.times import TimeDetector
from assay.diagnose.report import render_html, render_markdown
from assay.diagnose.spec import Diagnosis, Remedy
from assay.improve.fixes import try_fixes
from assay.project import Project
from assay.recipe import baseline_recipe
from assay.tables import infer_task
from in_process import assay

BEGINNING = date(2020, 1, 1)


def dated(seed: int, n: int = 600, *, labels: float = 0.0, errors: float = 0.0) -> pl.DataFrame:
    """Rows over two years; in the second, "yes" and errors are so much more frequent."""
    random = np.random.default_rng(seed)
    days = random.integers(0, 730, n)
    late = days >= 365
    truth = random.random(n) < 0.3 + labels * late
    wrong = random.random(n) < 0.15 + errors * late
    return pl.DataFrame(
        {
            "x": random.normal(size=n),
            "day": [BEGINNING + timedelta(days=each) for each in days.tolist()],
            "y": np.where(truth, "yes", "no"),
            "prediction": np.where(truth ^ wrong, "yes", "no"),
        }
    )


def told(rows: pl.DataFrame, **more: object) -> Diagnosis:
    return diagnose(rows, truth="y", detectors=[TimeDetector()], **more)  # type: ignore[arg-type]


@pytest.mark.parametrize("written", [False, True], ids=["dates", "words"])
def test_labels_and_errors_that_change_with_time_are_told(written: bool) -> None:
    rows = dated(1, labels=0.3, errors=0.25)
    if written:
        rows = rows.with_columns(pl.col("day").cast(pl.String))
    found = {each.code: each for each in told(rows).findings}
    assert set(found) == {"AS406", "AS407"}
    assert found["AS406"].effect.interval.low < 0.3 < found["AS406"].effect.interval.high
    assert found["AS407"].title.startswith("mean loss is higher after 20")
    assert found["AS407"].size == pytest.approx(300, abs=160)


def test_earlier_rows_that_cost_more_and_classes_that_fade_are_told() -> None:
    rows = dated(2, labels=-0.28).with_columns(day=pl.lit(date(2030, 1, 1)) - pl.col("day"))
    numbered = rows.with_columns(year=-pl.col("day").dt.total_days()).drop("day")
    (found,) = told(numbered).findings
    assert found.code == "AS406"
    assert "'no' is higher after -" in found.title or "'yes' is lower after -" in found.title


def test_rows_of_no_trend_are_told_at_most_at_the_level() -> None:
    tries = 60
    alarms = sum(bool(told(dated(seed)).findings) for seed in range(tries))
    assert alarms <= stats.binom.isf(0.001, tries, 0.05)


@pytest.mark.parametrize(("last", "codes"), [(800, ["AS405"]), (365, [])])
def test_training_on_the_future_is_told(last: int, codes: list[str]) -> None:
    rows = dated(3, 800)
    later = pl.lit(BEGINNING + timedelta(days=365))
    training = rows.head(400).filter(pl.col("day") < pl.lit(BEGINNING + timedelta(days=last)))
    judged = rows.tail(400).filter(pl.col("day") >= later)
    diagnosis = told(judged, training=training.drop("prediction"), time="day")
    assert [each.code for each in diagnosis.findings] == codes
    if codes:
        assert diagnosis.findings[0].size == pytest.approx(judged.height, abs=10)


def test_a_single_stray_row_of_training_is_tolerated() -> None:
    rows = dated(4, 800).sort("day")
    training = pl.concat([rows.head(400), rows.tail(1)]).drop("prediction")
    assert told(rows.slice(400, 399), training=training, time="day").findings == ()


def test_a_time_that_is_named_is_not_asked_for_again() -> None:
    diagnosis = told(dated(1, labels=0.3, errors=0.25), time="day")
    assert diagnosis.findings == ()
    assert "training rows are not known" in diagnosis.looked[0].skipped


def test_rows_without_dates_are_said_to_be_so() -> None:
    assert "no column of dates" in told(dated(1).drop("day")).looked[0].skipped


def test_the_command_line_takes_the_column_of_time(tmp_path: Path) -> None:
    rows = dated(3, 400)
    rows.write_csv(tmp_path / "said.csv")
    rows.drop("prediction").write_csv(tmp_path / "training.csv")
    words = ("diagnose", "--predictions", "said.csv", "--truth", "y", "--training", "training.csv")
    done = assay(*words, "--time", "day", "--json", cwd=tmp_path)
    assert done.returncode == 0, done.stderr
    assert "AS405" in done.stdout
    wrong = assay(*words, "--time", "dey", cwd=tmp_path)
    assert wrong.returncode == 2
    assert "no column for time" in wrong.stderr


def in_waves(n: int, *, mixed: bool = False) -> pl.DataFrame:
    """Rows over two years, of which most are "yes" in every other wave, later ones more so."""
    random = np.random.default_rng(0)
    days = np.arange(n) * 730 // n
    share = np.where(days // 73 % 2 == 1, 0.85, 0.1 + 0.3 * days / 730)
    label = np.where(random.random(n) < share, "yes", "no")
    when = [(BEGINNING + timedelta(days=int(each))).isoformat() for each in days]
    rows = pl.DataFrame({"x": random.normal(size=n), "day": when, "y": label})
    return rows.with_columns(pl.col("y").shuffle(seed=1)) if mixed else rows


def project_of(rows: pl.DataFrame, folder: Path) -> Project:
    """A project whose tree learns each wave by heart."""
    recipe = baseline_recipe(infer_task(rows, "y").task).with_estimator(
        "sklearn.tree.DecisionTreeClassifier", min_samples_leaf=15
    )
    return Project.create(folder, rows, target="y", metric="accuracy", recipe=recipe)


def test_a_split_that_mixes_times_is_measured_against_later_rows_alone(tmp_path: Path) -> None:
    project = project_of(in_waves(1200), tmp_path / "p")
    found = diagnose(project, detectors=[TimeDetector()])
    assert {each.code for each in found.findings} >= {"AS406"}
    project.ledger().close()
    told = assay("diagnose", "--try", "--json", "--html", "page.html", cwd=tmp_path / "p")
    tried = Diagnosis.from_json(told.stdout)
    assert "later rows" in (tmp_path / "p" / "page.html").read_text(encoding="utf-8")
    assert tried.tried is not None
    (again,) = tried.tried.splits
    assert (again.by, again.column) == ("time", "day")
    assert again.flatters
    assert again.mixed.n == again.strict.n
    assert again.strict.estimate < again.mixed.estimate
    assert 'time = "day"' in again.words
    assert Diagnosis.from_json(tried.to_json()) == tried
    for page in (render_markdown(tried, name="p"), render_html(tried, name="p")):
        assert "What was tried" in page
        assert "later rows" in page


def test_a_split_that_mixes_nothing_is_not_called_flattering(tmp_path: Path) -> None:
    project = project_of(in_waves(900, mixed=True), tmp_path / "p")
    remedy = Remedy("split by time", "name it", "day")
    finding = replace(
        diagnose(dated(1, labels=0.3), truth="y", detectors=[TimeDetector()]).findings[0],
        remedies=(remedy,),
    )
    found = replace(diagnose(project, detectors=[TimeDetector()]), findings=(finding,))
    (again,) = try_fixes(project, found).splits
    assert not again.flatters
    assert "is not shown" in again.words
    project.ledger().close()
