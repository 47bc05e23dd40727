from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from assay.evidence import accept_threshold, estimate
from assay.label import LabelResult, LabelTask
from assay.label.review.order import worth_checking
from assay.label.rows import read_rows
from assay.label.spec import Answers
from assay.llm import Spend

N = 3000


def labelled(n: int = N, seed: int = 0) -> tuple[LabelResult, np.ndarray]:
    """Return a labelling whose sure rows are mostly right, and which rows are right."""
    random = np.random.default_rng(seed)
    rows, task = read_rows([f"text {row}" for row in range(n)], LabelTask.of(["a", "b"]))
    probability = random.beta(4, 0.8, n)
    right = random.uniform(size=n) < probability
    votes = {
        name: np.column_stack([shares, 1 - shares])
        for name, shares in (("model", random.uniform(size=n)), ("nearest", probability))
    }
    answers = Answers(["a"] * n, probability, votes=votes)
    result = LabelResult(
        task=task, rows=rows, answers=answers, checked=None, given={}, precision=None,
        confidence=0.95, steps=(), notes=(), spend=Spend(), seconds=0.0, run="run-1",
    )  # fmt: skip
    return result, right


def positions(ids: object) -> np.ndarray:
    return np.array([int(each) for each in ids])  # type: ignore[attr-defined]


@given(n=st.integers(1, 90), wanted=st.integers(1, 100), seed=st.integers(0, 5),
       share=st.sampled_from([0.0, 0.3, 1.0]))  # fmt: skip
@settings(max_examples=40, deadline=None)
def test_a_draw_has_its_size_its_shares_and_no_row_twice(
    n: int, wanted: int, seed: int, share: float
) -> None:
    batch = worth_checking(labelled(n)[0], n=wanted, seed=seed, random_share=share)
    size = min(n, wanted)
    assert batch["row_id"].n_unique() == batch.height == size
    assert batch["weight"].sum() == round(share * size)
    assert batch.equals(worth_checking(labelled(n)[0], n=wanted, seed=seed, random_share=share))
    drawn = batch.filter(batch["weight"] > 0)
    chance = drawn.height / max(1, n - (size - drawn.height))
    assert drawn["chance"].to_list() == pytest.approx([chance] * drawn.height)


@pytest.mark.slow
@pytest.mark.parametrize("stopped_at", [None, 60])
def test_the_random_rows_measure_the_unchecked_ones_without_bias(stopped_at: int | None) -> None:
    """Also for whoever stops half-way; the share of hits of all drawn rows is far off."""
    result, right = labelled()
    errors, plain, covered = [], [], 0
    for seed in range(300):
        batch = worth_checking(result, n=90, seed=seed)
        picked = positions(batch.filter(batch["weight"] == 0)["row_id"])
        truth = np.delete(right, picked).mean()
        batch = batch[:stopped_at]
        hit = right[positions(batch.filter(batch["weight"] > 0)["row_id"])]
        told = estimate(["right"] * len(hit), np.where(hit, "right", "wrong").tolist(),
                        classes=("right", "wrong"))  # fmt: skip
        assert told.interval is not None
        covered += told.interval.low <= truth <= told.interval.high
        errors.append(told.estimate - truth)
        plain.append(right[positions(batch["row_id"])].mean() - truth)
    assert abs(np.mean(errors)) < 3.5 * np.std(errors) / len(errors) ** 0.5
    assert np.mean(plain) < -0.1
    assert covered / 300 > 0.92


@pytest.mark.slow
def test_a_threshold_from_the_random_rows_breaks_its_promise_no_more_than_allowed() -> None:
    result, right = labelled()
    broken, reached = 0, 0
    for seed in range(200):
        batch = worth_checking(result, n=360, seed=seed)
        checked = positions(batch["row_id"])
        drawn = positions(batch.filter(batch["weight"] > 0)["row_id"])
        found = accept_threshold(
            result.answers.probability[drawn], right[drawn], precision=0.9, confidence=0.9
        )
        accepted = np.setdiff1d(np.flatnonzero(found.accepts(result.answers.probability)), checked)
        reached += found.reachable
        broken += len(accepted) > 0 and right[accepted].mean() < 0.9
    assert reached > 100
    assert broken / 200 <= 0.1 + 2.5 * (0.1 * 0.9 / 200) ** 0.5


def test_picked_rows_are_uncertain_and_disputed() -> None:
    result, _ = labelled()
    batch = worth_checking(result, n=90)
    picked = positions(batch.filter(batch["weight"] == 0)["row_id"])
    assert len(picked) == 60
    assert result.answers.probability[picked].max() < np.quantile(result.answers.probability, 0.6)
    gap = abs(result.answers.votes["model"] - result.answers.votes["nearest"])[:, 0]
    assert gap[picked].mean() > 1.3 * gap.mean()


def test_near_the_threshold_is_worth_more_than_the_least_certain() -> None:
    result, right = labelled()
    probability = result.answers.probability
    from assay.label.spec import Checked

    some = np.arange(600)
    checked = Checked([str(row) for row in some], ["a"] * 600, ["a"] * 600,
                      probability[some], right[some])  # fmt: skip
    asked = replace(
        result, checked=checked, precision=0.9, answers=replace(result.answers, votes={})
    )
    assert asked.acceptance is not None
    threshold = asked.acceptance.threshold
    assert threshold is not None
    batch = worth_checking(asked, n=60)
    picked = positions(batch.filter(batch["weight"] == 0)["row_id"])
    assert abs(probability[picked] - threshold).max() < 0.1


def test_near_copies_are_picked_once() -> None:
    """Thirty copies of the most uncertain row do not fill the draw."""
    result, _ = labelled(1000)
    probability = result.answers.probability.copy()
    probability[:30] = 0.01
    result = replace(result, answers=replace(result.answers, probability=probability, votes={}))

    def embed(texts: list[str]) -> np.ndarray:
        numbers = [int(each.split()[1]) for each in texts]
        random = np.random.default_rng(0).standard_normal((1000, 16))
        return np.array([random[0 if number < 30 else number] for number in numbers])

    def copies(spread: bool) -> int:
        batch = worth_checking(result, embed if spread else None, n=60)
        return int((positions(batch.filter(batch["weight"] == 0)["row_id"]) < 30).sum())

    assert copies(spread=True) == 1
    assert copies(spread=False) == 30


def test_no_answer_at_all_still_gives_rows_to_check() -> None:
    result, _ = labelled(100)
    nothing = Answers([None] * 100, np.full(100, np.nan), why={})
    batch = worth_checking(replace(result, answers=nothing), n=20)
    assert batch.height == 20


def test_rows_in_gold_or_checked_or_empty_are_not_offered() -> None:
    result, _ = labelled(12)
    rows = replace(result.rows, why={3: "the text is empty"})
    result = replace(result, rows=rows, given={0: "a"})
    batch = worth_checking(result, n=60, leave_out=["5"])
    assert sorted(batch["row_id"], key=int) == ["1", "2", "4", "6", "7", "8", "9", "10", "11"]
    assert worth_checking(result, n=60, leave_out=[str(row) for row in range(12)]).is_empty()
