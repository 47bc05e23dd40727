"""What the tests promise, by simulation. Every bound leaves one chance in ten thousand."""

import numpy as np
import pytest
from scipy import stats

from assay.evidence import Evidence, compare, estimate

pytestmark = pytest.mark.slow

RUNS = 1000
MARGIN = 1e-4
NULL_METRICS = ("accuracy", "log_loss", "auc", "macro_f1", "mae")


def two_models(rng, n: int, share: float, *, gain: float = 0.0, alike: float = 0.6):
    """Two models whose scores share most of their noise; the second may be better by ``gain``."""
    truth = (rng.random(n) < share).astype(int)
    common = rng.normal(size=n) * np.sqrt(alike)
    scores = [
        truth * distance + common + rng.normal(size=n) * np.sqrt(1 - alike)
        for distance in (1.5, 1.5 + gain)
    ]
    return truth, *scores


def judged(metric: str, truth, before, after, share: float = 0.5, **options) -> Evidence:
    """Compare on what the metric reads."""
    cut = 0.75 + np.log((1 - share) / share) / 1.5
    if metric in ("accuracy", "macro_f1"):
        before, after = (before > cut).astype(int), (after > cut).astype(int)
        options |= {"classes": ("0", "1"), "replicates": 300}
    elif metric == "log_loss":
        before, after = (1 / (1 + np.exp(-1.5 * (each - cut))) for each in (before, after))
    return compare(truth, before, after, metric=metric, **options)


@pytest.mark.parametrize("share", [0.5, 0.1])
@pytest.mark.parametrize("metric", NULL_METRICS)
def test_equal_models_are_kept_at_most_one_time_in_twenty(metric, share):
    rng = np.random.default_rng(0)
    found = [judged(metric, *two_models(rng, 300, share), share) for _ in range(RUNS)]
    kept = sum(each.p_value < 0.05 for each in found)
    covered = sum(0 in each.interval for each in found)
    # A t-test on skewed losses of 300 rows is a little off its level: 6 % is granted.
    assert kept <= stats.binom.ppf(1 - MARGIN, RUNS, 0.06)
    assert covered >= stats.binom.ppf(MARGIN, RUNS, 0.93)


def test_rows_in_groups_keep_their_level_where_the_naive_test_does_not():
    rng = np.random.default_rng(1)
    groups = np.repeat(np.arange(60), 10)
    kept = naive = 0
    for _ in range(400):
        n = 600
        wrong = [np.repeat(rng.random(60) < 0.3, 10) for _ in range(2)]
        truth = np.zeros(n, dtype=int)
        before, after = (each.astype(int) for each in wrong)
        options = {"classes": ("0", "1")}
        kept += compare(truth, before, after, groups=groups, **options).p_value < 0.05
        naive += compare(truth, before, after, **options).p_value < 0.05
    assert kept <= stats.binom.ppf(1 - MARGIN, 400, 0.06)
    assert naive > 400 * 0.2


def test_intervals_of_one_model_cover():
    rng = np.random.default_rng(2)
    hits = dict.fromkeys(("accuracy", "auc"), 0)
    auc = stats.norm.cdf(1.5 / np.sqrt(2))
    for _ in range(RUNS):
        truth, scores, _ = two_models(rng, 200, 0.5)
        hits["auc"] += auc in estimate(truth, scores, metric="auc").interval
        right = (rng.random(200) < 0.95).astype(int)
        hits["accuracy"] += 0.95 in estimate(np.ones(200, int), right, classes=("0", "1")).interval
    assert min(hits.values()) >= stats.binom.ppf(MARGIN, RUNS, 0.93)


def test_a_real_gain_is_found():
    rng = np.random.default_rng(3)
    found = [judged("auc", *two_models(rng, 500, 0.5, gain=0.6)) for _ in range(200)]
    assert sum(each.p_value < 0.05 for each in found) > 160
    true = stats.norm.cdf(2.1 / np.sqrt(2)) - stats.norm.cdf(1.5 / np.sqrt(2))
    assert sum(true in each.interval for each in found) >= stats.binom.ppf(MARGIN, 200, 0.93)


@pytest.mark.parametrize("gain", [0.0, 0.5])
@pytest.mark.parametrize("metric", ["auc", "macro_f1", "log_loss"])
def test_intervals_cover_where_a_class_has_ten_rows(metric, gain):
    large = two_models(np.random.default_rng(10), 400_000, 0.05, gain=gain)
    true = judged(metric, *large, 0.05).estimate if gain else 0.0
    rng = np.random.default_rng(4)
    found = []
    while len(found) < 400:
        rows = two_models(rng, 200, 0.05, gain=gain)
        if rows[0].sum() >= 5:
            found.append(judged(metric, *rows, 0.05))
    assert sum(true in each.interval for each in found) >= stats.binom.ppf(MARGIN, 400, 0.93)
    if not gain:
        kept = sum(each.p_value < 0.05 for each in found)
        assert kept <= stats.binom.ppf(1 - MARGIN, 400, 0.06)


@pytest.mark.parametrize("metric", NULL_METRICS)
def test_weighted_rows_and_groups_keep_the_level(metric):
    rng = np.random.default_rng(6)
    groups = np.repeat(np.arange(100), 3)
    kept = {"weights": 0, "groups": 0}
    for _ in range(250):
        weights = rng.exponential(size=300) + 0.2
        kept["weights"] += (
            judged(metric, *two_models(rng, 300, 0.3), 0.3, weights=weights).p_value < 0.05
        )
        rows = [np.repeat(each, 3) for each in two_models(rng, 100, 0.3)]
        kept["groups"] += judged(metric, *rows, 0.3, groups=groups).p_value < 0.05
    assert max(kept.values()) <= stats.binom.ppf(1 - MARGIN, 250, 0.06)


def test_repeats_of_a_cross_validation_keep_the_level():
    """Two equal models, each fit with luck of its own, on the same rows three times over."""
    rng = np.random.default_rng(7)
    kept = 0
    for _ in range(RUNS):
        row, own = rng.normal(size=400), rng.normal(size=(2, 400))
        fits = [row + 0.7 * each + 0.5 * rng.normal(size=(3, 400)) for each in own]
        before, after = ([(fit < 0.9).astype(int) for fit in each] for each in fits)
        kept += compare(np.ones(400, int), before, after, classes=("0", "1")).p_value < 0.05
    assert kept <= stats.binom.ppf(1 - MARGIN, RUNS, 0.06)
