"""Rows that a review picked teach every kind of task and measure none: the promise holds."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np
import polars as pl
import pytest
from scipy.stats import binom

from assay.evidence import accept_threshold
from assay.label.extract.agreeing import Agreed, agreed
from assay.label.extract.fit import fit_extraction, signs
from assay.label.learning import Shape, Votes, learn
from assay.label.match.kind import PairAnswer
from assay.label.multi.kind import ClassSets
from assay.label.ordinal.kind import Levels
from assay.label.questions import untaught
from assay.label.spec import Checked, Gold, LabelSettings
from assay.label.voting import Floats, share

REDRAWS, POPULATION, DRAWN, PICKED, PRECISION = 40, 800, 60, 150, 0.8
SETTINGS = LabelSettings(folds=3)
TOPICS, RATINGS, PAIR = ("farm", "money", "sport"), ("poor", "fair", "good"), ("other", "same")


@dataclass(frozen=True)
class World:
    """Rows whose answers are known, and how they are answered after gold.

    Attributes
    ----------
    right_untaught
        (n,) whether annotators that saw no gold are right: an easy row for a person too.
    labelled
        Learns from gold; returns how it fared, and the probability and label of every row.
    """

    truth: list[Any]
    right_untaught: Floats
    labelled: Callable[[Gold], tuple[Checked, Floats, list[Any]]]


def voted_world(
    shape: Shape,
    truth: list[Any],
    random: np.random.Generator,
    noise: float,
    centre: Any = untaught,
) -> World:
    """Two annotators, one of them unsure, vote on each question; vectors tell a little."""
    yes = 2.0 * shape.truth(truth) - 1
    off = random.normal(scale=[noise, 2 * noise], size=(*yes.shape, 2))
    hard = random.exponential(size=(len(truth), 1, 1))
    each = 2 * yes[:, :, None] + hard * off
    vectors = yes @ random.normal(size=(yes.shape[1], 4)) + random.normal(
        scale=3.0, size=(len(truth), 4)
    )
    votes = Votes(each, vectors, {}, ("one", "other"))
    untaught_labels, _ = shape.decide(share(each.mean(axis=2)))

    def labelled(gold: Gold) -> tuple[Checked, Floats, list[Any]]:
        rows = [int(text) for text in gold.texts]
        some = Votes(each[rows], vectors[rows], {}, ("one", "other"))
        learned = learn(shape, votes, some, gold, SETTINGS, centre)
        answers = learned.answers(votes, {})
        assert learned.checked is not None
        return learned.checked, answers.probability, answers.labels

    right = np.array([one == two for one, two in zip(untaught_labels, truth, strict=True)])
    return World(truth, right, labelled)


def multi_world(random: np.random.Generator) -> World:
    held = random.random((POPULATION, 3)) < 0.4
    truth = [[name for name, yes in zip(TOPICS, row, strict=True) if yes] for row in held]
    return voted_world(ClassSets(TOPICS), truth, random, 1.5)


def ordinal_world(random: np.random.Generator) -> World:
    shape = Levels(RATINGS)
    truth = random.choice(RATINGS, POPULATION, p=[0.3, 0.5, 0.2]).tolist()
    return voted_world(shape, truth, random, 2.2, shape.equally_frequent)


def match_world(random: np.random.Generator) -> World:
    return voted_world(PairAnswer(PAIR), random.choice(PAIR, POPULATION).tolist(), random, 3.6)


@dataclass(frozen=True)
class ScriptedWordings:
    """Three wordings, each of which reads a field wrongly as often as the row is hard."""

    found: list[Agreed]
    names: tuple[str, ...] = ("price",)
    spans: tuple[str, ...] = ()
    settings: LabelSettings = SETTINGS
    examples: tuple[Any, ...] = field(default=())

    def ask(self, texts: Sequence[str], gateway: Any) -> tuple[list[Agreed], dict[int, str]]:
        return [self.found[int(text)] for text in texts], {}


def extract_world(random: np.random.Generator) -> World:
    wrong = random.random((POPULATION, 3)) < random.beta(0.6, 1.4, size=(POPULATION, 1))
    misread = random.integers(1, 3, size=(POPULATION, 3))
    found = [agreed([{"price": int(each)} for each in row], "", ["price"], set())
             for row in wrong * misread]  # fmt: skip
    truth = [{"price": 0}] * POPULATION

    def labelled(gold: Gold) -> tuple[Checked, Floats, list[Any]]:
        fitted = fit_extraction(ScriptedWordings(found), gold, None)  # type: ignore[arg-type]
        assert fitted.checked is not None
        sure = fitted.calibration(share(fitted.worth.scores(signs(found))))
        return fitted.checked, sure, [each.label for each in found]

    right = np.array([each.label == {"price": 0} for each in found])
    return World(truth, right, labelled)


WORLDS = {
    "multi": multi_world,
    "ordinal": ordinal_world,
    "match": match_world,
    "extract": extract_world,
}


def redrawn(kind: str, seed: int) -> tuple[bool, bool, bool]:
    """Label a world by rows that were drawn, and easy ones that were picked.

    Returns
    -------
    some, kept
        Whether rows were accepted, and whether the promise held of them.
    careless
        Whether it would have held had the picked rows measured too.
    """
    random = np.random.default_rng([seed, 7])
    world = WORLDS[kind](random)
    order = random.permutation(POPULATION)
    drawn, others = order[:DRAWN], order[DRAWN:]
    picked = others[world.right_untaught[others]][:PICKED]
    chosen = np.concatenate([drawn, picked])
    weights = (np.arange(len(chosen)) < DRAWN).astype(float)
    gold = Gold(
        pl.DataFrame({"row_id": [str(row) for row in chosen]}),
        [str(row) for row in chosen],
        [world.truth[row] for row in chosen],
        weights,
    )
    checked, sure, labels = world.labelled(gold)
    measured = checked.measured
    assert measured is not None
    assert measured.weights is None
    assert set(measured.row_ids) <= {str(row) for row in drawn}
    rest = np.setdiff1d(np.arange(POPULATION), chosen)
    right = np.array([labels[row] == world.truth[row] for row in rest])

    def holds(fared: Checked) -> tuple[bool, bool]:
        accepted = accept_threshold(
            fared.probability, fared.correct, precision=PRECISION, confidence=0.95
        ).accepts(sure[rest])
        some = bool(accepted.any())
        return some, not some or bool(right[accepted].mean() >= PRECISION)

    some, kept = holds(measured)
    return some, kept, holds(checked)[1]


@pytest.mark.parametrize("kind", WORLDS)
def test_the_promise_holds_by_the_drawn_rows_alone(kind: str) -> None:
    runs = np.array([redrawn(kind, seed) for seed in range(REDRAWS)])
    broken = REDRAWS - int(runs[:, 1].sum())
    assert broken <= binom.ppf(0.999, REDRAWS, 0.05)
    assert runs[:, 0].mean() > 0.1, "the promise was put to the test"
    careless = REDRAWS - int(runs[:, 2].sum())
    assert careless > binom.ppf(0.999, REDRAWS, 0.05), "this test can fail"
