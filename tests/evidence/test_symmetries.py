"""What must not change a comparison, for every kind of metric, with weights, groups and fits."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from assay.evidence import class_guards, compare

METRICS = (
    "accuracy",
    "macro_f1",
    "mcc",
    "log_loss",
    "brier",
    "auc",
    "average_precision",
    "mae",
    "rmse",
    "r2",
    "pinball_0.9",
)
LABELS = ("accuracy", "macro_f1", "mcc")
SHARES = ("log_loss", "brier")
REPLICATES = 60
SEEDS = st.integers(0, 10_000)
SHAPES = st.sampled_from(["plain", "weights", "groups", "fits", "all"])


def rows(metric: str, seed: int, shape: str, n: int = 90) -> tuple[list[Any], dict[str, Any]]:
    """Return truth, before and after (each fit in turn), and what comes beside them."""
    rng = np.random.default_rng(seed)
    fits = 3 if shape in ("fits", "all") else 1
    truth = rng.permutation(np.arange(n) % 3 == 0).astype(float)
    both = [truth + rng.normal(size=(fits, n)) * noise for noise in (1.5, 1.0)]
    if metric in LABELS:
        both = [(each > 0.5).astype(int) for each in both]
    elif metric in SHARES:
        both = [1 / (1 + np.exp(-each)) for each in both]
    if metric in (*LABELS, *SHARES, "auc", "average_precision"):
        truth = truth.astype(int)
    beside: dict[str, Any] = {}
    if shape in ("weights", "all"):
        beside["weights"] = rng.random(n) + 0.1
    if shape in ("groups", "all"):
        beside["groups"] = rng.permutation(np.arange(n) // 2)
    return [truth, *(list(each) for each in both)], beside


def measured(metric: str, given: list[Any], beside: dict[str, Any]) -> Any:
    return compare(*given, metric=metric, replicates=REPLICATES, **beside)


@pytest.mark.parametrize("metric", METRICS)
@settings(deadline=None, max_examples=6)
@given(seed=SEEDS, shape=SHAPES)
def test_swapping_the_models_flips_the_sign(metric: str, seed: int, shape: str) -> None:
    (truth, before, after), beside = rows(metric, seed, shape)
    there = measured(metric, [truth, before, after], beside)
    back = measured(metric, [truth, after, before], beside)
    assert back.estimate == pytest.approx(-there.estimate)
    if "df" in there.details:
        assert back.p_value == pytest.approx(1 - there.p_value)
        assert back.interval.low == pytest.approx(-there.interval.high)


@pytest.mark.parametrize("metric", METRICS)
@settings(deadline=None, max_examples=6)
@given(seed=SEEDS, shape=SHAPES)
def test_permuting_rows_changes_nothing(metric: str, seed: int, shape: str) -> None:
    (truth, before, after), beside = rows(metric, seed, shape)
    order = np.random.default_rng(seed + 1).permutation(len(truth))
    one = measured(metric, [truth, before, after], beside)
    moved = [truth[order], [each[order] for each in before], [each[order] for each in after]]
    two = measured(metric, moved, {name: each[order] for name, each in beside.items()})
    assert two.estimate == pytest.approx(one.estimate)
    assert two.p_value == pytest.approx(one.p_value)
    assert two.interval.low == pytest.approx(one.interval.low)
    assert two.interval.high == pytest.approx(one.interval.high)


@pytest.mark.parametrize("metric", METRICS)
@settings(deadline=None, max_examples=6)
@given(seed=SEEDS, scale=st.sampled_from([0.01, 7.0]))
def test_the_scale_of_weights_changes_nothing(metric: str, seed: int, scale: float) -> None:
    given_rows, beside = rows(metric, seed, "weights")
    one = measured(metric, given_rows, beside)
    two = measured(metric, given_rows, {"weights": beside["weights"] * scale})
    even = measured(metric, given_rows, {"weights": np.full(90, scale)})
    assert two.estimate == pytest.approx(one.estimate)
    assert two.p_value == pytest.approx(one.p_value)
    assert even.estimate == pytest.approx(measured(metric, given_rows, {}).estimate)


@pytest.mark.parametrize("metric", ["accuracy", "log_loss", "mae", "pinball_0.9"])
@settings(deadline=None, max_examples=6)
@given(seed=SEEDS, extra=st.integers(1, 200))
def test_rows_on_which_the_models_agree_leave_the_total_gain(
    metric: str, seed: int, extra: int
) -> None:
    (truth, before, after), _ = rows(metric, seed, "plain")
    same = np.full(extra, 1 if metric in LABELS else 0.5, dtype=before[0].dtype)
    longer = [
        np.concatenate([truth, np.ones(extra, dtype=truth.dtype)]),
        *([np.concatenate([fits[0], same])] for fits in (before, after)),
    ]
    one, two = measured(metric, [truth, before, after], {}), measured(metric, longer, {})
    assert two.estimate * two.n == pytest.approx(one.estimate * one.n)
    assert (two.p_value < 0.5) == (one.p_value < 0.5)


@pytest.mark.parametrize("metric", METRICS)
@pytest.mark.parametrize("shape", ["plain", "weights", "groups", "fits", "all"])
def test_a_model_gains_nothing_over_itself(metric: str, shape: str) -> None:
    (truth, before, _), beside = rows(metric, 3, shape)
    found = measured(metric, [truth, before, before], beside)
    assert found.estimate == pytest.approx(0, abs=1e-12)
    assert 0 in found.interval
    assert found.p_value >= 0.4


@settings(deadline=None, max_examples=20)
@given(seed=SEEDS, shape=SHAPES)
def test_guards_know_no_order_of_rows_and_flip_with_the_models(seed: int, shape: str) -> None:
    (truth, before, after), beside = rows("accuracy", seed, shape)
    order = np.random.default_rng(seed).permutation(len(truth))
    there = class_guards(truth, before, after, **beside)
    back = class_guards(truth, after, before, **beside)
    moved = class_guards(
        truth[order],
        [each[order] for each in before],
        [each[order] for each in after],
        **{name: each[order] for name, each in beside.items()},
    )
    for one, two, three in zip(there, back, moved, strict=True):
        assert two.estimate == pytest.approx(-one.estimate)
        assert three.estimate == pytest.approx(one.estimate)
        assert three.p_value == pytest.approx(one.p_value)
