from __future__ import annotations

import numpy as np
import polars as pl
import pytest
from scipy import stats
from sklearn.metrics import average_precision_score

from assay.diagnose import diagnose
from assay.diagnose.detectors.label_errors import LabelErrorDetector, doubt
from assay.diagnose.given import read_case
from assay.diagnose.noise import label_noise
from assay.diagnose.planting import with_flips
from assay.recipe.confident import cross_fitted


def clouds(flips: float, seed: int = 0) -> tuple[pl.DataFrame, np.ndarray, np.ndarray]:
    """Two clouds, some labels flipped, and out-of-fold probabilities that learned from them."""
    random = np.random.default_rng(seed)
    code = random.integers(0, 2, 800)
    points = random.normal(size=(800, 3)) + 2.2 * code[:, None]
    flipped = random.random(800) < flips
    given = np.where(flipped, 1 - code, code)
    shares = cross_fitted(points, given, 2, folds=5, seed=0)
    rows = pl.DataFrame(points, schema=["a", "b", "c"]).with_columns(
        y=pl.Series(np.array(["no", "yes"])[given])
    )
    return rows, shares, flipped


def test_flipped_labels_are_found_and_ranked_first() -> None:
    rows, shares, flipped = clouds(0.08)
    found = diagnose(rows, truth="y", probabilities=shares, detectors=[LabelErrorDetector()])
    assert [each.code for each in found.findings] == ["AS201"]
    positions = [int(each) for each in found.findings[0].row_ids]
    assert flipped[positions].mean() > 0.7
    assert found.findings[0].effect.details["labels_expected_wrong"] > 5
    case = read_case(rows, truth="y", probabilities=shares)
    assert average_precision_score(flipped, doubt(case)) > 0.85
    assert doubt(case).shape == (800,)


def test_labels_that_are_right_are_not_doubted() -> None:
    rows, shares, _ = clouds(0.0)
    found = diagnose(rows, truth="y", probabilities=shares, detectors=[LabelErrorDetector()])
    assert found.findings == ()


def test_planted_flips_change_the_labels_and_their_losses() -> None:
    rows, shares, _ = clouds(0.0)
    case = read_case(rows, truth="y", probabilities=shares)
    changed, flipped = with_flips(case, 0.1, np.random.default_rng(0))
    assert np.array_equal(changed.truth != case.truth, flipped)
    assert np.array_equal(changed.losses, changed.truth != changed.predictions)


def overlapping(seed: int, flips: float = 0.0, sureness: float = 1.0, n: int = 800) -> pl.DataFrame:
    """Two classes whose labels are drawn from the stated probability, then sharpened; flips."""
    random = np.random.default_rng(seed)
    score = random.normal(size=n)
    yes = random.random(n) < 1 / (1 + np.exp(-4 * score))
    flipped = random.random(n) < flips
    stated = 1 / (1 + np.exp(-4 * sureness * score))
    return pl.DataFrame({"x": score, "y": np.where(yes ^ flipped, "yes", "no")}).with_columns(
        pl.Series("probability:yes", stated), pl.Series("probability:no", 1 - stated)
    )


@pytest.mark.parametrize("sureness", [1.0, 3.0])
def test_classes_that_merely_overlap_hold_no_wrong_labels(sureness: float) -> None:
    runs, told = 30, 0
    for seed in range(runs):
        rows = overlapping(seed, sureness=sureness)
        told += bool(diagnose(rows, truth="y", detectors=[LabelErrorDetector()]).findings)
    assert told <= stats.binom.isf(0.001, runs, 0.05)


def test_flips_among_classes_that_overlap_are_told_with_their_share() -> None:
    found = [
        diagnose(
            overlapping(seed, 0.1, n=3000), truth="y", detectors=[LabelErrorDetector()]
        ).findings
        for seed in range(8)
    ]
    assert sum(map(bool, found)) >= 5
    inside = [0.1 in each[0].effect.interval for each in found if each]
    assert sum(inside) >= len(inside) - 1


def test_label_noise_is_estimated_and_its_interval_holds() -> None:
    random = np.random.default_rng(0)
    held = 0
    for _ in range(20):
        logits = 3 * random.normal(size=(1000, 3))
        shares = np.exp(logits) / np.exp(logits).sum(1, keepdims=True)
        codes = (shares.cumsum(1) > random.random((1000, 1))).argmax(1)
        wrong = random.random(1000) < 0.05
        given = np.where(wrong, (codes + random.integers(1, 3, 1000)) % 3, codes)
        noise = label_noise(shares, given)
        assert noise.interval.low <= noise.rate <= noise.interval.high
        held += 0.05 in noise.interval
    assert held >= 16


def test_beyond_twenty_thousand_rows_wrong_labels_are_still_confirmed() -> None:
    rows = overlapping(0, 0.05, n=44_000)
    (found,) = diagnose(rows, truth="y", detectors=[LabelErrorDetector()]).findings
    assert 0.01 < found.effect.estimate < 0.06  # the weaker view's, so rather too low
    assert found.effect.n == 20_000
