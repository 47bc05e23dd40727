"""What is planted is there, and is found where it is strong."""

from __future__ import annotations

import numpy as np
import polars as pl

from assay.diagnose.case import Case
from assay.diagnose.given import read_case
from assay.diagnose.planting import self_check
from assay.diagnose.planting_columns import (
    annotator_found,
    confidence_found,
    dates_found,
    drift_found,
    leak_found,
)


def plain(n: int = 1200) -> Case:
    random = np.random.default_rng(0)
    score = random.normal(size=n)
    yes = 1 / (1 + np.exp(-2 * score))
    rows = pl.DataFrame({"x": score, "y": np.where(random.random(n) < yes, "yes", "no")})
    return read_case(rows, truth="y", probabilities=np.column_stack([1 - yes, yes]))


def test_strong_faults_of_columns_are_found_and_absent_ones_are_not() -> None:
    random, case = np.random.default_rng(1), plain()
    assert leak_found(case, 1.0, random)
    assert not leak_found(case, 0.0, random)
    assert annotator_found(case, 0.6, random)
    assert not annotator_found(case, 0.0, random)
    assert dates_found(case, 0.5, random)
    assert not dates_found(case, 0.0, random)
    assert drift_found(case, 2.0, random)
    assert not drift_found(case, 0.0, random)
    assert confidence_found(case, 3.0, random)
    assert not confidence_found(case, 1.0, random)


def test_what_cannot_be_planted_is_left_out() -> None:
    case = plain()
    words = Case(
        case.rows.select("row_id", x=pl.lit("word")), case.task, case.truth, case.predictions,
        case.losses,
    )  # fmt: skip
    random = np.random.default_rng(2)
    assert drift_found(words, 1.0, random) is None
    assert confidence_found(words, 1.0, random) is None


def test_every_kind_of_fault_is_planted_and_the_strongest_are_found() -> None:
    random, n = np.random.default_rng(4), 1000
    yes = np.where(random.random(n) < 0.5, 0.9, 0.1)
    truth = np.where(random.random(n) < yes, "yes", "no")
    rows = pl.DataFrame({"city": random.choice(list("abcdefgh"), n), "y": truth})
    case = read_case(rows, truth="y", probabilities=np.column_stack([1 - yes, yes]))
    checked = self_check(case, repeats=3, seed=1)
    found = {(each.fault, each.strength): each.found.estimate for each in checked.faults}
    assert found["slice of one class", 0.6] >= 0.5
    assert found["someone who favours a class", 0.5] == 1
    assert found["dates that a class goes with", 0.3] == 1
