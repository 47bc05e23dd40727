from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
import polars as pl
import pytest
from hypothesis import given
from hypothesis import strategies as st
from sklearn.metrics import cohen_kappa_score

from assay.errors import InputError
from assay.label.learning import Votes, learn
from assay.label.ordinal import measured
from assay.label.ordinal.kind import Levels
from assay.label.ordinal.votes import above
from assay.label.single import fitted as single
from assay.label.single.scores import even, mean_said, softmax, spread
from assay.label.spec import Gold, LabelSettings
from assay.label.task import LabelTask
from assay.llm import Prompt
from assay.task import ClassDescription
from labelled import labelling, scripted_topics

NAMES = ("awful", "poor", "fair", "good", "superb")
TASK = LabelTask(kind="ordinal", classes=tuple(ClassDescription(name=name) for name in NAMES))


def stars(rows: int, seed: int, slips: float = 0.2) -> pl.DataFrame:
    """Texts that hold as many stars as their level; some labels are a level off."""
    random = np.random.default_rng(seed)
    level = random.integers(5, size=rows)
    told = np.clip(
        level + random.choice([-1, 0, 1], rows, p=[slips / 2, 1 - slips, slips / 2]), 0, 4
    )
    texts = [f"row {seed} {row} " + "star " * count for row, count in enumerate(level)]
    return pl.DataFrame({"text": texts, "label": [NAMES[each] for each in told]})


def scripted_critic(prompt: Prompt, options: Sequence[str]) -> list[float]:
    """See the stars, and say most of a level too much."""
    seen = prompt.text.count("star") + 0.7
    return [float(np.exp(-((seen - code) ** 2) / 2)) for code in range(len(options))]


def test_a_bias_of_one_level_is_learned_away(tmp_path: Path) -> None:
    rows = stars(100, 1, slips=0)
    with labelling(tmp_path, scripted_topics(scripted_critic)) as label:
        result = label(rows.select("text"), TASK, stars(120, 2, slips=0.05), precision=0.8)
    right = [one == other for one, other in zip(result.table["label"], rows["label"], strict=True)]
    assert np.mean(right) > 0.9
    assert result.coverage > 0.5
    assert result.checked is not None
    assert abs(result.checked.probability.mean() - result.checked.correct.mean()) < 0.1


def test_more_is_measured_than_being_right(tmp_path: Path) -> None:
    with labelling(tmp_path, scripted_topics(scripted_critic)) as label:
        result = label(stars(20, 1).select("text"), TASK, stars(120, 2))
    facts = measured(result)
    assert result.checked is not None
    truth, found = ([NAMES.index(each) for each in side]
                    for side in (result.checked.truth, result.checked.labels))  # fmt: skip
    off = np.abs(np.subtract(truth, found))
    assert facts["within_one"].estimate == pytest.approx(np.mean(off <= 1))
    assert facts["mae"].estimate == pytest.approx(off.mean())
    assert facts["accuracy"].estimate == pytest.approx(np.mean(off == 0))
    kappa = cohen_kappa_score(truth, found, weights="quadratic")
    assert facts["kappa"].estimate == pytest.approx(kappa)
    assert kappa in facts["kappa"].interval
    assert facts["within_one"].estimate > facts["accuracy"].estimate


def test_these_figures_need_gold_and_an_order(tmp_path: Path) -> None:
    with labelling(tmp_path, scripted_topics(scripted_critic)) as label:
        without = label(stars(20, 1).select("text"), TASK)
        single = label(stars(20, 1).select("text"), list(NAMES))
    for each in (without, single):
        with pytest.raises(InputError, match="ordinal task with gold"):
            measured(each)


def test_without_gold_every_level_is_used(tmp_path: Path) -> None:
    rows = stars(200, 1, slips=0)
    with labelling(tmp_path, scripted_topics(scripted_critic)) as label:
        result = label(rows.select("text"), TASK)
    assert result.table["label"].n_unique() >= 4
    found = [NAMES.index(each) for each in result.table["label"]]
    truth = [NAMES.index(each) for each in rows["label"]]
    assert np.corrcoef(found, truth)[0, 1] > 0.9


@given(st.lists(st.lists(st.floats(0, 1), min_size=4, max_size=4), min_size=1, max_size=5))
def test_the_median_level_has_a_probability(chances: list[list[float]]) -> None:
    labels, probability = Levels(NAMES).decide(np.array(chances))
    assert set(labels) <= set(NAMES)
    assert ((probability >= 0) & (probability <= 1)).all()


def test_the_median_is_the_level_at_which_half_is_passed() -> None:
    labels, probability = Levels(NAMES).decide(np.array([[0.9, 0.7, 0.4, 0.1], [0.2, 0.1, 0, 0]]))
    assert labels == ["fair", "awful"]
    np.testing.assert_allclose(probability, [0.3, 0.8])


WORLDS = {
    "even": ([0.2] * 5, 0.6, 1.0),
    "skewed": ([0.08, 0.05, 0.1, 0.27, 0.5], 0.6, 1.0),
    "middling": ([0.05, 0.2, 0.5, 0.2, 0.05], 0.8, 1.2),
    "one annotator guesses": ([0.2] * 5, 0.6, 50.0),
}
"""Share of each level, and by how many levels each of two annotators is off."""


@pytest.mark.parametrize("name", WORLDS)
def test_forty_checked_rows_beat_the_votes_and_say_how_sure_to_be(name: str) -> None:
    runs = np.array([forty_checked(name, seed) for seed in range(6)])
    accuracy, mode, median, off, mode_off, median_off, sure = runs.mean(axis=0)
    assert accuracy > max(mode, median)
    assert off < min(mode_off, median_off)
    assert sure == pytest.approx(accuracy, abs=0.06)


def forty_checked(name: str, seed: int) -> tuple[float, ...]:
    """Learn from 40 checked rows, and label 600 others by the votes of two annotators.

    Returns
    -------
    accuracies
        Of the answers, of the votes' likeliest level, and of their median.
    levels_off
        Of the same three, on average.
    sure
        How sure the answers claim to be, on average.
    """
    random = np.random.default_rng([seed, 4])
    shares, *noises = WORLDS[name]
    level = random.choice(5, 640, p=shares)
    vectors = np.outer(level - 2, random.normal(size=8)) + random.normal(scale=6, size=(640, 8))
    scores = np.stack([said_of(level, noise, random) for noise in noises])
    votes = above(single.Votes(("one", "other"), scores, vectors, (1.0, 1.0)))
    gold = Gold(
        pl.DataFrame({"row_id": [str(row) for row in range(40)]}),
        [str(row) for row in range(40)],
        [NAMES[each] for each in level[:40]],
    )
    first, others = (
        Votes(votes.each[rows], votes.vectors[rows], {}, votes.names)
        for rows in (slice(40), slice(40, None))
    )
    shape = Levels(NAMES)
    learned = learn(shape, others, first, gold, LabelSettings(), shape.equally_frequent)
    answers = learned.answers(others, {})
    found = np.array([NAMES.index(label) for label in answers.labels])
    voted = softmax(scores.sum(axis=0))[40:]
    said = [found, voted.argmax(axis=1), (voted.cumsum(axis=1) < 0.5).sum(axis=1)]
    right = [float((each == level[40:]).mean()) for each in said]
    off = [float(np.abs(each - level[40:]).mean()) for each in said]
    return *right, *off, float(answers.probability.mean())


def said_of(level: Any, noise: float, random: np.random.Generator) -> Any:
    """Return (n, 5) scores around the level, as annotators give them: what is said anyway off."""
    seen = level + random.normal(scale=noise, size=len(level))
    seen = np.where(noise > 10, random.uniform(-0.5, 4.5, len(level)), seen)
    raw = np.log(softmax(-((seen[:, None] - np.arange(5)) ** 2)))
    scores = even(raw - mean_said(raw))
    return scores / spread(scores)
