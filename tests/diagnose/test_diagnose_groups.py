from __future__ import annotations

from pathlib import Path

import numpy as np
import polars as pl
import pytest
from scipy import stats

from assay.diagnose import diagnose
from assay.diagnose.detectors import groups
from assay.diagnose.detectors.groups import GroupDetector
from assay.diagnose.spec import Diagnosis
from assay.improve.fixes import try_fixes
from assay.project import Project
from assay.recipe import baseline_recipe
from assay.tables import infer_task


def of_patients(seed: int, n: int = 600, *, alike: bool, name: str = "patient") -> pl.DataFrame:
    """Rows of patients, five each, of which a patient's are known by two measures of the body.

    ``alike``: most rows of a patient have one label, which nothing else tells.
    """
    random = np.random.default_rng(seed)
    whose = random.integers(0, n // 5, n)
    body = random.normal(size=(n // 5, 2))[whose]
    of_them = random.random(n // 5)[whose] < 0.5
    truth = np.where(random.random(n) < 0.9, of_them, ~of_them) if alike else random.random(n) < 0.5
    words = {
        "height": body[:, 0] + random.normal(0, 0.01, n),
        "arm": body[:, 1] + random.normal(0, 0.01, n),
        name: [f"P{each:04}" for each in whose.tolist()],
        "y": np.where(truth, "yes", "no"),
    }
    return pl.DataFrame(words)


def told(rows: pl.DataFrame, **more: object) -> Diagnosis:
    said = rows.with_columns(prediction=pl.lit(rows["y"][0]))
    return diagnose(said, truth="y", detectors=[GroupDetector()], **more)  # type: ignore[arg-type]


@pytest.mark.parametrize("name", ["patient", "whose"], ids=["by name", "by values"])
def test_rows_of_a_patient_that_tell_of_each_other_are_told(name: str) -> None:
    (found,) = told(of_patients(1, alike=True, name=name)).findings
    assert found.code == "AS408"
    assert found.severity == "high"
    assert (
        found.title == f"rows of one {name!r} tell of each other, and it is not named as the group"
    )
    assert found.effect.interval.low > 0.1


def test_numbers_and_texts_are_told_too() -> None:
    rows = of_patients(2, alike=True)
    random = np.random.default_rng(2)
    dear = rows["y"].eq("yes").cast(pl.Float64) * 3 + random.normal(size=rows.height)
    (found,) = told(rows.with_columns(y=dear)).findings
    assert "error, in mean deviations," in found.effect.name
    number = pl.col("patient").str.slice(1).cast(pl.Int64)
    texts = rows.with_row_index().select(
        pl.format("by hand{}, seen {}", number, "index").alias("text"), "patient", "y"
    )
    (found,) = told(texts, text="text").findings
    assert found.effect.interval.low > 0.1


def test_groups_that_tell_nothing_are_told_at_most_at_the_level(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(groups, "TREES", 5)
    tries = 40
    alarms = sum(bool(told(of_patients(seed, 240, alike=False)).findings) for seed in range(tries))
    assert alarms <= stats.binom.isf(0.001, tries, 0.05)


def test_a_group_that_is_named_and_categories_are_not_asked_of() -> None:
    rows = of_patients(1, alike=True)
    assert "the group is named" in told(rows, group="patient").looked[0].skipped
    colours = rows.with_columns(patient=pl.col("patient").str.slice(3)).rename(
        {"patient": "colour"}
    )
    assert "no column reads like" in told(colours).looked[0].skipped
    alone = rows.with_columns(patient=pl.Series([f"P{each:04}" for each in range(600)]))
    assert "no column reads like" in told(alone).looked[0].skipped
    few = alone.with_row_index().with_columns(
        pl.when(pl.col("index") < 300).then(pl.format("P{}", 1000 + pl.col("index") % 10))
        .otherwise("patient").alias("patient")
    )  # fmt: skip
    assert "no column reads like" in told(few.drop("index")).looked[0].skipped, "ten recur"


def test_rows_that_hold_no_word_or_no_column_tell_nothing() -> None:
    rows = of_patients(1, alike=True).select("patient", "y")
    letters = np.random.default_rng(1).choice([*"abcdefghij"], (rows.height, 4)).tolist()
    spelt = rows.with_columns(text=pl.Series([" ".join(each) for each in letters]))
    assert told(spelt, text="text").findings == ()
    assert told(rows, annotator="patient").findings == ()


def test_trying_measures_the_split_by_group(tmp_path: Path) -> None:
    rows = of_patients(3, 900, alike=True)
    recipe = baseline_recipe(infer_task(rows, "y").task).with_estimator(
        "sklearn.tree.DecisionTreeClassifier", min_samples_leaf=2
    )
    project = Project.create(tmp_path / "p", rows, target="y", metric="accuracy", recipe=recipe)
    found = diagnose(project, detectors=[GroupDetector()])
    assert [each.code for each in found.findings] == ["AS408"]
    (again,) = try_fixes(project, found).splits
    assert (again.by, again.column) == ("group", "patient")
    assert again.flatters
    assert again.change.details["groups"] == project.search()["patient"].n_unique()
    assert 'group = "patient"' in again.words
    project.ledger().close()
