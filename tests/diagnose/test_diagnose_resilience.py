"""Detectors that fail, and ordinary input that once ended a diagnosis."""

from __future__ import annotations

from typing import Any

import numpy as np
import polars as pl
import pytest

from assay.diagnose import diagnose, diagnose_case
from assay.diagnose.case import Case
from assay.diagnose.detectors.drift import DriftDetector
from assay.diagnose.detectors.fit import FitDetector
from assay.diagnose.detectors.slices import SliceDetector, slice_suspicion
from assay.diagnose.given import read_case
from assay.diagnose.spec import Search
from assay.errors import InputError
from assay.tables.predicate import Condition, Predicate


def table(n: int = 400, seed: int = 0) -> pl.DataFrame:
    """Rows that are told wrong in the north."""
    random = np.random.default_rng(seed)
    region, truth = random.choice(["north", "south"], n), random.choice(["p", "q"], n)
    wrong = random.random(n) < np.where(region == "north", 0.6, 0.05)
    said = np.where(wrong, np.where(truth == "p", "q", "p"), truth)
    x = random.normal(size=n)
    return pl.DataFrame({"x": x, "region": region, "y": truth, "prediction": said})


class Failing:
    """Fails where it is told to: when it looks, is confirmed, or picks its rows."""

    name, codes = "failing", {"XX1": "what fails"}

    def __init__(self, where: str) -> None:
        self.where = where

    def detect(self, part: Case) -> Search:
        if self.where == "detect":
            raise RuntimeError("boom")
        predicate = Predicate((Condition("region", "=", "north"),))
        suspicion = slice_suspicion(predicate)

        def fail(case: Case) -> Any:
            raise RuntimeError("boom")

        object.__setattr__(suspicion, self.where, fail)
        return Search(1, "what fails", (suspicion,))


@pytest.mark.parametrize("where", ["detect", "confirm", "select"])
def test_a_detector_that_fails_is_told_and_the_others_go_on(where: str) -> None:
    found = diagnose(table(), truth="y", detectors=[Failing(where), SliceDetector()])
    looked = {each.detector: each for each in found.looked}
    assert looked["failing"].skipped == "it failed: RuntimeError: boom"
    assert looked["failing"].confirmed == 0
    assert [each.title for each in found.findings] == ['worse where region = "north"']
    with pytest.raises(RuntimeError):  # where a failure would count as nothing found
        diagnose_case(read_case(table(), truth="y"), detectors=[Failing(where)])


def test_columns_of_any_type_are_no_trouble() -> None:
    rows = table().with_columns(
        pl.lit([1, 2]).alias("list"),
        pl.struct("x").alias("record"),
        pl.lit(b"ab").alias("bytes"),
        (pl.int_range(400) * pl.duration(minutes=7)).alias("took"),
        pl.col("x").cast(pl.Decimal(10, 3)).alias("decimal"),
        pl.time(3, 4).alias("time"),
    )
    case = read_case(rows, truth="y")
    assert set(case.columns) == {"x", "region", "decimal", "time"}
    found = diagnose(rows, truth="y", training=rows, annotator="time")
    assert not [each for each in found.looked if "failed" in each.skipped]


def test_times_of_another_zone_in_training_are_left_aside_and_told() -> None:
    day = pl.datetime(2024, 1, 1) + pl.int_range(400) * pl.duration(days=1)
    rows = table().with_columns(day=day)
    training = table(seed=1).with_columns(day=day.dt.replace_time_zone("UTC"))
    found = diagnose(rows, truth="y", training=training, detectors=[DriftDetector()])
    assert found.looked[0].skipped == "of another type in training: day"


def test_training_rows_that_the_model_cannot_read_are_told() -> None:
    def model(rows: pl.DataFrame) -> np.ndarray:
        return np.where(rows["x"].to_numpy() > 0, "p", "q")

    rows = table().drop("prediction")
    options = {"model": model, "training": rows.drop("x"), "detectors": [FitDetector()]}
    found = diagnose(rows, truth="y", **options)
    assert "overfitting cannot be looked for: The model cannot answer" in found.looked[0].skipped
    assert found.looked[0].looked_at == 1  # a plain model is still compared


@pytest.mark.parametrize(
    ("options", "said"),
    [
        ({"protected": ["y"]}, "both truth and protected"),
        ({"protected": ["prediction"]}, "both predictions and protected"),
        ({"weight": "w", "protected": ["w"]}, "both weight and protected"),
        ({"weight": "w", "annotator": "w"}, "both weight and annotator"),
        ({"annotator": "prediction"}, "both predictions and annotator"),
        ({"truth": "prediction"}, "both predictions and truth"),
        ({"predictions": "y"}, "both predictions and truth"),
        ({"truth": "w", "weight": "w"}, "both truth and weight"),
        ({"protected": ["list"]}, "cannot be protected"),
        ({"truth": "list"}, "cannot be truth"),
        ({"truth": "gap"}, "have gaps"),
        ({"truth": "endless"}, "not all finite"),
        ({"probabilities": ["high"] * 400}, "must hold numbers"),
        ({"probabilities": [0.5] * 400}, "one line a row"),
    ],
)
def test_what_no_column_can_be_is_refused(options: dict[str, Any], said: str) -> None:
    first = pl.int_range(400) == 0
    rows = table().with_columns(
        w=pl.lit(1.0),
        list=pl.lit([1]),
        gap=pl.when(first).then(float("nan")).otherwise(pl.col("x")),
        endless=pl.when(first).then(float("inf")).otherwise(pl.col("x")),
    )
    with pytest.raises(InputError, match=said):
        diagnose(rows, **({"truth": "y"} | options))


def test_columns_of_probabilities_that_hold_words_are_refused() -> None:
    words = [pl.lit("high").alias("probability:p"), pl.lit("low").alias("probability:q")]
    with pytest.raises(InputError, match="probability:p"):
        diagnose(table().with_columns(words), truth="y")
