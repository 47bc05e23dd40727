"""Adjusted p-values against SciPy; slices against what was planted."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy import stats

from assay.errors import InputError
from assay.evidence import benjamini_hochberg, benjamini_yekutieli, weak_slices

P_VALUES = st.lists(st.floats(0, 1), min_size=1, max_size=30)


@given(P_VALUES)
def test_adjusted_p_values_are_scipys(p):
    assert benjamini_hochberg(p) == pytest.approx(stats.false_discovery_control(p))
    assert benjamini_yekutieli(p) == pytest.approx(stats.false_discovery_control(p, method="by"))


@pytest.mark.parametrize("p", [[1.2], [[0.1]], [float("nan")]])
def test_what_is_no_p_value_is_an_error(p):
    with pytest.raises(InputError):
        benjamini_hochberg(p)


def planted(seed: int, extra: float) -> tuple[np.ndarray, dict[str, np.ndarray]]:
    rng = np.random.default_rng(seed)
    slices = {f"slice {i}": rng.random(2000) < 0.1 for i in range(40)}
    losses = (rng.random(2000) < np.where(slices["slice 7"], 0.2 + extra, 0.2)).astype(float)
    return losses, slices


def test_a_weak_slice_is_found_and_measured_on_fresh_rows():
    losses, slices = planted(0, 0.35)
    found = weak_slices(losses, slices)
    assert [each.name for each in found] == ["slice 7"]
    assert 0.35 in found[0].interval
    assert found[0].details["slices_searched"] == 40


def test_without_weak_slices_few_runs_report_any():
    runs = [bool(weak_slices(*planted(seed, 0.0), seed=seed)) for seed in range(200)]
    assert sum(runs) <= stats.binom.ppf(1 - 1e-4, 200, 0.05)


def test_groups_are_not_split_between_discovery_and_confirmation():
    rng = np.random.default_rng(1)
    groups = np.repeat(np.arange(60), 40)
    bad_group = rng.random(60) < 0.5
    losses = np.repeat(rng.random(60), 40)  # every row of a group has the same loss
    slices = {"half of the groups": bad_group[groups]}
    grouped = weak_slices(losses, slices, groups=groups, fdr=0.99, discovery=0.99)
    naive = weak_slices(losses, slices, fdr=0.99, discovery=0.99)
    if grouped and naive:
        assert grouped[0].details["se"] > 3 * naive[0].details["se"]
    else:
        assert not grouped


def test_small_slices_are_left_out():
    losses, _ = planted(2, 0)
    tiny = np.zeros(2000, dtype=bool)
    tiny[:12] = True
    assert weak_slices(losses, {"tiny": tiny}) == ()


def test_a_slice_is_a_mask():
    with pytest.raises(InputError, match="boolean"):
        weak_slices(np.ones(30), {"a": np.ones(30)})
