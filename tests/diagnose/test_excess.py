"""Whether some rows cost more: where errors are rare, rows count differently, or come in groups."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import polars as pl
import pytest
from scipy import stats

from assay.diagnose import diagnose_case
from assay.diagnose.case import Case
from assay.diagnose.detectors.slices import SliceDetector
from assay.diagnose.excess import excess_loss
from assay.diagnose.likeness import shadows
from assay.task import Task

SLICED = Task(kind="binary", modality="tabular", target="y", features=("kind",))
GROUPED = SLICED.model_copy(update={"group": "owner"})


def judged(kind: np.ndarray, losses: np.ndarray, owner: np.ndarray | None = None) -> Case:
    """Rows of a few kinds that cost what is said."""
    n = len(losses)
    rows = pl.DataFrame({"row_id": [str(each) for each in range(n)], "kind": kind})
    if owner is not None:
        rows = rows.with_columns(owner=owner)
    truth = np.array(["a"] * n, dtype=object)
    return Case(rows, SLICED if owner is None else GROUPED, truth, truth, losses.astype(float))


@pytest.mark.parametrize("counted", ["weights", "groups"])
def test_a_slice_that_holds_the_few_errors_there_are_is_found_however_rows_count(
    counted: str,
) -> None:
    random, n = np.random.default_rng(0), 8000
    kind = random.choice(["rare", "usual"], n, p=[0.03, 0.97])
    wrong = random.random(n) < np.where(kind == "rare", 0.25, 0.0005)
    assert wrong.mean() < 0.01
    case = judged(kind, wrong, np.arange(n) if counted == "groups" else None)
    if counted == "weights":
        case = replace(case, weights=np.ones(n))
    titles = [each.title for each in diagnose_case(case, detectors=[SliceDetector()]).findings]
    assert titles == ['worse where kind = "rare"']


@pytest.mark.parametrize("counted", ["weights", "groups"])
def test_rare_errors_that_are_everywhere_are_in_no_slice(counted: str) -> None:
    alarms, runs = 0, 400
    for seed in range(runs):
        random, n = np.random.default_rng(seed), 2000
        kind = random.choice(["rare", "usual"], n, p=[0.05, 0.95])
        case = judged(kind, random.random(n) < 0.008, np.arange(n) // 2)
        if counted == "weights":
            case = replace(judged(kind, case.losses), weights=random.choice([0.5, 1.0, 3.0], n))
        fact = excess_loss(case, kind == "rare", name="excess")
        alarms += fact is not None and (fact.p_value or 0.0) <= 0.05
    assert alarms <= stats.binom.isf(0.001, runs, 0.05)


def test_one_heavy_tail_of_a_regression_is_no_slice() -> None:
    random = np.random.default_rng(0)
    kind = np.repeat(["few", "many"], [300, 700])
    losses = random.exponential(size=1000)
    losses[:3] = 1000.0
    case = judged(kind, losses)
    regression = replace(case, task=SLICED.model_copy(update={"kind": "regression"}))
    fact = excess_loss(regression, kind == "few", name="excess")
    assert fact is not None
    assert fact.estimate < 0.5
    assert "99th percentile" in fact.method


def test_what_a_slice_costs_counts_its_rows_as_much_as_they_count() -> None:
    random, n = np.random.default_rng(1), 3000
    kind = random.choice(["heavy", "usual"], n, p=[0.1, 0.9])
    heavy = kind == "heavy"
    losses = (random.random(n) < np.where(heavy, 0.5, 0.05)).astype(float)
    weights = np.where(heavy, 50.0, 1.0)
    case = replace(judged(kind, losses), weights=weights)
    (found,) = diagnose_case(case, detectors=[SliceDetector()]).findings
    fall = np.average(losses, weights=weights) - losses[~heavy].mean()
    assert found.cost == pytest.approx(fall, rel=0.15)
    assert (found.share > 0.8, found.severity) == (True, "high")


def test_rows_that_count_for_nothing_say_nothing() -> None:
    kind = np.repeat(["few", "many"], [40, 400])
    case = judged(kind, (np.arange(440) % 7 == 0) | (np.arange(440) == 1))
    for counted in (0, 1, 4):
        weights = np.where(kind == "many", 1.0, (np.arange(440) < counted).astype(float))
        assert excess_loss(replace(case, weights=weights), kind == "few", name="excess") is None


def test_a_slice_is_a_shadow_by_how_much_its_rows_count() -> None:
    whole, part = np.arange(1000) < 200, np.arange(1000) < 40
    losses = (part | (np.arange(1000) < 100)).astype(float)
    assert shadows(losses, [whole, part]) == set()
    assert shadows(losses, [whole, part], np.where(part | (np.arange(1000) >= 100), 1, 0.01)) == {0}
