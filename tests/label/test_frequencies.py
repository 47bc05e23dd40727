"""Class shares without gold: estimated where they differ, left alone where they do not."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
import polars as pl
import pytest

from assay.label.single.frequencies import FEWEST, Frequencies, frequencies_of
from assay.label.single.student import parts_of, taught
from assay.llm import Prompt
from assay.llm.model import RowError
from labelled import labelling, scripted_topics, topics_in
from newsroom import newsroom

CLASSES, SIZE = 4, 12
SKEWED = (0.1, 0.1, 0.7, 0.1)
EQUAL = (0.25,) * 4


def world(rows: int, shares: Sequence[float], seed: int, told: float = 1.5) -> tuple[Any, Any, Any]:
    """Return codes, embeddings that tell them apart, and votes less what is said on average.

    ``told`` is by how much a vote is larger for the row's own class, in standard deviations.
    """
    random = np.random.default_rng(seed)
    codes = random.choice(CLASSES, rows, p=shares)
    centres = np.random.default_rng(0).normal(size=(CLASSES, SIZE))
    embeddings = centres[codes] + random.normal(scale=1.0, size=(rows, SIZE))
    votes = told * np.eye(CLASSES)[codes] + random.normal(size=(rows, CLASSES))
    return codes, embeddings, votes - votes.mean(axis=0)


def estimated(
    rows: int, shares: Sequence[float], seed: int, told: float = 1.5
) -> tuple[Frequencies | None, float, float]:
    """Return the estimate, and how many rows are right before and after it."""
    codes, embeddings, votes = world(rows, shares, seed, told)
    parts = parts_of([str(each) for each in range(rows)])
    student = taught(votes, embeddings, parts)
    assert student is not None
    found = frequencies_of(votes, np.zeros_like(votes), embeddings, parts, student)
    before = votes + student.weight * student.scores(embeddings, parts)
    if found is None:
        return None, float((before.argmax(axis=1) == codes).mean()), 0.0
    learned = found.student.weight * found.student.scores(embeddings, parts)
    after = votes + found.level + learned
    return found, *(float((each.argmax(axis=1) == codes).mean()) for each in (before, after))


def test_shares_that_differ_are_found_and_more_rows_are_right() -> None:
    gains = []
    for seed in range(8):
        found, before, after = estimated(800, SKEWED, seed)
        assert found is not None
        assert found.used
        assert found.shares.sum() == pytest.approx(1)
        assert np.argmax(found.shares) == np.argmax(SKEWED)
        off = [float(np.abs(each - SKEWED).sum()) for each in (found.shares, np.array(EQUAL))]
        assert off[0] < 0.7 * off[1]
        gains.append(after - before)
    assert min(gains) > 0
    assert np.mean(gains) > 0.05


def test_equal_shares_stay_equal() -> None:
    found = [estimated(800, EQUAL, seed)[0] for seed in range(20)]
    weak = [estimated(600, EQUAL, seed, told=0.5)[0] for seed in range(10)]
    assert all(each is not None for each in [*found, *weak])
    assert sum(each.used for each in [*found, *weak] if each is not None) == 0


def test_few_rows_a_class_tell_no_shares() -> None:
    assert estimated(FEWEST * CLASSES - 1, SKEWED, 1)[0] is None


def test_rules_are_not_taken_for_what_is_said_too_often() -> None:
    """A rule that votes for one class wherever it speaks keeps all of its weight."""
    codes, embeddings, votes = world(800, SKEWED, 3)
    parts = parts_of([str(each) for each in range(800)])
    student = taught(votes, embeddings, parts)
    assert student is not None
    ruled = np.zeros_like(votes)
    ruled[codes == 2, 2] = 5.0
    with_rule = frequencies_of(votes, ruled, embeddings, parts, student)
    assert with_rule is not None
    assert with_rule.shares[2] == pytest.approx(0.7, abs=0.1)
    learned = with_rule.student.weight * with_rule.student.scores(embeddings, parts)
    said = (votes + ruled + with_rule.level + learned).argmax(axis=1)
    assert (said[codes == 2] == 2).mean() > 0.99


def skewed() -> pl.DataFrame:
    """Return 960 texts, most of them about one topic."""
    rows = newsroom(2400, seed=5, topical=0.2)
    some = {"farm": 800, "money": 80, "sport": 80}
    parts = [rows.filter(pl.col("topic") == name).head(count) for name, count in some.items()]
    return pl.concat(parts).sample(fraction=1.0, shuffle=True, seed=1)


def test_a_labelling_without_gold_tells_its_shares(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    table, names = skewed(), ["farm", "money", "sport"]
    with labelling(tmp_path) as label:
        found = label(table.select("text"), names)
        monkeypatch.setattr("assay.label.single.frequencies.RISE", 1.0)
        equal = label(table.select("text"), names)
    steps = {each.name: each for each in found.steps}
    assert steps["class shares"].used
    assert steps["class shares"].why.startswith("estimated, as gold does not tell: farm")
    assert "taken as equal" in {each.name: each for each in equal.steps}["class shares"].why
    sure = [each.answers.probability for each in (found, equal)]
    assert not np.allclose(*sure)
    assert np.isfinite(sure[0]).all()


def test_a_little_gold_measures_the_shares_and_does_not_undo_them(tmp_path: Path) -> None:
    table = skewed()
    gold = table.rename({"topic": "label"}).tail(15)
    with labelling(tmp_path) as label:
        result = label(table.head(900).select("text"), ["farm", "money", "sport"], gold)
    step = next(each for each in result.steps if each.name == "class shares")
    assert step.used
    assert step.accuracy is not None
    assert result.accuracy is not None
    assert step.accuracy == pytest.approx(result.accuracy.estimate)


def test_gold_that_no_model_answered_leaves_what_is_known_without_it(tmp_path: Path) -> None:
    table = skewed()

    def fails_on_gold(prompt: Prompt, options: Sequence[str]) -> Any:
        if prompt.text.startswith("checked"):
            return RowError("no answer")
        return [1.0 + 4 * (each in topics_in(prompt.text)) for each in options]

    gold = table.tail(40).select(
        (pl.lit("checked ") + pl.col("text")).alias("text"), pl.col("topic").alias("label")
    )
    names = ["farm", "money", "sport"]
    with labelling(tmp_path, scripted_topics(fails_on_gold)) as label:
        found, alone = (label(table.head(900).select("text"), names, each) for each in (gold, None))
    steps = [[each.name for each in result.steps] for result in (found, alone)]
    assert steps[0] == [*steps[1], "gold"]
    assert found.accuracy is None
