"""The sentence encoder itself, tuned on a few texts."""

from __future__ import annotations

import pickle

import numpy as np
import pytest

pytestmark = [pytest.mark.slow, pytest.mark.embedded]


def test_an_encoder_is_tuned_and_told_and_pickled(monkeypatch: pytest.MonkeyPatch) -> None:
    import torch

    from assay.llm.local.tuning import pace, tuned

    monkeypatch.delenv("ASSAY_NO_REAL_MODELS", raising=False)
    topics = ["the striker scored in the final", "shares fell as the bank cut its forecast"]
    texts = [f"{topics[n % 2]}, report {n}" for n in range(64)]
    targets = np.where(np.arange(64)[:, None] % 2 == np.arange(2), 0.9, 0.1)
    told: list[tuple[int, int]] = []
    state = torch.get_rng_state()
    made, again = (
        tuned(texts, targets, np.ones(64), seed=3, told=lambda *done: told.append(done))
        for _ in range(2)
    )
    assert torch.equal(state, torch.get_rng_state()), "what the caller draws is left as it was"
    assert told[-1] == (6, 6)
    new = ["a goal decided the cup match", "the lender raised interest rates", "rates"]
    scores = made.scores(new)
    assert scores[:2].argmax(axis=1).tolist() == [0, 1]
    assert np.abs(scores - again.scores(new)).max() < 0.2, "the same seed, but for rounding"
    assert (pickle.loads(pickle.dumps(made)).scores(new[2:]) == scores[2:]).all()  # noqa: S301
    assert min(pace(new)) > 0
