"""Thresholds whose precision holds, by simulation and by hand."""

import numpy as np
import pytest
from scipy import stats

from assay.errors import InputError
from assay.evidence import accept_by_class, accept_threshold


def world(n: int, rng: np.random.Generator) -> tuple[np.ndarray, np.ndarray]:
    """Scores and whether each answer is right: 0.5 at the bottom, near 1 at the top."""
    scores = rng.random(n)
    return scores, rng.random(n) < 0.5 + 0.5 * scores


def true_precision(threshold: float) -> float:
    return 0.5 + 0.5 * (1 + max(threshold, 0)) / 2


def exceeds(violations: int, draws: int, chance: float) -> bool:
    """Whether more violations occurred than one time in ten thousand at that chance."""
    return violations > stats.binom.ppf(1 - 1e-4, draws, chance)


@pytest.mark.parametrize("weighted", [False, True])
def test_the_precision_promised_is_violated_no_more_often_than_allowed(weighted):
    rng = np.random.default_rng(0)
    violations = reached = 0
    for draw in range(1000):
        scores, correct = world(1200 if weighted else 600, rng)
        weights = None
        if weighted:
            chance = np.clip(1.4 - scores, 0.5, 1)
            drawn = rng.random(len(scores)) < chance
            scores, correct, weights = scores[drawn], correct[drawn], 1 / chance[drawn]
        found = accept_threshold(
            scores,
            correct,
            precision=0.9,
            confidence=0.9,
            weights=weights,
            max_weight=2.0 if weighted else None,
            seed=draw,
        )
        if found.reachable:
            reached += 1
            violations += true_precision(found.threshold) < 0.9
    assert not exceeds(violations, 1000, 0.1)
    assert reached > (200 if weighted else 800)  # betting on weighted rows costs power


def test_it_accepts_no_more_than_the_exact_binomial_tail_allows():
    scores, correct = world(2000, np.random.default_rng(1))
    found = accept_threshold(scores, correct, precision=0.9)
    accepted = found.accepts(scores)
    wrong = int((~correct[accepted]).sum())
    assert stats.binom.cdf(wrong, accepted.sum(), 0.1) <= 0.05
    assert found.coverage == pytest.approx(accepted.mean())
    assert found.observed == pytest.approx(correct[accepted].mean())
    assert found.observed > 0.9


def test_equal_scores_are_accepted_together_or_not_at_all():
    scores = np.repeat([0.9, 0.5], 200)
    correct = np.ones(400, dtype=bool)
    correct[200::2] = False
    found = accept_threshold(scores, correct)
    assert found.accepts(scores).sum() == 200
    everything = accept_threshold(np.ones(100), np.ones(100))
    assert everything.accepts([1.0]).all()
    assert everything.coverage == 1


def test_not_reachable_says_how_many_more_rows_could_do():
    rng = np.random.default_rng(2)
    scores, correct = rng.random(40), np.ones(40)
    found = accept_threshold(scores, correct)
    assert not found.reachable
    assert not found.accepts(scores).any()
    assert f"with {found.more_rows} more" in str(found)
    total = 40 + found.more_rows
    enough = accept_threshold(rng.random(total), np.ones(total))
    assert enough.reachable


def test_scores_that_never_reach_the_precision_say_so():
    rng = np.random.default_rng(3)
    found = accept_threshold(rng.random(3000), rng.random(3000) < 0.7)
    assert not found.reachable
    assert found.more_rows is None
    assert "% right" in str(found)


def test_classes_share_the_doubt():
    rng = np.random.default_rng(4)
    scores, correct = rng.random(1000), np.ones(1000, dtype=bool)
    predicted = np.repeat(["good", "poor"], 500)
    correct[500:] = rng.random(500) < 0.6
    found = accept_by_class(scores, correct, predicted)
    assert found["good"].reachable
    assert not found["poor"].reachable
    assert found["good"].confidence == pytest.approx(0.975)


@pytest.mark.parametrize("weighted", [False, True])
def test_thresholds_of_all_classes_hold_together(weighted):
    """Each class of its own precision: any one too low is a violation of the whole."""
    rng = np.random.default_rng(5)
    floors = {"easy": 0.7, "fair": 0.5, "hard": 0.3}
    violations = reached = 0
    for _ in range(300):
        predicted = rng.choice(list(floors), 2400)
        low = np.array([floors[each] for each in predicted])
        scores = rng.random(2400)
        correct = rng.random(2400) < low + (1 - low) * scores
        weights = None
        if weighted:  # what is right is drawn more often, as where easy rows are picked
            chance = np.where(correct, 1.0, 0.5)
            drawn = rng.random(2400) < chance
            scores, correct, predicted = scores[drawn], correct[drawn], predicted[drawn]
            weights = 1 / chance[drawn]
        found = accept_by_class(
            scores, correct, predicted, precision=0.9, confidence=0.9, weights=weights
        )
        true = {
            name: floors[name] + (1 - floors[name]) * (1 + max(each.threshold, 0)) / 2
            for name, each in found.items()
            if each.threshold is not None
        }
        reached += len(true)
        violations += any(each < 0.9 for each in true.values())
    assert not exceeds(violations, 300, 0.1)
    assert reached > (60 if weighted else 600)


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"precision": 95}, "precision"),
        ({"confidence": 1.0}, "confidence"),
        ({"correct": [0.5] * 3}, "true or false"),
        ({"correct": [1, 0]}, "one value a row"),
        ({"scores": [], "correct": []}, "empty"),
        ({"scores": [np.nan] * 3}, "NaN"),
        ({"weights": [1, 0, 1]}, "positive"),
        ({"weights": [1, 2, 3], "max_weight": 2.0}, "max_weight"),
    ],
)
def test_bad_input_is_named(changes, message):
    given = {"scores": [0.1, 0.2, 0.3], "correct": [1, 0, 1]} | changes
    with pytest.raises(InputError, match=message):
        accept_threshold(**given)


def test_a_threshold_just_below_1_is_not_told_as_1():
    found = accept_threshold(np.linspace(0.99999, 0.999999, 60), np.ones(60), precision=0.9)
    assert found.threshold is not None
    assert "above 0.9999" in str(found)
