"""Prediction-powered estimates cover, gain rows where the model helps, and never mislead."""

import numpy as np
import pytest
from scipy import stats

from assay.errors import InputError
from assay.evidence import mean_from_few, prevalence_from_few


def draw(rng: np.random.Generator, n: int, total: int, quality: float, share: float):
    truth = (rng.random(total) < share).astype(float)
    guess = np.where(rng.random(total) < quality, truth, rng.random(total))
    return truth[:n], guess[:n], guess[n:]


@pytest.mark.parametrize("quality", [0.0, 0.9])
@pytest.mark.parametrize("share", [0.5, 0.1])
def test_intervals_cover(quality, share):
    rng = np.random.default_rng(0)
    hits = sum(
        share in mean_from_few(*draw(rng, 120, 2000, quality, share)).interval for _ in range(1000)
    )
    assert hits >= stats.binom.ppf(1e-4, 1000, 0.935)


def test_a_good_model_is_worth_many_checked_rows():
    rng = np.random.default_rng(1)
    found = mean_from_few(*draw(rng, 200, 20_000, 0.9, 0.4))
    assert found.details["effective_n"] > 800
    assert found.details["se"] < 0.5 * found.details["classical_se"]


def test_a_useless_model_leaves_the_classical_interval():
    rng = np.random.default_rng(2)
    checked, guesses = rng.normal(size=100), rng.normal(size=100)
    found = mean_from_few(checked, -checked, guesses)
    assert "does not help" in found.method
    assert found.estimate == pytest.approx(checked.mean())
    low, high = stats.t.interval(0.95, 99, checked.mean(), stats.sem(checked))
    assert (found.interval.low, found.interval.high) == pytest.approx((low, high))
    assert found.details["effective_n"] == 100


def test_a_biased_model_does_not_bias_the_estimate():
    rng = np.random.default_rng(3)
    estimates = []
    for _ in range(300):
        truth = rng.normal(2.0, 1.0, 3000)
        guess = truth * 0.8 + 5 + rng.normal(size=3000) * 0.3
        estimates.append(mean_from_few(truth[:100], guess[:100], guess[100:]).estimate)
    assert np.mean(estimates) == pytest.approx(2.0, abs=4 * np.std(estimates) / np.sqrt(300))


def test_prevalence_of_every_class():
    rng = np.random.default_rng(4)
    truth = rng.choice(["a", "b", "c"], 4000, p=[0.6, 0.3, 0.1])
    guess = np.where(rng.random(4000) < 0.85, truth, rng.choice(["a", "b", "c"], 4000))
    found = prevalence_from_few(truth[:300], guess[:300], guess[300:])
    assert [each.name for each in found] == ["share of 'a'", "share of 'b'", "share of 'c'"]
    assert sum(each.estimate for each in found) == pytest.approx(1, abs=0.05)
    for fact, share in zip(found, [0.6, 0.3, 0.1], strict=True):
        assert fact.estimate == pytest.approx(share, abs=0.08)
        assert fact.details["effective_n"] >= 300


def test_all_right_gives_an_interval_that_ends_at_one():
    found = mean_from_few(np.ones(50), np.ones(50), np.ones(500))
    assert found.interval.high == 1
    assert 0.9 < found.interval.low < 1


@pytest.mark.parametrize(
    ("given", "message"),
    [
        (([1.0] * 5, [1.0] * 5, [1.0] * 50), "too few"),
        (([1.0] * 30, [1.0] * 29, [1.0] * 50), "one value for each checked row"),
        (([1.0] * 30, [np.nan] * 30, [1.0] * 50), "guesses holds NaN"),
    ],
)
def test_bad_input_is_named(given, message):
    with pytest.raises(InputError, match=message):
        mean_from_few(*given)
