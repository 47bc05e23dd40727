"""What no one can tell is told apart from what the model cannot, and from labels that slipped."""

from __future__ import annotations

import numpy as np
import polars as pl
import pytest
from scipy import stats

from assay.diagnose import diagnose
from assay.diagnose.detectors.ambiguity import AmbiguityDetector
from assay.diagnose.detectors.contradictions import ContradictionDetector
from assay.diagnose.detectors.label_errors import LabelErrorDetector
from assay.diagnose.spec import Detector, Diagnosis


def answered(
    seed: int, n: int = 600, *, right: float, stated: float = 0.6, share: float = 0.3
) -> pl.DataFrame:
    """Rows of which a share is stated with ``stated``, and is so often what was stated."""
    random = np.random.default_rng(seed)
    unsure = random.random(n) < share
    said = random.random(n) < 0.5
    truth = said ^ (random.random(n) >= np.where(unsure, right, 0.98))
    top = np.where(unsure, stated, 0.97) - random.uniform(0, 0.01, n)
    yes = np.where(said, top, 1 - top)
    return pl.DataFrame(
        {
            "x": random.normal(size=n),
            "z": random.normal(size=n),
            "y": np.where(truth, "yes", "no"),
            "probability:no": 1 - yes,
            "probability:yes": yes,
        }
    )


def told(rows: pl.DataFrame, *detectors: Detector, seed: int = 0) -> Diagnosis:
    return diagnose(rows, truth="y", detectors=detectors or (AmbiguityDetector(),), seed=seed)


def test_rows_that_a_coin_decides_are_told_with_the_error_that_remains() -> None:
    diagnosis = told(answered(1, 1000, right=0.5), AmbiguityDetector(), LabelErrorDetector())
    (found,) = diagnosis.findings
    assert found.code == "AS202"
    assert found.effect.interval.low > 0.25
    assert found.effect.interval.low < 0.5 < found.effect.interval.high + 0.05
    assert found.size == pytest.approx(300, rel=0.25)
    assert found.effect.details["share_of_all_errors"] > 0.8
    assert "'no' from 'yes'" in found.title


def test_rows_that_another_view_can_tell_are_not_told() -> None:
    rows = answered(2, 1000, right=0.5)
    known = rows.with_columns(
        x=pl.when(pl.col("y") == "yes").then(pl.col("x").abs() + 0.2).otherwise(-pl.col("x").abs())
    )
    assert told(known).findings == ()
    corners = rows.with_columns(  # a linear model does not see it, a forest does
        y=pl.when(pl.col("x") * pl.col("z") > 0).then(pl.lit("yes")).otherwise(pl.lit("no"))
    )
    assert told(corners).findings == ()


def test_labels_wrong_everywhere_alike_are_no_ambiguity() -> None:
    rows = answered(3, 1000, right=0.68, stated=0.97)
    random = np.random.default_rng(3)
    flipped = random.random(1000) < 0.32
    y = np.where(flipped, np.where(rows["y"] == "yes", "no", "yes"), rows["y"].to_numpy())
    assert told(rows.with_columns(y=y)).findings == ()


def test_rows_told_three_times_in_four_are_seldom_called_ambiguous() -> None:
    tries = 20
    alarms = sum(bool(told(answered(seed, 400, right=0.75)).findings) for seed in range(tries))
    assert alarms <= stats.binom.isf(0.001, tries, 0.05)


def copies(seed: int, slipped: float, n: int = 200, *, exact: bool = True) -> pl.DataFrame:
    """Texts that stand there twice, some labelled anew; but where exact, written otherwise too."""
    random = np.random.default_rng(seed)
    label = random.choice(["good", "bad"], n)
    other = np.where(random.random(n) < slipped, np.where(label == "good", "bad", "good"), label)
    texts = [f"The letter number {each} came today." for each in random.integers(10**9, size=n)]
    again = texts if exact else [each.upper().replace(".", " !") for each in texts]
    said = np.concatenate([label, label])
    return pl.DataFrame(
        {"text": texts + again, "y": np.concatenate([label, other]), "prediction": said}
    )


def test_copies_that_are_labelled_differently_are_told_with_the_floor_of_the_error() -> None:
    rows = copies(1, 0.3)
    (found,) = told(rows, ContradictionDetector()).findings
    slipped = (rows["y"].head(200) != rows["y"].tail(200)).sum()
    assert (found.code, found.size) == ("AS203", 2 * slipped)
    assert found.effect.interval.low > 0
    floor = slipped / rows.height
    assert found.effect.interval.low < floor - 0.01 < found.effect.interval.high
    assert told(copies(1, 0.3, exact=False), ContradictionDetector()).findings[0].size == found.size


def test_copies_that_seldom_contradict_are_seldom_told() -> None:
    tries = 60
    alarms = sum(
        bool(told(copies(seed, 0.02), ContradictionDetector(), seed=seed).findings)
        for seed in range(tries)
    )
    assert alarms <= stats.binom.isf(0.001, tries, 0.05)
    alone = told(copies(1, 0.3).head(200), ContradictionDetector())
    assert "no two rows have the same inputs" in alone.looked[0].skipped
