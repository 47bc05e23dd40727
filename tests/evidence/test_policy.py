"""What is kept, and the words that say why."""

import numpy as np
import pytest

from assay.errors import InputError
from assay.evidence import Evidence, Interval, class_guards, decide
from assay.evidence.policy import fails


def gain(estimate: float, low: float, high: float, p: float) -> Evidence:
    return Evidence("gain in accuracy", estimate, Interval(low, high), 400, "t-test", p)


def guard(change: float, p: float, allowed: float = 0.05) -> Evidence:
    details = {"allowed": allowed}
    interval = Interval(change - 0.1, change + 0.1)
    return Evidence("change in recall of 'spam'", change, interval, 80, "t-test", p, details)


@pytest.mark.parametrize(
    ("fact", "least", "decision"),
    [
        (gain(0.03, 0.01, 0.05, 0.002), 0.0, "kept"),
        (gain(0.03, 0.01, 0.05, 0.002), 0.03, "kept"),
        (gain(0.03, 0.01, 0.05, 0.002), 0.04, "dropped"),
        (gain(0.02, -0.01, 0.05, 0.1), 0.0, "undecided"),
        (gain(0.02, -0.01, 0.05, 0.1), 0.05, "undecided"),
        (gain(0.02, -0.01, 0.05, 0.1), 0.06, "dropped"),
        (gain(0.0, 0.0, 0.0, 1.0), 0.0, "dropped"),
        (gain(-0.02, -0.05, 0.01, 0.9), 0.0, "dropped"),
    ],
)
def test_the_rule(fact, least, decision):
    verdict = decide(fact, min_effect=least)
    assert verdict.decision == decision
    assert f"{fact.estimate:+.4f}" in verdict.reason
    assert verdict.main is fact


def test_alpha_is_the_level_asked_for():
    fact = gain(0.03, 0.001, 0.05, 0.04)
    assert decide(fact).kept
    assert not decide(fact, alpha=0.025).kept


@pytest.mark.parametrize(
    ("change", "p", "kept"),
    [(-0.2, 0.001, False), (-0.2, 0.2, True), (-0.04, 0.001, True), (0.1, 0.99, True)],
)
def test_a_guard_fails_when_the_loss_is_too_large_and_not_noise(change, p, kept):
    verdict = decide(gain(0.03, 0.01, 0.05, 0.002), guards=[guard(change, p)])
    assert verdict.kept is kept
    assert ("spam" in verdict.reason) is not kept


def test_an_untested_fact_decides_nothing():
    with pytest.raises(InputError):
        decide(Evidence("accuracy", 0.9, Interval(0.8, 1.0), 100, "Wilson interval"))


def test_guards_see_the_class_that_pays_for_the_gain():
    truth = np.array(["common"] * 300 + ["rare"] * 40)
    before = truth.copy()
    before[:60] = "rare"
    after = truth.copy()
    after[300:325] = "common"
    guards = {each.details["class"]: each for each in class_guards(truth, before, after)}
    assert guards["common"].estimate == pytest.approx(0.2)
    assert guards["rare"].estimate == pytest.approx(-25 / 40)
    assert guards["rare"].interval.high < -0.4
    verdict = decide(gain(0.1, 0.05, 0.15, 0.001), guards=tuple(guards.values()))
    assert verdict.decision == "dropped"
    assert "rare" in verdict.reason


def test_balanced_accuracy_lets_a_class_give_what_it_has_beyond_the_lowest():
    truth = np.array(["common"] * 300 + ["rare"] * 40)
    before = np.array(["common"] * 340)
    before[300:304] = "rare"
    after = np.array(["common"] * 340)
    after[:90] = after[300:330] = "rare"
    strict = {each.details["class"]: each for each in class_guards(truth, before, after)}
    traded = {
        each.details["class"]: each
        for each in class_guards(truth, before, after, metric="balanced_accuracy")
    }
    assert strict["common"].estimate == pytest.approx(-0.3)
    assert fails(strict["common"])
    assert traded["common"].details["allowed"] == pytest.approx(0.05 + 1.0 - 0.1)
    assert not fails(traded["common"])
    sunk = after.copy()
    sunk[:] = "rare"
    assert any(map(fails, class_guards(truth, before, sunk, metric="balanced_accuracy")))
    reversed_ = class_guards(truth, after, before, metric="balanced_accuracy")
    assert [each.details["class"] for each in reversed_ if fails(each)] == ["rare"]


def test_costs_say_how_much_of_one_class_is_worth_a_loss_of_the_other():
    truth = np.array(["no"] * 300 + ["yes"] * 100)
    before = truth.copy()
    before[350:] = "no"
    after = before.copy()
    after[:60] = after[300:380] = "yes"  # 60 false alarms buy 30 hits

    def guards(metric: str, first=before, second=after) -> dict[str, Evidence]:
        found = class_guards(truth, first, second, metric=metric)
        return {each.details["class"]: each for each in found}

    assert fails(guards("accuracy")["no"])
    traded = guards("cost_1_20")
    assert traded["no"].details["allowed"] == pytest.approx(0.05 * 20 * 100 / 300)
    assert traded["yes"].details["allowed"] == pytest.approx(0.05)
    assert not any(map(fails, traded.values()))
    assert fails(guards("cost_20_1")["no"]), "there a false alarm is what costs"
    assert fails(guards("cost_1_20", after, before)["yes"])
    assert guards("cost_1_1000")["no"].details["allowed"] == 1.0, "all of it, and no more"


def test_an_insignificant_gain_with_a_significant_loss_says_both():
    verdict = decide(gain(0.02, -0.01, 0.05, 0.1), guards=[guard(-0.2, 0.001)])
    assert verdict.decision == "dropped"
    assert verdict.reason.endswith(
        "Chance could explain it, and the change in recall of 'spam' is -0.2000 "
        "(p = 0.001, n = 80), a loss of more than 0.05."
    )


def test_guards_read_probabilities_at_the_threshold_of_the_costs():
    truth = np.array(["no"] * 200 + ["yes"] * 40)
    before = np.column_stack([np.full(240, 0.8), np.full(240, 0.2)])
    after = before.copy()
    after[200:225] = [0.99, 0.01]
    assert {each.estimate for each in class_guards(truth, before, after)} == {0.0}
    at = class_guards(truth, [before] * 2, [after] * 2, threshold=1 / 21)
    assert {each.details["class"]: each.estimate for each in at} == {
        "no": 0.0,
        "yes": pytest.approx(-25 / 40),
    }


def test_a_class_of_a_few_rows_is_no_guard():
    truth = np.array(["a"] * 30 + ["b"] * 4)
    assert [each.details["class"] for each in class_guards(truth, truth, truth)] == ["a"]
