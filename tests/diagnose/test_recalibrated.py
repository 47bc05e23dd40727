"""A group's answers are held to those of others that the model is as sure of."""

from __future__ import annotations

import numpy as np
import polars as pl
import pytest

from assay.diagnose import diagnose
from assay.diagnose.detectors.calibration_slices import SliceCalibrationDetector
from assay.diagnose.recalibrated import Line, wrong_beyond

Random = np.random.Generator


def sharpened(chance: np.ndarray, power: float) -> np.ndarray:
    odds = np.log(chance / (1 - chance)) * power
    return np.asarray(1 / (1 + np.exp(-odds)))


@pytest.mark.parametrize("power", [0.3, 1.0, 2.5])
@pytest.mark.parametrize("side", [1.0, -1.0])
def test_a_group_that_is_off_as_all_others_are_is_called_off_no_oftener_than_allowed(
    power: float, side: float
) -> None:
    """The promise: the p-value is at most .05 in at most 5 % of such groups, whatever the shape.

    The groups are of the surest rows, or the least sure: where a wrong line would tell.
    """
    random, told, tries = np.random.default_rng(0), 0, 300
    for run in range(tries):
        n = 200 if run % 2 else 600
        chance = np.clip(random.beta(6, 1.2, n), 0.34, 0.9995)
        wrong = (random.random(n) > chance).astype(np.float64)
        lean = np.argsort(np.argsort(chance + random.normal(size=n) * 0.1)) / n
        inside = lean > 0.85 if run % 3 else lean < 0.15
        told += wrong_beyond(sharpened(chance, power), wrong, inside, side=side) <= 0.05
    assert told / tries <= 0.05 + 2 * np.sqrt(0.05 * 0.95 / tries)


def test_a_group_that_alone_is_too_sure_has_a_small_p_value_and_the_others_side_a_large_one(
) -> None:  # fmt: skip
    random, n = np.random.default_rng(1), 800
    chance = random.choice([0.78, 0.9, 0.99], n)
    inside = np.arange(n) < 100
    wrong = (random.random(n) > chance).astype(np.float64)
    sure = np.where(inside, sharpened(chance, 3.0), chance)
    assert wrong_beyond(sure, wrong, inside, side=1.0) < 0.001
    assert wrong_beyond(sure, wrong, inside, side=-1.0) > 0.5


def test_the_line_never_falls_as_the_model_gets_surer_and_runs_straight_between_its_steps() -> None:
    sure = np.repeat([0.6, 0.8, 0.9], 100)
    wrong = np.concatenate([np.arange(100) < each for each in (40, 10, 20)]).astype(np.float64)
    line = Line.of(sure, wrong)
    assert line.size.tolist() == [100, 200], "at .9 it is wrong oftener than at .8: one step"
    low, high = line.chances(np.array([0.5, 0.95]))
    assert (low, high) == (pytest.approx(40 / 102), pytest.approx(30 / 202))
    assert line.chances(np.array([0.7]))[0] == pytest.approx((low + high) / 2)
    flat = Line.of(np.full(50, 0.9), np.zeros(50))
    assert flat.expected(np.array([0.9]), side=1.0)[0] == pytest.approx(1 / 52)


def test_a_tenth_of_the_rows_that_is_too_sure_is_found_where_the_model_errs_rarely() -> None:
    found = [told(seed) for seed in range(6)]
    assert sum(found) >= 4  # five; a t-test of mean gaps, over quarters of columns, found none


def told(seed: int) -> bool:
    random, n = np.random.default_rng(seed), 1500
    x = random.normal(size=(n, 8)).round(3)
    chance = random.choice([0.78, 0.9, 0.99], n)
    top = random.integers(2, size=n)
    right = random.random(n) < chance
    truth = np.where(right, top, 1 - top)
    sure = np.where(x[:, 2] > 1.28, sharpened(chance, 4.0), chance)
    shares = np.where(np.arange(2) == top[:, None], sure[:, None], 1 - sure[:, None])
    rows = pl.DataFrame(x, schema=[f"x{at}" for at in range(8)])
    rows = rows.with_columns(y=pl.Series(np.array(["no", "yes"])[truth]))
    diagnosis = diagnose(
        rows, truth="y", probabilities=shares, detectors=[SliceCalibrationDetector()], seed=seed
    )
    return any("surer than it is right where x2 >" in each.title for each in diagnosis.findings)
