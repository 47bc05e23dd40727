"""Metrics by name agree with scikit-learn."""

import numpy as np
import pytest
from sklearn import metrics as sk

from assay.errors import InputError
from assay.evidence import compare, metric
from assay.task import METRICS

RNG = np.random.default_rng(0)
TRUTH = RNG.choice(["a", "b", "c"], 200)
LABELS = np.where(RNG.random(200) < 0.4, RNG.choice(["a", "b", "c"], 200), TRUTH)
SHARES = RNG.dirichlet(np.ones(3), 200)
BINARY = RNG.integers(0, 2, 200)
GUESS = np.where(RNG.random(200) < 0.3, 1 - BINARY, BINARY)
SCORE = np.round(BINARY + RNG.normal(size=200), 1)
VALUES = RNG.normal(size=200)
NEAR = VALUES + RNG.normal(size=200)
WEIGHTS = RNG.random(200) + 0.1

CASES = {
    "accuracy": (sk.accuracy_score, TRUTH, LABELS, {}),
    "macro_f1": (sk.f1_score, TRUTH, LABELS, {"average": "macro"}),
    "f1_weighted": (sk.f1_score, TRUTH, LABELS, {"average": "weighted"}),
    "f1_micro": (sk.f1_score, TRUTH, LABELS, {"average": "micro"}),
    "f1": (sk.f1_score, BINARY, GUESS, {}),
    "precision": (sk.precision_score, BINARY, GUESS, {}),
    "precision_macro": (sk.precision_score, TRUTH, LABELS, {"average": "macro"}),
    "recall": (sk.recall_score, BINARY, GUESS, {}),
    "recall_weighted": (sk.recall_score, TRUTH, LABELS, {"average": "weighted"}),
    "balanced_accuracy": (sk.balanced_accuracy_score, TRUTH, LABELS, {}),
    "matthews_corrcoef": (sk.matthews_corrcoef, TRUTH, LABELS, {}),
    "cohen_kappa": (sk.cohen_kappa_score, TRUTH, LABELS, {}),
    "log_loss": (sk.log_loss, TRUTH, SHARES, {}),
    "brier": (sk.brier_score_loss, TRUTH, SHARES, {}),
    "auc": (sk.roc_auc_score, BINARY, SCORE, {}),
    "average_precision": (sk.average_precision_score, BINARY, SCORE, {}),
    "mae": (sk.mean_absolute_error, VALUES, NEAR, {}),
    "neg_mean_squared_error": (sk.mean_squared_error, VALUES, NEAR, {}),
    "rmse": (sk.root_mean_squared_error, VALUES, NEAR, {}),
    "pinball_0.9": (sk.mean_pinball_loss, VALUES, NEAR, {"alpha": 0.9}),
    "median_absolute_error": (sk.median_absolute_error, VALUES, NEAR, {}),
    "r2": (sk.r2_score, VALUES, NEAR, {}),
    "explained_variance": (sk.explained_variance_score, VALUES, NEAR, {}),
    "jaccard_macro": (sk.jaccard_score, TRUTH, LABELS, {"average": "macro"}),
}


@pytest.mark.parametrize("name", CASES)
def test_it_is_scikit_learns(name):
    function, truth, predictions, options = CASES[name]
    assert metric(name).score(truth, predictions) == pytest.approx(
        function(truth, predictions, **options)
    )


@pytest.mark.parametrize("name", [each for each in CASES if each != "median_absolute_error"])
def test_weighted_it_is_scikit_learns(name):
    function, truth, predictions, options = CASES[name]
    assert metric(name).score(truth, predictions, weights=WEIGHTS) == pytest.approx(
        function(truth, predictions, sample_weight=WEIGHTS, **options)
    )


@pytest.mark.parametrize("name", METRICS)
def test_every_metric_of_a_task_is_here(name):
    assert metric(name).name == name


def test_row_losses_are_smaller_for_better_and_average_to_the_metric():
    assert metric("accuracy").row_losses(TRUTH, LABELS).mean() == pytest.approx(
        1 - metric("accuracy").score(TRUTH, LABELS)
    )
    assert metric("log_loss").row_losses(TRUTH, SHARES).mean() == pytest.approx(
        metric("log_loss").score(TRUTH, SHARES)
    )
    assert metric("auc").row_losses(BINARY, SCORE) is None


def test_a_cost_counts_mistakes_at_its_own_threshold():
    judged, truth = metric("cost_1_20"), ["no", "no", "yes", "yes"]
    shares = [[0.9, 0.1], [0.99, 0.01], [0.97, 0.03], [0.2, 0.8]]
    assert judged.score(truth, shares, ["no", "yes"]) == pytest.approx((1 + 0 + 20 + 0) / 4)
    assert judged.row_losses(truth, shares, ["no", "yes"]).tolist() == [1, 0, 20, 0]
    assert not judged.greater_is_better
    assert metric("cost_0.5_2").name == "cost_0.5_2"


def test_the_cheaper_of_two_models_gains():
    random = np.random.default_rng(0)
    share = random.random(600)
    truth = np.where(random.random(600) < share, "yes", "no")
    right = np.stack([1 - share, share], axis=1)
    timid = np.stack([1 - share**4, share**4], axis=1)
    found = compare(truth, timid, right, metric="cost_1_5", classes=["no", "yes"], seed=0)
    assert found.interval.low > 0
    assert found.estimate == pytest.approx(
        metric("cost_1_5").score(truth, timid, ["no", "yes"])
        - metric("cost_1_5").score(truth, right, ["no", "yes"])
    )


def test_a_loss_keeps_its_unit_and_says_that_less_is_better():
    assert metric("neg_mean_absolute_error").name == "mae"
    assert not metric("mae").greater_is_better
    assert metric("mae").score(VALUES, NEAR) > 0


@pytest.mark.parametrize("name", ["acurracy", "pinball_2", "nothing", "cost_0_5", "cost_1"])
def test_an_unknown_name_is_an_error(name):
    with pytest.raises(InputError):
        metric(name)
