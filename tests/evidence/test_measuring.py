"""compare and estimate against closed forms, scikit-learn, and their own symmetries."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy import stats

from assay.errors import InputError
from assay.evidence import compare, custom_metric, estimate, rowwise

CLASSES = ("ham", "spam", "unsure")
LABEL_METRICS = ("accuracy", "macro_f1", "mcc", "balanced_accuracy")


def labels(seed: int, n: int = 120) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    rng = np.random.default_rng(seed)
    truth = rng.choice(CLASSES, n)
    before, after = (np.where(rng.random(n) < p, rng.choice(CLASSES, n), truth) for p in (0.5, 0.3))
    return truth, before, after


def scores(seed: int, n: int = 120) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    rng = np.random.default_rng(seed)
    truth = (np.arange(n) % 3 == 0).astype(int)
    return truth, truth + rng.normal(size=n) * 2, truth + rng.normal(size=n)


def test_the_mean_of_row_differences_is_a_paired_t_test_when_losses_are_unbounded():
    rng = np.random.default_rng(1)
    truth = rng.normal(size=80)
    before, after = truth + rng.normal(size=80), truth + rng.normal(size=80) * 0.8
    found = compare(truth, before, after, metric="mae")
    expected = stats.ttest_rel(np.abs(truth - before), np.abs(truth - after), alternative="greater")
    low, high = stats.ttest_rel(np.abs(truth - before), np.abs(truth - after)).confidence_interval()
    assert found.p_value == pytest.approx(expected.pvalue)
    assert (found.interval.low, found.interval.high) == pytest.approx((low, high))


def test_accuracy_follows_bonett_and_price_when_few_rows_differ():
    truth = np.array(["a", "b"] * 50)
    before = truth.copy()
    before[:3] = ["b", "a", "b"]
    found = compare(truth, before, truth)
    se = np.sqrt((5 - 0.03**2 * 100) / 102**2)
    assert found.estimate == pytest.approx(0.03)
    assert found.details["se"] == pytest.approx(se, rel=0.02)
    assert found.interval.low < 0  # three wins to none is what chance does one time in eight
    assert found.p_value > 0.05


def test_auc_equals_the_definition_and_its_error_equals_delong():
    truth, before, after = scores(2)
    positive, negative = after[truth == 1], after[truth == 0]
    wins = (positive[:, None] > negative).astype(float)
    found = estimate(truth, after, metric="auc")
    variance = wins.mean(1).var(ddof=1) / len(positive) + wins.mean(0).var(ddof=1) / len(negative)
    assert found.estimate == pytest.approx(wins.mean())
    assert found.details["se"] == pytest.approx(np.sqrt(variance))
    gain = compare(truth, before, after, metric="auc")
    assert gain.estimate == pytest.approx(gain.details["after"] - gain.details["before"])


def test_ties_in_scores_count_half():
    truth = np.array([0, 1] * 10)
    assert estimate(truth, np.zeros(20), metric="auc").estimate == 0.5


@pytest.mark.parametrize("metric", LABEL_METRICS)
@settings(deadline=None, max_examples=15)
@given(seed=st.integers(0, 10_000))
def test_swapping_the_models_flips_the_sign(metric, seed):
    truth, before, after = labels(seed)
    there = compare(truth, before, after, metric=metric, replicates=200)
    back = compare(truth, after, before, metric=metric, replicates=200)
    assert back.estimate == pytest.approx(-there.estimate)
    if metric == "accuracy":
        assert back.interval.low == pytest.approx(-there.interval.high)
        assert back.p_value == pytest.approx(1 - there.p_value)


@pytest.mark.parametrize("metric", [*LABEL_METRICS, "auc", "average_precision"])
@settings(deadline=None, max_examples=10)
@given(seed=st.integers(0, 10_000))
def test_permuting_rows_changes_nothing(metric, seed):
    rows = labels(seed) if metric in LABEL_METRICS else scores(seed)
    order = np.random.default_rng(seed).permutation(len(rows[0]))
    one = compare(*rows, metric=metric, replicates=100)
    two = compare(*(each[order] for each in rows), metric=metric, replicates=100)
    for name in ("estimate", "p_value"):
        assert getattr(two, name) == pytest.approx(getattr(one, name))
    assert two.interval.low == pytest.approx(one.interval.low)


@settings(deadline=None, max_examples=20)
@given(seed=st.integers(0, 10_000), extra=st.integers(1, 200))
def test_rows_on_which_the_models_agree_do_not_change_the_total_gain(seed, extra):
    truth, before, after = labels(seed)
    same = np.full(extra, "ham")
    one = compare(truth, before, after)
    two = compare(*(np.concatenate([each, same]) for each in (truth, before, after)))
    assert two.estimate * two.n == pytest.approx(one.estimate * one.n)
    assert two.p_value == pytest.approx(one.p_value, abs=0.02)


def test_identical_predictions_show_no_gain():
    truth, before, _ = labels(3)
    for metric in LABEL_METRICS:
        found = compare(truth, before, before, metric=metric, replicates=100)
        assert found.estimate == 0
        assert found.p_value >= 0.5
        assert 0 in found.interval


def test_repeats_are_averaged_row_by_row():
    rng = np.random.default_rng(5)
    truth = rng.normal(size=60)
    before, after = truth + rng.normal(size=(3, 60)), truth + rng.normal(size=(3, 60))
    found = compare(truth, before, list(after), metric="mse", between_fits=False)
    rows = ((truth - before) ** 2 - (truth - after) ** 2).mean(axis=0)
    assert found.estimate == pytest.approx(rows.mean())
    assert found.details["se"] == pytest.approx(stats.sem(rows))


@pytest.mark.parametrize("metric", ["accuracy", "macro_f1"])
def test_a_lucky_seed_is_not_taken_for_a_gain(metric):
    rng = np.random.default_rng(6)
    truth = rng.integers(0, 2, 2000)
    before = [np.where(rng.random(2000) < 0.3, 1 - truth, truth) for _ in range(4)]
    rates = (0.1, 0.3, 0.3, 0.45)  # the candidate depends on its seed far more than on rows
    after = [np.where(rng.random(2000) < rate, 1 - truth, truth) for rate in rates]
    blind = compare(truth, before, after, metric=metric, between_fits=False, replicates=300)
    aware = compare(truth, before, after, metric=metric, replicates=300)
    assert aware.details["se"] > 3 * blind.details["se"]
    assert aware.p_value > 0.2


@pytest.mark.parametrize("metric", ["accuracy", "auc", "macro_f1"])
def test_copies_of_rows_within_groups_add_no_evidence(metric):
    truth, before, after = scores(7, 90)
    if metric != "auc":
        before, after = (before > 0.5).astype(int), (after > 0.5).astype(int)
    copied = [np.repeat(each, 8) for each in (truth, before, after)]
    groups = np.repeat(np.arange(90), 8)
    alone = compare(truth, before, after, metric=metric)
    grouped = compare(*copied, metric=metric, groups=groups)
    naive = compare(*copied, metric=metric)
    assert grouped.details["se"] == pytest.approx(alone.details["se"], rel=0.1)
    assert naive.details["se"] < 0.5 * grouped.details["se"]


@pytest.mark.parametrize("metric", ["accuracy", "auc", "macro_f1", "mae"])
def test_integer_weights_give_the_estimate_of_repeated_rows(metric):
    truth, before, after = scores(8)
    if metric in ("accuracy", "macro_f1"):
        before, after = (before > 0.5).astype(int), (after > 0.5).astype(int)
    counts = np.random.default_rng(8).integers(1, 4, len(truth))
    weighted = compare(truth, before, after, metric=metric, weights=counts, replicates=50)
    repeated = compare(
        *(np.repeat(each, counts) for each in (truth, before, after)), metric=metric, replicates=50
    )
    assert weighted.estimate == pytest.approx(repeated.estimate)


def test_a_function_can_be_the_metric():
    truth, before, after = scores(9)
    widest = custom_metric(
        lambda t, p: float(np.abs(t - p).mean()), name="error", greater_is_better=False
    )
    own = compare(truth, before, after, metric=widest, replicates=300)
    known = compare(truth, before, after, metric="mae")
    assert own.estimate == pytest.approx(known.estimate)
    assert own.details["se"] == pytest.approx(known.details["se"], rel=0.2)


def test_intervals_of_shares_and_areas_stay_within_bounds():
    truth, before, after = np.array(["a"] * 20), np.array(["a"] * 20), None
    found = estimate(truth, before, classes=("a", "b"))
    assert found.interval.high == 1
    assert 0.8 < found.interval.low < 0.9  # Wilson: 20 of 20
    truth, _, after = scores(10, 30)
    found = estimate(truth, truth + after * 0.3, metric="auc")
    assert 0 <= found.interval.low <= found.interval.high <= 1


GOOD = np.array(["a", "b"] * 10)
BAD_INPUT = {
    "lengths differ": ({"after": GOOD[:-1]}, "same number of rows"),
    "empty": ({"truth": [], "before": [], "after": []}, "truth is empty"),
    "a label that one side alone knows": ({"after": ["a", "B"] * 10}, "after holds labels"),
    "a label outside classes": ({"classes": ("a", "c")}, "not among the classes"),
    "classes repeat": ({"classes": ("a", "a", "b")}, "classes must not repeat"),
    "no label": ({"truth": [*GOOD[:-1], None]}, "truth holds empty labels"),
    "NaN scores": (
        {"metric": "auc", "before": np.full(20, np.nan), "after": np.ones(20)},
        "NaN or infinite",
    ),
    "infinite values": (
        {"metric": "mae", "truth": np.ones(20), "before": np.full(20, np.inf), "after": [1] * 20},
        "NaN or infinite",
    ),
    "probabilities that do not sum to one": (
        {"metric": "log_loss", "before": np.full((20, 2), 0.4), "after": np.full((20, 2), 0.5)},
        "summing to one",
    ),
    "probabilities of the wrong width": (
        {"metric": "log_loss", "before": np.full((20, 3), 1 / 3), "after": np.full((20, 2), 0.5)},
        "one probability for each class",
    ),
    "one class for AUC": (
        {"metric": "auc", "truth": ["a"] * 20, "before": [0.1] * 20, "after": [0.1] * 20},
        "two classes",
    ),
    "a class too rare for AUC": (
        {"metric": "auc", "truth": ["a"] * 18 + ["b"] * 2, "before": [1] * 20, "after": [0] * 20},
        "at least 5",
    ),
    "one group": ({"groups": ["g"] * 20}, "at least two groups"),
    "groups of the wrong length": ({"groups": ["g", "h"]}, "one value a row"),
    "too few rows": ({"truth": GOOD[:4], "before": GOOD[:4], "after": GOOD[:4]}, "at least 10"),
    "too few groups to resample": (
        {"metric": "macro_f1", "groups": np.arange(20) % 5},
        "at least 20",
    ),
    "negative weights": ({"weights": [-1] * 20}, "weights"),
    "no weight at all": ({"weights": [0] * 20}, "weights"),
    "unequal fits": ({"before": [GOOD] * 2, "after": [GOOD] * 3}, "same number of fits"),
    "unknown metric": ({"metric": "acuracy"}, "did you mean"),
    "impossible level": ({"level": 95}, "level"),
    "negative effect": ({"min_effect": -0.1}, "min_effect"),
    "a constant truth for R2": (
        {"metric": "r2", "truth": [1.0] * 20, "before": [0.5] * 20, "after": [1.5] * 20},
        "undefined on these rows",
    ),
    "words for values": ({"metric": "mae"}, "must hold numbers"),
}


@pytest.mark.parametrize("case", BAD_INPUT, ids=str)
def test_bad_input_is_named(case):
    changes, message = BAD_INPUT[case]
    rows = {"truth": GOOD, "before": GOOD, "after": GOOD} | changes
    with pytest.raises(InputError, match=message):
        compare(**rows)


def test_constant_predictions_are_judged():
    truth, _, after = scores(11)
    assert compare(truth, np.zeros(len(truth)), after, metric="auc").details["before"] == 0.5
    assert compare(truth, truth * 0, truth, metric="macro_f1", replicates=50).estimate > 0


def test_one_label_in_several_types_is_one_label():
    truth = np.array([0, 1] * 10)
    assert estimate(truth, truth.astype(float)).estimate == 1
    assert estimate(truth, truth.astype(str)).estimate == 1
    assert estimate(truth.astype(object), [str(each) for each in truth]).estimate == 1


def test_groups_that_hold_a_rare_class_decide_how_sure_auc_is():
    truth, before, after = scores(12, 120)
    groups = np.where(truth == 1, np.arange(120) // 3 % 3, 3 + np.arange(120) % 30)
    with pytest.raises(InputError, match="too few rows or groups"):
        compare(truth, before, after, metric="auc", groups=groups)
    groups = np.where(truth == 1, np.arange(120) // 3 % 8, 8 + np.arange(120) % 30)
    found = compare(truth, before, after, metric="auc", groups=groups)
    assert found.details["df"] <= 7 + 29  # as Welch would have it, on groups
    assert found.details["rarest_class_units"] <= 8


def mean_error(truth: np.ndarray, predicted: np.ndarray) -> float:
    return -float(np.abs(truth - predicted).mean())


@pytest.mark.parametrize("grouped", [False, True])
def test_a_function_of_many_rows_is_drawn_from_a_part_of_them(monkeypatch, grouped):
    """Against the closed form of a mean: the same error from a tenth of the rows."""
    rng = np.random.default_rng(13)
    groups = np.repeat(np.arange(1500), 4) if grouped else None
    noise = [rng.normal(size=6000) + rng.normal(size=1500)[np.arange(6000) // 4] for _ in range(2)]
    truth = np.zeros(6000)
    known = compare(truth, *noise, metric="mae", groups=groups)
    monkeypatch.setattr(rowwise, "MOST_ROWS", 600)
    found = compare(truth, *noise, metric=mean_error, groups=groups, replicates=1000)
    assert found.estimate == pytest.approx(known.estimate)
    assert found.details["se"] == pytest.approx(known.details["se"], rel=0.1)
    assert found.p_value == pytest.approx(known.p_value, abs=0.05)
    for side in ("low", "high"):
        bound, expected = getattr(found.interval, side), getattr(known.interval, side)
        assert bound == pytest.approx(expected, abs=0.3 * known.details["se"])


@pytest.mark.parametrize("metric", ["average_precision", "r2"])
def test_drawing_a_part_of_the_rows_changes_little(monkeypatch, metric):
    truth, before, after = scores(14, 3000)
    whole = compare(truth, before, after, metric=metric, replicates=400)
    monkeypatch.setattr(rowwise, "MOST_ROWS", 600)
    part = compare(truth, before, after, metric=metric, replicates=400)
    assert part.estimate == whole.estimate
    assert part.details["se"] == pytest.approx(whole.details["se"], rel=0.2)


def test_draws_on_which_a_metric_is_undefined_are_left_out():
    rng = np.random.default_rng(15)
    truth = np.zeros(60)
    truth[:2] = 1.0  # one draw in seven holds neither
    found = compare(truth, truth + rng.normal(size=60), truth, metric="r2", replicates=300)
    assert np.isfinite([found.p_value, *found.as_dict()["interval"]]).all()
