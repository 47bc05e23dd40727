from __future__ import annotations

import numpy as np
import polars as pl

from assay.diagnose import diagnose
from assay.diagnose.detectors.label_errors import LabelErrorDetector, doubt
from assay.diagnose.given import read_case
from assay.diagnose.planting import flips_precision, with_flips
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
    assert flips_precision(case, flipped) > 0.85
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


def test_where_classes_overlap_the_finding_claims_no_more_than_a_check() -> None:
    random = np.random.default_rng(0)
    score = random.normal(size=800)
    yes = 1 / (1 + np.exp(-2 * score))
    rows = pl.DataFrame({"x": score, "y": np.where(random.random(800) < yes, "yes", "no")})
    shares = np.column_stack([1 - yes, yes])  # labels are drawn from these: none is wrong
    found = diagnose(rows, truth="y", probabilities=shares, detectors=[LabelErrorDetector()])
    (only,) = found.findings
    assert only.title == "labels to check: wrong, or of rows that could be either"
    assert "overlap" in only.cause
    assert (only.cost, only.severity) == (0.0, "low")
