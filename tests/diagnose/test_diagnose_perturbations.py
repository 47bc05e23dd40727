from __future__ import annotations

from collections.abc import Callable

import numpy as np
import polars as pl
import pytest

from assay.diagnose import diagnose
from assay.diagnose.detectors.perturbations import (
    PerturbationDetector,
    decimals,
    within_rounding,
)

Model = Callable[[pl.DataFrame], np.ndarray]


def rows(n: int = 400, seed: int = 0) -> pl.DataFrame:
    random = np.random.default_rng(seed)
    return pl.DataFrame(
        {
            "weight": random.uniform(40, 90, n).round(1),
            "region": random.choice(["north", "south"], n),
            "y": random.choice(["no", "yes"], n),
        }
    )


def titles(model: Model, seed: int = 0) -> set[str]:
    found = diagnose(rows(seed=seed), truth="y", model=model, detectors=[PerturbationDetector()])
    return {each.title for each in found.findings}


def answer(yes: pl.Series) -> np.ndarray:
    return np.where(yes.fill_null(False).to_numpy(), "yes", "no")


def test_a_model_that_reads_below_the_last_decimal_is_told() -> None:
    told = titles(lambda part: answer((part["weight"] * 10).floor() % 2 == 0))
    assert told == {"answers change with noise below the last decimal"}


def test_a_model_that_reads_case_and_spaces_is_told() -> None:
    told = titles(lambda part: answer(part["region"] == "north"))
    assert told == {
        "answers change with upper case in words of columns",
        "answers change with a space after words of columns",
    }


def one_in_twenty(part: pl.DataFrame) -> np.ndarray:
    """Change the answers of exactly one in twenty of all measurements that are moved."""
    beyond = part["weight"] * 10 - (part["weight"] * 10).round()
    return answer((beyond > 0.2) & (beyond < 0.25))


def test_models_that_are_changed_by_one_in_twenty_are_seldom_told() -> None:
    alarms = sum(bool(titles(one_in_twenty, seed)) for seed in range(40))
    assert alarms <= 6  # at 5 % more with probability .003


def test_predictions_alone_and_few_rows_are_said_to_be_too_little() -> None:
    table = rows().with_columns(prediction=pl.col("y"))
    (looked,) = diagnose(table, truth="y", detectors=[PerturbationDetector()]).looked
    assert "not at hand" in looked.skipped


@pytest.mark.parametrize(
    ("numbers", "expected"), [([1.0, 2.0], 0), ([1.5, 2.25], 2), ([1 / 3, 0.1], 7)]
)
def test_decimals_are_counted(numbers: list[float], expected: int) -> None:
    assert decimals(pl.Series(numbers)) == expected


def test_rounding_noise_rounds_back_to_what_it_was() -> None:
    weights = rows()["weight"]
    moved = within_rounding(weights, np.random.default_rng(0))
    assert not (moved == weights).any()
    np.testing.assert_allclose(moved.round(1), weights)
