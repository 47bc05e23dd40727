"""A cascade's threshold: at least the asked precision, over many draws of the checked rows."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from assay.errors import InputError
from assay.evidence import accept_cascade, accept_threshold
from assay.evidence.cascading import stage_of


def draw(
    random: np.random.Generator, n: int, trust: tuple[float, float] = (1.0, 1.0)
) -> tuple[np.ndarray, np.ndarray]:
    """Two models on the same rows, the second better; hard rows are hard for both.

    ``trust`` above 1 makes a model claim more than it is right.
    """
    easy = random.random(n)
    chances = np.stack([0.35 + 0.6 * easy, 0.6 + 0.39 * easy])
    noise = random.normal(0, 0.05, (2, n))
    scores = np.clip(chances ** (1 / np.array(trust)[:, None]) + noise, 0, 1)
    return scores, random.random((2, n)) < chances


def precision_of(threshold: float, scores: np.ndarray, correct: np.ndarray) -> float:
    stage = stage_of(scores, threshold)
    sure = np.flatnonzero(stage >= 0)
    return float(correct[stage[sure], sure].mean())


@pytest.mark.parametrize("trust", [(1.0, 1.0), (4.0, 1.0)])
@pytest.mark.parametrize("weighted", [False, True])
def test_violations_are_at_most_nominal(trust: tuple[float, float], weighted: bool) -> None:
    random = np.random.default_rng(1)
    world = draw(random, 200_000, trust)
    failed, found = 0, 0
    draws = 400
    for _ in range(draws):
        scores, correct = draw(random, 200, trust)
        weights = None
        if weighted:  # the uncertain rows were checked four times as often
            scores, correct = draw(random, 500, trust)
            chance = np.where(scores[0] < 0.7, 1.0, 0.25)
            kept = random.random(500) < chance
            scores, correct, weights = scores[:, kept], correct[:, kept], 1 / chance[kept]
        accepted = accept_cascade(scores, correct, precision=0.85, confidence=0.9, weights=weights)
        if accepted.threshold is not None:
            found += 1
            failed += precision_of(accepted.threshold, *world) < 0.85
    # 0.1 is allowed; 0.14 is three standard errors above it at 400 draws.
    assert failed / draws <= 0.14
    if trust == (1.0, 1.0) and not weighted:
        assert found > draws / 2, "a guarantee that is never given proves nothing"


def test_one_stage_is_the_plain_threshold() -> None:
    scores, correct = draw(np.random.default_rng(2), 300)
    plain = accept_threshold(scores[1], correct[1], precision=0.8)
    assert accept_cascade(scores[1:], correct[1:], precision=0.8) == plain


def test_a_stronger_model_accepts_more_rows_than_the_cheap_one_alone() -> None:
    scores, correct = draw(np.random.default_rng(3), 2000)
    alone = accept_cascade(scores[:1], correct[:1], precision=0.85)
    both = accept_cascade(scores, correct, precision=0.85)
    assert both.coverage > alone.coverage + 0.1


@given(seed=st.integers(0, 10_000), precision=st.floats(0.6, 0.95))
def test_what_was_observed_is_what_the_policy_does(seed: int, precision: float) -> None:
    scores, correct = draw(np.random.default_rng(seed), 120)
    found = accept_cascade(scores, correct, precision=precision)
    if found.threshold is not None:
        assert found.observed == pytest.approx(precision_of(found.threshold, scores, correct))
        assert found.coverage == pytest.approx((stage_of(scores, found.threshold) >= 0).mean())


def test_bad_input_is_named() -> None:
    with pytest.raises(InputError, match="one row a stage"):
        accept_cascade([0.1, 0.2], [1, 0])
    with pytest.raises(InputError, match="one row a stage"):
        accept_cascade([[0.1, 0.2]], [[1, 0, 1]])
