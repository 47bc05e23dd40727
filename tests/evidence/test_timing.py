"""Timing: the rule on given seconds, and real subprocesses."""

import sys

import numpy as np
import pytest
from scipy import stats

from assay.errors import InputError
from assay.evidence import judge_times, time_commands
from assay.evidence.timing import slowdown


def pairs(ratio: float, noise: float, n: int = 20, seed: int = 0) -> np.ndarray:
    rng = np.random.default_rng(seed)
    first = np.exp(rng.normal(0, noise, n)) * ratio
    return np.column_stack([first, np.exp(rng.normal(0, noise, n))])


@pytest.mark.parametrize(
    ("ratio", "decision"), [(1.5, "kept"), (1.0, "not kept"), (0.7, "dropped")]
)
def test_the_rule(ratio, decision):
    verdict = judge_times(pairs(ratio, 0.05), pairs(1.0, 0.05, seed=1))
    assert verdict.decision == decision or (decision == "not kept" and not verdict.kept)
    assert verdict.main.estimate == pytest.approx(ratio, rel=0.1)


def test_a_noisy_machine_needs_a_larger_gain():
    assert judge_times(pairs(1.2, 0.01), pairs(1.0, 0.01, seed=1)).kept
    assert not judge_times(pairs(1.2, 0.01), pairs(1.0, 0.5, seed=1)).kept


def test_the_same_command_is_rarely_called_faster():
    kept = sum(
        judge_times(pairs(1.0, 0.1, seed=s), pairs(1.0, 0.1, seed=s + 10_000)).kept
        for s in range(100)
    )
    assert kept <= stats.binom.ppf(1 - 1e-4, 100, 0.025)


@pytest.mark.parametrize(("ratio", "worse"), [(0.7, True), (1.0, False), (1.5, False)])
def test_a_slowdown_is_a_loss_that_noise_does_not_explain(ratio, worse):
    found = slowdown(pairs(ratio, 0.05), pairs(1.0, 0.05, seed=1))
    assert found.estimate == pytest.approx(1 - 1 / ratio, abs=0.1)
    assert (found.p_value < 0.05) is worse
    assert found.interval.low < found.estimate < found.interval.high


@pytest.mark.slow
def test_real_processes_run_in_turn(tmp_path):
    log = tmp_path / "log"
    write = f"open({str(log)!r}, 'a').write"
    slow = [sys.executable, "-c", f"import time; time.sleep(.3); {write}('A')"]
    fast = [sys.executable, "-c", f"{write}('B')"]
    seen = []
    verdict = time_commands(slow, fast, pairs=5, step=lambda done, total: seen.append(done))
    assert verdict.main.estimate > 1
    order = log.read_text()
    assert order.count("A") == 1 + 3 * 5
    assert order.count("B") == 1 + 5
    assert "BBB" not in order
    assert seen == [1, 2, 3, 4, 5]


def test_a_command_that_fails_is_an_error():
    with pytest.raises(InputError, match="failed"):
        time_commands([sys.executable, "-c", "raise SystemExit(3)"], ["true"], pairs=5)
    with pytest.raises(InputError, match="pairs"):
        time_commands(["true"], ["true"], pairs=2)
