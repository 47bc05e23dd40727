"""What the agreement of wordings is worth, learned from gold."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
from numpy.typing import NDArray

from assay.label.asking import Asker
from assay.label.extract.agreeing import Agreed, same
from assay.label.extract.places import as_read
from assay.label.extract.wordings import WORDINGS, Wordings, examples_of
from assay.label.spec import AGREEMENT, Answers, Checked, Gold, LabelSettings, Step
from assay.label.voting import Calibration, Floats, Logistic, fit_calibration, fit_logistic, folds
from assay.label.voting import share as share_of
from assay.llm import Gateway
from assay.seeds import derive_seed
from assay.tables.rows import ROW_ID

FIELDS = "fields"
"""The held-out vote that holds whether each field is right."""
FEWEST_FOR_EXAMPLES = 20
SHOWN = 3
LONGEST_EXAMPLE = 1000
"""Characters of a gold row that is shown; longer ones would crowd out the row."""
_VOTING = f"{len(WORDINGS)} wordings vote on each field"
ROOM = 1000
"""Tokens of a text that the embedded model surely reads whole beside the answer."""
CENTRE = Logistic(np.array([2.0, 1.0]), 1.0)
"""Without gold: an object on which all answers agree is probably right."""


@dataclass(frozen=True, eq=False)
class FittedExtraction:
    """Wordings that vote, and what their agreement is worth; see ``kinds.Fitted``."""

    asker: Wordings
    worth: Logistic
    calibration: Calibration
    checked: Checked | None
    steps: tuple[Step, ...]

    def answer(self, texts: Sequence[str], gateway: Gateway) -> Answers:
        """Answer rows; ``votes["agreement"]`` has a column for each field."""
        asker = self.asker
        found, why = asker.ask(texts, gateway)
        probability = self.calibration(share_of(self.worth.scores(signs(found))))
        missing = [row for row, each in enumerate(found) if each.label is None]
        probability[missing] = np.nan
        flags = Asker(asker.task, gateway, asker.settings, room=ROOM).cut_flags(texts)
        agreement = np.array([each.agreement for each in found]).reshape(-1, len(asker.names))
        labels = [each.label for each in found]
        return Answers(labels, probability, why, {AGREEMENT: agreement}, flags)


def fit_extraction(asker: Wordings, gold: Gold | None, gateway: Gateway) -> FittedExtraction:
    """Learn from gold how often the wordings are right when they agree.

    A few gold rows are shown as worked examples where that makes the others righter; they are
    left out of what is measured.
    """
    if gold is None:
        steps = (Step("agreement", True, _VOTING),)
        return FittedExtraction(asker, CENTRE, Calibration(), None, steps)
    gold = as_read(gold, asker.task) if asker.spans else gold
    if len(gold) < FEWEST_FOR_EXAMPLES:
        plain = _fared(asker, gold, gateway)
        return _fitted(asker, gold, plain, (Step("agreement", True, _VOTING, plain.accuracy),))
    shown, rest = _parted(gold, asker.settings)
    taught = replace(asker, examples=examples_of(shown, asker.spans))
    plain, better = _fared(asker, rest, gateway), _fared(taught, rest, gateway)
    used = better.by_field > plain.by_field
    why = f"fields right {plain.by_field:.1%} without, {better.by_field:.1%} with {SHOWN}"
    told = (
        Step("agreement", True, _VOTING, plain.accuracy),
        Step("examples", used, why, better.accuracy),
    )
    return _fitted(taught if used else asker, rest, better if used else plain, told)


@dataclass(frozen=True, eq=False)
class _Fared:
    """How gold rows fared under one way of asking."""

    found: list[Agreed]
    right: NDArray[np.bool_]
    weights: Floats | None

    @property
    def accuracy(self) -> float:
        return float(np.average(self.right.all(axis=1), weights=self.weights))

    @property
    def by_field(self) -> float:
        return float(np.average(self.right.mean(axis=1), weights=self.weights))


def _fared(asker: Wordings, gold: Gold, gateway: Gateway) -> _Fared:
    found, _ = asker.ask(gold.texts, gateway)
    right = [_right(each, true, asker.names) for each, true in
             zip(found, gold.labels, strict=True)]  # fmt: skip
    return _Fared(found, np.array(right, dtype=np.bool_), gold.weights)


def _fitted(
    asker: Wordings, gold: Gold, fared: _Fared, steps: tuple[Step, ...]
) -> FittedExtraction:
    said = signs(fared.found)
    usable = np.array([each.label is not None for each in fared.found], dtype=np.bool_)
    correct = fared.right.all(axis=1) & usable
    worth, raw = _worth(said, correct, usable, gold, asker.settings)
    measuring = None if gold.measuring is None else gold.measuring[usable]
    calibration = fit_calibration(raw[usable], correct[usable], measuring)
    probability = np.where(usable, calibration(raw), 0.0)
    labels = [each.label for each in fared.found]
    checked = Checked(gold.rows[ROW_ID].to_list(), gold.labels, labels, probability, correct,
                      gold.weights, {FIELDS: fared.right.astype(np.float64)})  # fmt: skip
    return FittedExtraction(asker, worth, calibration, checked, steps)


def _parted(gold: Gold, settings: LabelSettings) -> tuple[Gold, Gold]:
    """Return a few gold rows to show, and the others; equal texts stay together.

    Rows that were picked, not drawn, are shown first: they measure nothing anyway.
    """
    random = np.random.default_rng(derive_seed(settings.seed, "extraction examples"))
    short = sorted({text for text in gold.texts if len(text) <= LONGEST_EXAMPLE})
    mixed = random.choice(short, len(short), replace=False).tolist()
    drawn = _drawn_texts(gold)
    shown = set(sorted(mixed, key=drawn.__contains__)[:SHOWN])
    parts = [[row for row, text in enumerate(gold.texts) if (text in shown) == wanted]
             for wanted in (True, False)]  # fmt: skip
    return gold.only(parts[0]), gold.only(parts[1])


def _drawn_texts(gold: Gold) -> set[str]:
    weights = np.ones(len(gold)) if gold.weights is None else gold.weights
    return {text for text, weight in zip(gold.texts, weights, strict=True) if weight > 0}


def signs(found: Sequence[Agreed]) -> Floats:
    """Return what tells of a right object, (n, 2): how far answers agree, and spans' exactness."""
    said = [
        [float(np.log(np.maximum(each.agreement, 0.1)).sum()), each.exact - 1] for each in found
    ]
    return np.array(said).reshape(len(found), 2)


def _worth(
    said: Floats, correct: Any, usable: Any, gold: Gold, settings: LabelSettings
) -> tuple[Logistic, Floats]:
    """Return what agreement is worth, and each gold row's probability from the other folds."""
    fold = folds(gold.texts, min(settings.folds, len(set(gold.texts))), settings.seed)
    weights = gold.teaching

    def learned(rows: Any) -> Logistic:
        return fit_logistic(said[rows], correct[rows], CENTRE,
                            weights=None if weights is None else weights[rows])  # fmt: skip

    raw = np.zeros(len(said))
    for each in np.unique(fold):
        raw[fold == each] = share_of(learned(usable & (fold != each)).scores(said[fold == each]))
    return learned(usable), raw


def _right(each: Agreed, true: dict[str, Any], names: Sequence[str]) -> list[bool]:
    if each.label is None:
        return [False] * len(names)
    return [same(each.label[name], true.get(name)) for name in names]
