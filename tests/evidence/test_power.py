"""Planning agrees with simulation."""

import numpy as np
import pytest

from assay.errors import InputError
from assay.evidence import compare, decide, more_rows, plan, rows_needed, smallest_effect


def trial(rng: np.random.Generator, n: int, gain: float, disagreement: float = 0.2):
    u = rng.random(n)
    truth = np.zeros(n, dtype=int)
    won, lost = (disagreement + gain) / 2, (disagreement - gain) / 2
    before, after = (u < won).astype(int), ((u >= won) & (u < won + lost)).astype(int)
    return compare(truth, before, after, classes=("0", "1"))


def test_the_smallest_effect_is_shown_four_times_in_five():
    rng = np.random.default_rng(0)
    effect = smallest_effect(600, np.sqrt(0.2))
    kept = np.mean([trial(rng, 600, effect).p_value < 0.05 for _ in range(1000)])
    assert kept == pytest.approx(0.8, abs=0.05)


@pytest.mark.parametrize("effect", [0.005, 0.02, 0.1])
def test_rows_needed_undoes_smallest_effect(effect):
    rows = rows_needed(effect, 0.4)
    assert smallest_effect(rows, 0.4) <= effect < smallest_effect(rows - 1, 0.4)


def test_more_rows_is_what_the_rows_lacked():
    truth, before, after = np.zeros((3, 300), dtype=int)
    before[:33], after[-27:] = 1, 1  # 33 wins, 27 losses
    found = compare(truth, before, after, classes=("0", "1"))
    assert decide(found).decision == "undecided"
    more = more_rows(found)
    assert more == rows_needed(found.estimate, found.details["se"] * np.sqrt(300)) - 300
    assert more_rows(trial(np.random.default_rng(1), 300, -0.05)) is None


def test_a_plan_tells_both_stages_and_its_assumption():
    shown = plan(300, 100)
    assert shown.screening < shown.vault
    assert "supposing that 10% of the rows change sides" in str(shown)
    assert "standard deviations" in str(plan(300, 100, disagreement=1.0))
    assert plan(300, 100, alpha=0.1).screening < shown.screening
    assert plan(300, 100, alpha=0.1).vault == shown.vault
    assert plan(300, 100, looks=3).vault > shown.vault
    measured = plan(300, 100, like=trial(np.random.default_rng(2), 500, 0.0))
    assert measured.measured
    assert measured.spread == pytest.approx(np.sqrt(0.2), rel=0.15)
    assert "measured" in str(measured)


def test_a_plan_of_groups_uses_their_spread():
    rng = np.random.default_rng(3)
    values = [np.repeat(rng.normal(size=100), 8) for _ in range(3)]
    gain = compare(*values, metric="mae", groups=np.repeat(np.arange(100), 8))
    by_group = compare(*(each[::8] for each in values), metric="mae")
    shown = plan(100, 100, like=gain)
    assert shown.spread == pytest.approx(by_group.details["se"] * 10, rel=0.02)


@pytest.mark.parametrize("call", [lambda: smallest_effect(1, 1.0), lambda: rows_needed(0, 1.0)])
def test_bad_input_is_named(call):
    with pytest.raises(InputError):
        call()
