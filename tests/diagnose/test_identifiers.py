from __future__ import annotations

import numpy as np
import polars as pl
import pytest

from assay.diagnose import diagnose
from assay.diagnose.detectors.identifiers import IdentifierDetector
from assay.diagnose.spec import Diagnosis


def numbered(seed: int, moved: float, name: str = "row_id_number", n: int = 600) -> Diagnosis:
    """Diagnose rows whose class is ``moved`` likelier late in the numbering than early."""
    random = np.random.default_rng(seed)
    number = random.permutation(n) + 1000
    chance = 0.5 + np.where(number - 1000 < n / 2, -moved / 2, moved / 2)
    truth = np.where(random.random(n) < chance, "yes", "no")
    rows = pl.DataFrame({name: number, "x": random.normal(size=n), "y": truth})
    guesses = random.choice(["no", "yes"], n)
    return diagnose(rows, truth="y", predictions=guesses, detectors=[IdentifierDetector()])


@pytest.mark.parametrize("moved", [0.4, 0.9])
def test_an_id_that_predicts_is_told(moved: float) -> None:
    told = numbered(1, moved).findings
    assert [each.code for each in told] == ["AS404"]
    assert "row_id_number" in told[0].title
    assert told[0].effect.interval.low > 0


def test_ids_in_no_order_are_told_at_most_at_the_level() -> None:
    told = sum(bool(numbered(seed, 0.0).findings) for seed in range(40))
    assert told <= 5  # at 5 %: more with probability .014, and fixed seeds


def test_a_measurement_is_no_id() -> None:
    diagnosis = numbered(1, 0.9, name="height")
    assert diagnosis.findings == ()
    assert "named as an id" in diagnosis.looked[0].skipped
