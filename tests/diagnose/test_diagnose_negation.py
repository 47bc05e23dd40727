from __future__ import annotations

import zlib
from collections.abc import Callable

import numpy as np
import polars as pl
import pytest
from scipy import stats

from assay.diagnose import diagnose
from assay.diagnose.detectors.negation import NegationDetector, can_be_negated
from assay.diagnose.spec import Diagnosis

Model = Callable[[pl.DataFrame], np.ndarray]
NAMES = ("negative", "positive")


def reviews(seed: int, n: int = 400, names: tuple[str, str] = NAMES) -> pl.DataFrame:
    random = np.random.default_rng(seed)
    good = random.random(n) < 0.5
    words = np.where(good, random.choice(["good", "great"], n), random.choice(["bad", "poor"], n))
    texts = [f"The meal number {at} is {word}." for at, word in enumerate(words.tolist())]
    return pl.DataFrame({"text": texts, "y": np.where(good, names[1], names[0])})


def stated(chances: list[float]) -> np.ndarray:
    return np.column_stack([1 - np.array(chances), chances])


def of_words(part: pl.DataFrame) -> np.ndarray:
    """Words alone: "not" counts as a bad one, so that what is not bad is worse than bad."""

    def chance(text: str) -> float:
        score = 1.5 if ("good" in text or "great" in text) else -1.5
        return float(1 / (1 + np.exp(-score + 1.0 * ("not" in text.split()))))

    return stated([chance(each) for each in part["text"].to_list()])


def of_sense(part: pl.DataFrame) -> np.ndarray:
    """Read "not" as what it says."""

    def chance(text: str) -> float:
        good = ("good" in text or "great" in text) != ("not" in text.split())
        return 0.85 if good else 0.15

    return stated([chance(each) for each in part["text"].to_list()])


def one_in_twenty(part: pl.DataFrame) -> np.ndarray:
    """Grow surer of exactly one negated text in twenty, as a number drawn from its text has it."""

    def chance(text: str) -> float:
        plain = text.replace(" not", "")
        good = "good" in text or "great" in text
        unlucky = zlib.crc32(plain.encode()) % 20 == 0 and plain != text
        own = 0.95 if unlucky else 0.8
        return own if good else 1 - own

    return stated([chance(each) for each in part["text"].to_list()])


def told(rows: pl.DataFrame, model: Model, *, seed: int = 0, always: bool = False) -> Diagnosis:
    detectors = [NegationDetector(always=always)]
    return diagnose(rows, truth="y", model=model, text="text", detectors=detectors, seed=seed)


def test_a_model_of_words_alone_is_told_and_one_that_reads_not_is_not() -> None:
    (found,) = told(reviews(1), of_words).findings
    assert found.code == "AS604"
    assert found.effect.estimate + 0.05 == pytest.approx(0.5, abs=0.1)  # the bad half
    assert told(reviews(1), of_sense).findings == ()


def test_a_model_that_grows_surer_of_one_in_twenty_is_seldom_told() -> None:
    tries = 40
    alarms = 0
    for seed in range(tries):
        rows = reviews(seed).with_columns(pl.col("text").str.replace("meal", f"meal {seed}"))
        alarms += bool(told(rows, one_in_twenty, seed=seed).findings)
    assert alarms <= stats.binom.isf(0.001, tries, 0.05)


def test_only_opposites_are_asked_for_unless_it_is_wanted() -> None:
    topics = reviews(1, names=("farm", "trade"))
    assert "not two that are opposites" in told(topics, of_words).looked[0].skipped
    assert told(topics, of_words, always=True).findings
    alone = reviews(1).with_columns(prediction=pl.col("y"))
    looked = diagnose(alone, truth="y", text="text", detectors=[NegationDetector()]).looked[0]
    assert "not at hand" in looked.skipped


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("The meal was good.", True),
        ("The meal wasn't good.", False),
        ("The meal was good, but cold.", False),
        ("Was the meal good?", False),
        ("The meal was good. The room was cold.", False),
        ("The meal was good and the room was warm", False),
        ("A good meal", False),
    ],
)
def test_short_plain_sentences_alone_are_negated(text: str, expected: bool) -> None:
    assert can_be_negated(text) is expected
