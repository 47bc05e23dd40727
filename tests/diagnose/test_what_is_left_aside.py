"""Values, groups and classes are looked at by how common they are; what is left aside is told."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
import polars as pl
import pytest

from assay.diagnose import diagnose
from assay.diagnose.commonest import commonest, commonest_classes, rarer
from assay.diagnose.detectors.annotators import AnnotatorDetector
from assay.diagnose.detectors.class_slices import ClassSliceDetector
from assay.diagnose.detectors.fairness import FairnessDetector
from assay.diagnose.detectors.shortcuts import ShortcutDetector
from assay.diagnose.detectors.slices import SliceDetector
from assay.diagnose.detectors.times import TimeDetector
from assay.diagnose.given import read_case
from assay.diagnose.spec import Detector, Diagnosis


def judged(
    values: Sequence[str] | np.ndarray, wrong: np.ndarray, classes: str = "pq", seed: int = 1
) -> pl.DataFrame:
    """Rows with a column ``v``, told wrong by the chances in ``wrong``."""
    random = np.random.default_rng(seed)
    n = len(values)
    truth = random.choice(list(classes), n)
    following = dict(zip(classes, classes[1:] + classes[0], strict=True))
    said = np.array([following[each] for each in truth])
    x = random.normal(size=n)
    prediction = np.where(random.random(n) < wrong, said, truth)
    return pl.DataFrame({"v": values, "x": x, "y": truth, "prediction": prediction})


def told(rows: pl.DataFrame, detector: Detector, **options: Any) -> Diagnosis:
    return diagnose(rows, truth="y", detectors=[detector], **options)


def drawn(n: int, count: int, rare: int) -> np.ndarray:
    """Return n of so many values, the last of which is held by ``rare`` rows alone."""
    random = np.random.default_rng(0)
    values = np.array([f"v{at:03d}" for at in random.integers(count - 1, size=n)])
    values[random.permutation(n)[:rare]] = f"v{count - 1:03d}"
    return values


def test_a_rare_value_among_many_is_a_slice() -> None:
    values = drawn(6000, 20, 200)
    found = told(judged(values, np.where(values == "v019", 0.7, 0.05)), SliceDetector())
    assert found.findings[0].title == 'worse where v = "v019"'
    assert found.looked[0].skipped == ""


def test_conditions_that_are_not_made_are_told() -> None:
    values = drawn(6000, 150, 10)
    day = pl.date_range(pl.date(2000, 1, 1), pl.date(2000, 1, 1) + pl.duration(days=5999))
    rows = judged(values, np.full(6000, 0.1)).with_columns(d=day)
    found = told(rows, ClassSliceDetector())
    assert "all but the 100 commonest of 150 values of 'v'" in found.looked[0].skipped
    assert "'d', which holds Date" in found.looked[0].skipped


def test_a_protected_group_is_judged_however_many_there_are() -> None:
    values = drawn(3600, 30, 70)
    rows = judged(values, np.where(values == "v029", 0.8, 0.1))
    found = told(rows, FairnessDetector(), protected=["v"])
    assert [each.code for each in found.findings][:1] == ["AS801"]
    assert "v = v029" in found.findings[0].title


def test_protected_groups_are_compared_by_each_of_several_classes() -> None:
    sex = np.random.default_rng(2).choice(["f", "m"], 1200)
    rows = judged(sex, np.zeros(1200), classes="pqr")
    favoured = (pl.col("v") == "f") & (pl.col("y") == "r")
    said = pl.when(favoured).then(pl.lit("q")).otherwise(pl.col("y"))
    found = told(rows.with_columns(prediction=said), FairnessDetector(), protected=["v"])
    titles = {each.title for each in found.findings}
    assert {"'q' is said more often for v = f", "true 'r' are found less often for v = f"} <= titles


def test_a_shortcut_is_found_by_how_common_its_value_is() -> None:
    random = np.random.default_rng(0)
    values = np.where(random.random(4000) < 0.3, "v119", drawn(4000, 120, 10))
    rows = judged(values, np.zeros(4000))
    leaning = (pl.col("v") == "v119") & (pl.col("x") < 0.8)
    said = pl.when(leaning).then(pl.lit("p")).otherwise(pl.col("y"))
    found = told(rows.with_columns(prediction=said), ShortcutDetector())
    assert "v = v119 is taken for 'p'" in [each.title for each in found.findings]
    words = [" ".join(f"w{at}" for at in random.integers(2500, size=40)) for _ in range(4000)]
    read = told(judged(words, np.zeros(4000)), ShortcutDetector(), text="v")
    assert "all but the 2,000 commonest of 2,478 words" in read.looked[0].skipped


def test_classes_and_people_are_taken_by_how_many_rows_they_have(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    random = np.random.default_rng(0)
    truth = np.array([f"c{at:02d}" for at in 24 - random.integers(25, size=2500) % 22])
    rows = pl.DataFrame({"x": random.normal(size=2500), "y": truth, "prediction": truth})
    kept, left = commonest_classes(read_case(rows, truth="y"), 20)
    assert set(kept) >= {"c24", "c23", "c22"}
    assert left == ["all but the 20 commonest of 22 classes"]
    dated = rows.with_columns(pl.Series("year", 2000 + np.arange(2500) % 9))
    assert left[0] in told(dated, TimeDetector()).looked[0].skipped
    monkeypatch.setattr("assay.diagnose.detectors.annotators.MOST_PEOPLE", 2)
    named = judged(np.array(["ann", "bob", "cyd"])[np.arange(300) % 3], np.zeros(300))
    found = told(named, AnnotatorDetector(), annotator="v")
    assert found.looked[0].skipped == "left aside: all but the 2 commonest of 3 values of 'v'"


def test_the_commonest_values_and_what_is_left() -> None:
    values = pl.Series("v", ["b", "b", "a", "a", "c", "d", "d", "d", None])
    assert commonest(values, 2, fewest=2) == (
        ["d", "a"],
        ["all but the 2 commonest of 3 values of 'v'"],
    )
    assert commonest(values, 3, fewest=2) == (["d", "a", "b"], [])
    assert rarer(values, 3) == ["a", "b", "c"]
