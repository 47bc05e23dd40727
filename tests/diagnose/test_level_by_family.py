"""How the level is shared out among kinds of suspicion, and which slices are told."""

from __future__ import annotations

import numpy as np
import polars as pl
from scipy import stats

from assay.diagnose import diagnose_case
from assay.diagnose.case import Case
from assay.diagnose.detectors.slices import SliceDetector
from assay.diagnose.given import read_case
from assay.diagnose.likeness import known, shadows
from assay.diagnose.shares import adjusted_by_family
from assay.evidence import benjamini_hochberg


def test_one_family_is_adjusted_as_benjamini_and_hochberg_say() -> None:
    p_values = [0.001, 0.02, 0.04, 0.5]
    assert adjusted_by_family(p_values, ["one"] * 4) == benjamini_hochberg(p_values).tolist()
    assert adjusted_by_family([], []) == []


def test_a_large_family_takes_nothing_from_a_small_one() -> None:
    found = adjusted_by_family([0.01, *[0.9] * 99], ["small", *["large"] * 99])
    assert found[0] == 0.02
    assert benjamini_hochberg([0.01, *[0.9] * 99])[0] > 0.8


def test_the_share_of_false_findings_is_kept_with_families_of_any_size() -> None:
    """The promise: at most 5 % of what is told is false on average, without a fault too."""
    random, runs = np.random.default_rng(0), 2000
    families = ["a"] * 2 + ["b"] * 10 + ["c"] * 30
    for shifts in ({}, {0: 3.5}, {1: 4.0, 5: 4.0, 20: 4.0}):
        means = np.zeros(42)
        means[list(shifts)] = list(shifts.values())
        null = means == 0
        shares = []
        for _ in range(runs):
            # Tests of overlapping slices depend on each other, positively.
            scores = 0.7 * random.normal(size=42) + 0.7 * random.normal() + means
            p_values = stats.norm.sf(scores / np.sqrt(0.98))
            told = np.asarray(adjusted_by_family(p_values.tolist(), families)) <= 0.05
            shares.append((told & null).sum() / max(1, told.sum()))
        error = np.std(shares) / np.sqrt(runs)
        assert np.mean(shares) <= 0.05 + 2 * error, shifts


def test_a_slice_that_is_worse_by_a_part_of_it_alone_is_a_shadow() -> None:
    losses = np.zeros(1000)
    whole, part, other = np.arange(1000) < 200, np.arange(1000) < 40, np.arange(1000) > 900
    losses[:32] = 1
    assert shadows(losses, [whole, part, other]) == {0}
    losses[40:100] = 1
    assert shadows(losses, [whole, part, other]) == set(), "its other rows are bad too"
    assert known(part, [np.arange(1000) < 60])
    assert not known(part, [whole, None])
    assert not known(None, [whole])


def test_a_weak_slice_of_one_condition_is_found_among_many_columns() -> None:
    found = [told_where(weak(seed), "c3") for seed in range(8)]
    assert sum(found) >= 4  # five; as one of many conjunctions it was found in two


def weak(seed: int) -> Case:
    """Forty columns of numbers; of rows where one is high 23 % fail, of others 8 %."""
    random = np.random.default_rng(seed)
    values = random.normal(size=(1600, 40)).round(3)
    wrong = random.random(1600) < np.where(values[:, 3] > 1.28, 0.23, 0.08)
    rows = pl.DataFrame(values, schema=[f"c{at}" for at in range(40)])
    truth = random.choice(["no", "yes"], 1600)
    said = np.where(wrong, np.where(truth == "yes", "no", "yes"), truth)
    return read_case(rows.with_columns(y=pl.Series(truth)), truth="y", predictions=said, seed=seed)


def told_where(case: Case, column: str) -> bool:
    found = diagnose_case(case, detectors=[SliceDetector()]).findings
    return any(
        each.predicate is not None and [one.column for one in each.predicate.conditions] == [column]
        for each in found
    )
