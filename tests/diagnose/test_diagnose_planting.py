"""What is planted is there, and is found where it is strong."""

from __future__ import annotations

import numpy as np
import polars as pl
import pytest

from assay.diagnose.case import Case
from assay.diagnose.detectors.slices import SliceDetector
from assay.diagnose.given import read_case
from assay.diagnose.planting import self_check
from assay.diagnose.planting_columns import (
    annotator_found,
    confidence_found,
    dates_found,
    drift_found,
    leak_found,
)
from assay.diagnose.planting_rows import ambiguous_found, copies_found, negation_found
from assay.diagnose.spec import Search


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


def test_strong_faults_of_rows_are_found_and_absent_ones_are_not() -> None:
    random, case = np.random.default_rng(5), plain(800)
    assert ambiguous_found(case, 0.2, random)
    assert not ambiguous_found(case, 0.0, random)
    assert copies_found(case, 0.3, random)
    assert copies_found(case, 0.0, random) is None, "no two rows have the same inputs"


def test_misread_negations_are_found_and_none_are_planted_where_there_is_nothing_to_negate() -> (
    None
):
    random, n = np.random.default_rng(6), 400
    good = random.random(n) < 0.5
    for words, expected in (("is", (True, False)), ("tastes", (None, None))):
        texts = [f"Meal {at} {words} {'good' if each else 'bad'}." for at, each in enumerate(good)]
        label = np.where(good, "positive", "negative")
        rows = pl.DataFrame({"text": texts, "y": label, "prediction": label})
        case = read_case(rows, truth="y", text="text")
        assert (negation_found(case, 0.3, random), negation_found(case, 0.0, random)) == expected


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
    assert ("rows that a coin decides, a share of all", 0.2) in found
    assert ("copies that contradict, a share of all", 0.2) not in found, "a column of few values"


def test_an_interrupt_ends_the_check_and_keeps_what_was_counted(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    looked: list[int] = []

    def detect(self: SliceDetector, part: Case) -> Search:
        looked.append(part.n)
        if len(looked) > 2:
            raise KeyboardInterrupt
        return Search(0, "slices")

    monkeypatch.setattr(SliceDetector, "detect", detect)
    checked = self_check(plain(300), repeats=1)
    assert (len(looked), checked.stopped, checked.false_alarms) == (3, True, None)
    assert [each.fault for each in checked.faults] == ["slice of 1 condition"]
    assert checked.as_dict()["stopped"]
