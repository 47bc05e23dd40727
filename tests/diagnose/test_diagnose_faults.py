from __future__ import annotations

from dataclasses import replace

import numpy as np
import polars as pl
import pytest

from assay.diagnose import diagnose, diagnose_case
from assay.diagnose.detectors.calibration import CalibrationDetector, suspected
from assay.diagnose.detectors.classes import ClassDetector
from assay.diagnose.detectors.drift import DriftDetector
from assay.diagnose.detectors.leakage import LeakageDetector
from assay.diagnose.detectors.robustness import RobustnessDetector, with_typing_errors
from assay.diagnose.given import read_case


def answers(n: int = 1200, seed: int = 0, sureness: float = 1.0) -> tuple[pl.DataFrame, np.ndarray]:
    """Rows of two classes, and their true probabilities, sharpened by ``sureness``."""
    random = np.random.default_rng(seed)
    score = random.normal(size=n)
    yes = 1 / (1 + np.exp(-2 * score))
    label = np.where(random.random(n) < yes, "yes", "no")
    stated = 1 / (1 + np.exp(-2 * sureness * score))
    rows = pl.DataFrame({"x": score, "noise": random.normal(size=n), "y": label})
    return rows, np.column_stack([1 - stated, stated])


def test_a_model_that_is_too_sure_is_told_and_a_calibrated_one_is_not() -> None:
    rows, shares = answers(sureness=4.0)
    found = diagnose(rows, truth="y", probabilities=shares, detectors=[CalibrationDetector()])
    assert "AS301" in [each.code for each in found.findings]
    assert found.findings[0].title == "the model is too sure of its answers"
    assert found.findings[0].effect.interval.low > 0.02


@pytest.mark.parametrize("detector", [CalibrationDetector(), ClassDetector(), LeakageDetector()])
def test_clean_rows_give_few_false_findings(detector: object) -> None:
    told = 0
    for seed in range(30):
        random = np.random.default_rng(seed)
        rows, shares = answers(600, seed)
        if isinstance(detector, ClassDetector):  # losses that have nothing to do with the class
            y = rows["y"].to_numpy()
            wrong = random.random(600) < 0.2
            said = np.where(wrong, np.where(y == "yes", "no", "yes"), y)
            found = diagnose(rows, truth="y", predictions=said, detectors=[detector])
        else:
            found = diagnose(rows, truth="y", probabilities=shares, detectors=[detector])  # type: ignore[list-item]
        told += bool(found.findings)
    assert told <= 4  # of 30 at 5 %: five or more with probability .06 at worst, and fixed seeds


def test_a_class_that_fails_is_told_with_what_it_is_taken_for() -> None:
    random = np.random.default_rng(0)
    truth = random.choice(["a", "b", "c"], 900, p=[0.5, 0.4, 0.1])
    said = truth.copy()
    said[(truth == "c") & (random.random(900) < 0.6)] = "b"
    said[random.random(900) < 0.05] = "a"
    rows = pl.DataFrame({"x": random.normal(size=900), "y": truth})
    found = diagnose(rows, truth="y", predictions=said, detectors=[ClassDetector()])
    first = found.findings[0]
    assert (first.code, first.title) == ("AS103", "class 'c', most often taken for 'b'")
    assert first.size == (truth == "c").sum()
    assert "synthesise" in [each.kind for each in first.remedies]


def test_a_column_written_after_the_outcome_is_told() -> None:
    rows, shares = answers(800)
    late = pl.when(pl.col("y") == "yes").then(pl.lit("paid back")).otherwise(pl.lit("in arrears"))
    leaking = rows.with_columns(status=late)
    found = diagnose(leaking, truth="y", probabilities=shares, detectors=[LeakageDetector()])
    assert [each.title for each in found.findings] == ["column 'status' gives the target away"]


@pytest.mark.parametrize("as_text", [True, False])
def test_a_date_that_only_one_class_has_is_told(as_text: bool) -> None:
    """Hardly a date of one half is seen in the other; what tells is whether there is one."""
    rows, shares = answers(800)
    days = pl.Series(np.random.default_rng(1).integers(19_000, 20_000, 800)).cast(pl.Int32)
    ended = pl.when(rows["y"] == "yes").then(days.cast(pl.Date))
    leaking = rows.with_columns(ended=ended.cast(pl.String) if as_text else ended)
    found = diagnose(leaking, truth="y", probabilities=shares, detectors=[LeakageDetector()])
    assert [each.title for each in found.findings] == ["column 'ended' gives the target away"]
    assert found.findings[0].severity == "high", "no figure can be relied on with a leak"
    assert found.findings[0].effect.estimate == pytest.approx(0.1)


@pytest.mark.parametrize("noise", [0.02, 0.5])
def test_the_target_of_a_regression_in_another_unit_is_told(noise: float) -> None:
    random = np.random.default_rng(2)
    price = np.exp(random.normal(size=600))
    euros = 0.86 * price * np.exp(random.normal(size=600) * noise)
    rows = pl.DataFrame({"size": random.normal(size=600), "other": euros, "price": price})
    found = diagnose(rows, truth="price", predictions=np.ones(600), detectors=[LeakageDetector()])
    titles = [each.title for each in found.findings]
    assert titles == (["column 'other' gives the target away"] if noise < 0.1 else [])
    if titles:
        effect = found.findings[0].effect
        assert 0.09 < effect.interval.low < effect.estimate < effect.interval.high <= 0.1


def test_a_copy_with_mistakes_is_told_and_one_good_measurement_among_others_is_not() -> None:
    rows, shares = answers(800)
    random = np.random.default_rng(1)
    yes = (rows["y"] == "yes").to_numpy()
    copied = np.where(random.random(800) < 0.04, random.random(800) < 0.5, yes)
    leaking = rows.with_columns(status=pl.Series(copied.astype(float)))
    found = diagnose(leaking, truth="y", probabilities=shares, detectors=[LeakageDetector()])
    assert [each.title for each in found.findings] == ["column 'status' gives the target away"]
    measured = {f"m{at}": yes + random.normal(size=800) * 0.27 for at in range(2)}
    vague = {f"v{at}": yes + random.normal(size=800) * 0.5 for at in range(6)}
    good = rows.with_columns(**{name: pl.Series(each) for name, each in (measured | vague).items()})
    told = diagnose(good, truth="y", probabilities=shares, detectors=[LeakageDetector()])
    assert told.findings == (), "the others together tell nearly as much"


def test_rows_that_moved_away_from_the_training_rows_are_told() -> None:
    rows, shares = answers(600, 1)
    training, _ = answers(600, 2)
    same = diagnose(
        rows, truth="y", probabilities=shares, training=training, detectors=[DriftDetector()]
    )
    assert same.findings == ()
    moved = rows.with_columns(pl.col("noise") + 1.0)
    found = diagnose(
        moved, truth="y", probabilities=shares, training=training, detectors=[DriftDetector()]
    )
    assert [each.code for each in found.findings] == ["AS501"]
    assert "'noise'" in found.findings[0].title
    assert found.findings[0].effect.interval.low > 0.1


def test_a_model_that_reads_capitals_is_not_robust_and_one_that_folds_them_is() -> None:
    random = np.random.default_rng(0)
    label = random.choice(["good", "bad"], 400)
    texts = [f"This is {each} stuff number {at}." for at, each in enumerate(label)]
    rows = pl.DataFrame({"text": texts, "y": label})

    def exact(part: pl.DataFrame) -> np.ndarray:
        good = part["text"].str.contains("good").to_numpy()
        return np.where(good, "good", "bad")

    def folded(part: pl.DataFrame) -> np.ndarray:
        return exact(part.with_columns(pl.col("text").str.to_lowercase()))

    for model, expected in ((exact, {"answers change with upper case"}), (folded, set())):
        case = read_case(rows, truth="y", model=model, text="text")
        found = diagnose_case(case, detectors=[RobustnessDetector()])
        assert {each.title for each in found.findings} == expected
    blind = replace(case, predict=None)
    assert "not at hand" in diagnose_case(blind, detectors=[RobustnessDetector()]).looked[0].skipped


def test_a_typing_error_keeps_the_letters() -> None:
    text = "several ordinary words of some length follow each other here"
    changed = with_typing_errors(text, np.random.default_rng(3))
    assert changed != text
    assert sorted(changed) == sorted(text)


@pytest.mark.parametrize("sure", [0.95, 0.98])
def test_right_probabilities_near_one_are_not_called_off_by_chance(sure: float) -> None:
    told = tries = 0
    for seed in range(150):  # 60 rows, nearly all answered rightly: their gaps hardly vary
        random = np.random.default_rng(seed)
        top = random.integers(2, size=60)
        shares = np.eye(2)[top] * (2 * sure - 1) + (1 - sure)
        truth = np.array(["no", "yes"])[np.where(random.random(60) < sure, top, 1 - top)]
        if len(set(truth)) < 2:
            continue
        rows = pl.DataFrame({"x": random.normal(size=60), "y": truth})
        case = read_case(rows, truth="y", probabilities=shares)
        for side in (1.0, -1.0):
            fact = suspected(None, case.task.class_names, side).confirm(case)
            told += fact is not None and (fact.p_value or 0.0) <= 0.05
            tries += 1
    assert told / tries <= 0.05  # by the t-test alone, one in seven at .98
