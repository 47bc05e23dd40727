from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import numpy as np
import polars as pl
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from assay.evidence import estimate
from assay.label import LabelResult, LabelTask
from assay.label.review.draw import chances, draw, weights
from assay.label.review.order import worth_checking
from assay.label.rows import read_rows
from assay.label.spec import Answers
from assay.llm import Spend

N = 3000


def labelled(n: int = N, seed: int = 0) -> tuple[LabelResult, np.ndarray]:
    """Return a labelling whose sure rows are mostly right, and which rows are right."""
    random = np.random.default_rng(seed)
    rows, task = read_rows([f"text {row}" for row in range(n)], LabelTask.of(["a", "b"]))
    probability = random.beta(4, 1.3, n) / 2 + 0.5
    right = random.uniform(size=n) < probability - 0.05
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


@given(
    worth=st.lists(st.floats(0, 1e6), min_size=1, max_size=60),
    size=st.integers(1, 80),
    seed=st.integers(0, 5),
)
@settings(max_examples=150, deadline=None)
def test_a_draw_has_its_size_and_every_row_a_chance(
    worth: list[float], size: int, seed: int
) -> None:
    chance = chances(np.array(worth), size)
    size = min(size, len(worth))
    assert chance.sum() == pytest.approx(size)
    assert chance.max() <= 1
    assert chance.min() >= min(1.0, size / len(worth) / 3) - 1e-9
    drawn = draw(chance, np.arange(len(worth)), seed)
    assert len(set(drawn.tolist())) == len(drawn) == size


def test_rows_are_drawn_as_often_as_their_chance_says() -> None:
    worth = np.r_[np.zeros(30), np.ones(5), np.full(3, 9.0)]
    chance, hits, draws = chances(worth, 8), np.zeros(38), 4000
    for seed in range(draws):
        hits[draw(chance, np.random.default_rng(seed).permutation(38), seed)] += 1
    error = np.sqrt(chance * (1 - chance) / draws)
    assert (np.abs(hits / draws - chance) < 4.5 * error + 1e-9).all()


@pytest.mark.slow
def test_the_weighted_estimate_is_unbiased_and_its_interval_covers() -> None:
    """Also for whoever stops after half of the draw; the plain share of hits is not."""
    result, right = labelled()
    position = {each: row for row, each in enumerate(result.rows.table["row_id"])}
    for checked in (60, 30):
        found, plain, covered = [], [], 0
        for seed in range(300):
            batch = worth_checking(result, n=60, seed=seed)[:checked]
            hit = right[[position[each] for each in batch["row_id"]]]
            told = estimate(
                ["right"] * checked,
                np.where(hit, "right", "wrong").tolist(),
                weights=batch["weight"].to_numpy(),
                classes=("right", "wrong"),
            )
            assert told.interval is not None
            covered += told.interval.low <= right.mean() <= told.interval.high
            found.append(told.estimate)
            plain.append(hit.mean())
        error = np.std(found) / len(found) ** 0.5
        assert abs(np.mean(found) - right.mean()) < 4 * error + 0.005
        assert right.mean() - np.mean(plain) > 0.04
        assert covered / 300 > 0.93


def test_two_draws_in_turn_are_unbiased_although_the_second_follows_from_the_first() -> None:
    result, right = labelled(400)
    ids = result.rows.table["row_id"].to_list()
    position = {each: row for row, each in enumerate(ids)}
    found = []
    for seed in range(400):
        first = worth_checking(result, n=40, seed=seed)
        hits = right[[position[each] for each in first["row_id"]]]
        taught = np.where(hits.mean() < 0.7, 1.0, -1.0) * result.answers.probability
        wiser = replace(
            result, answers=replace(result.answers, probability=np.clip(abs(taught), 0, 1))
        )
        second = worth_checking(wiser, n=60, seed=seed, leave_out=first["row_id"].to_list())
        assert not set(first["row_id"]) & set(second["row_id"])
        parts = weights([(first["chance"].to_numpy(), 400), (second["chance"].to_numpy(), 360)])
        rows = [position[each] for each in [*first["row_id"], *second["row_id"]]]
        found.append(np.average(right[rows], weights=np.concatenate(parts)))
    assert abs(np.mean(found) - right.mean()) < 4 * np.std(found) / 20 + 0.004


def test_two_in_three_rows_are_uncertain_or_disputed() -> None:
    result, _ = labelled()
    batch = worth_checking(result, n=90)
    assert batch.height == 90
    surer = np.quantile(result.answers.probability, 0.4)
    assert (batch["probability"] < surer).mean() > 0.6
    disputed, agreed = result.answers.votes["model"], result.answers.votes["nearest"]
    gap = abs(disputed - agreed)[:, 0]
    drawn = batch["row_id"].cast(pl.Int64).to_numpy()
    assert gap[drawn].mean() > 1.3 * gap.mean()
    assert batch["weight"].mean() == pytest.approx(1)
    assert batch["weight"].max() < 3.1


def test_near_copies_are_checked_once_or_twice() -> None:
    """Thirty copies of the most uncertain row do not fill the draw."""
    result, _ = labelled(1000)
    probability = result.answers.probability.copy()
    probability[:30] = 0.5
    result = replace(result, answers=replace(result.answers, probability=probability, votes={}))

    def embed(texts: list[str]) -> np.ndarray:
        numbers = [int(each.split()[1]) for each in texts]
        random = np.random.default_rng(0).standard_normal((1000, 16))
        return np.array([random[0 if number < 30 else number] for number in numbers])

    def copies(spread: bool) -> float:
        drawn = [
            worth_checking(result, embed if spread else None, n=60, seed=seed)["row_id"].to_list()
            for seed in range(10)
        ]
        return float(np.mean([sum(int(each) < 30 for each in batch) for batch in drawn]))

    assert copies(spread=True) < 4
    assert copies(spread=False) > 8


def test_no_answer_at_all_still_gives_rows_to_check(tmp_path: Path) -> None:
    result, _ = labelled(100)
    nothing = Answers([None] * 100, np.full(100, np.nan), why={})
    batch = worth_checking(replace(result, answers=nothing), n=20)
    assert batch.height == 20
    assert batch["weight"].to_list() == pytest.approx([1.0] * 20)


def test_rows_in_gold_or_checked_or_empty_are_not_offered() -> None:
    result, _ = labelled(12)
    rows = replace(result.rows, why={3: "the text is empty"})
    result = replace(result, rows=rows, given={0: "a"})
    batch = worth_checking(result, n=60, leave_out=["5"])
    assert sorted(batch["row_id"], key=int) == ["1", "2", "4", "6", "7", "8", "9", "10", "11"]
    assert worth_checking(result, n=60, leave_out=[str(row) for row in range(12)]).is_empty()
