"""Planted faults of rows: some that nobody can tell, copies that contradict, negations misread."""

from __future__ import annotations

import zlib
from dataclasses import replace

import numpy as np
import polars as pl

from assay.diagnose import diagnose_case
from assay.diagnose.case import Case, Floats
from assay.diagnose.detectors.ambiguity import AmbiguityDetector
from assay.diagnose.detectors.contradictions import ContradictionDetector
from assay.diagnose.detectors.negation import NegationDetector
from assay.diagnose.spec import Detector

SURE, UNSURE = 0.95, 0.5
BEFORE, SURER, LESS_SURE = 0.8, 0.95, 0.6


def ambiguous_found(case: Case, share: float, random: np.random.Generator) -> bool | None:
    """Let a coin decide the class of a share of the rows, and the model know that it cannot tell.

    Of the other rows all answers are right and sure, so that nothing else is ambiguous.
    """
    sure = _sure(case)
    said, other = _two_classes(case, random)
    tossed = random.random(case.n) < share
    truth = np.where(tossed & (random.random(case.n) < 0.5), other, said)
    names = np.asarray(case.task.class_names, dtype=object)
    between = (names == said[:, None]) * UNSURE + (names == other[:, None]) * (1 - UNSURE)
    noise = 1 + random.random(case.n)[:, None] * 0.1 * (names == said[:, None])
    between = between * noise
    stated = np.where(tossed[:, None], between / between.sum(axis=1, keepdims=True), sure)
    return _told(_answered(case, truth, stated), AmbiguityDetector(), random)


def copies_found(case: Case, share: float, random: np.random.Generator) -> bool | None:
    """Put copies of other rows, of another class, in the place of a share of the rows' half.

    All other answers are right, so that no other copies contradict; a copy is answered as its row.
    """
    said, other = _two_classes(case, random)
    order = random.permutation(case.n)
    pairs = round(share * case.n / 2)
    kept, copied = order[:pairs], order[pairs : 2 * pairs]
    inputs = [name for name in case.task.inputs if name in case.rows.columns]
    places = np.arange(case.n)
    places[copied] = kept
    rows = case.rows.with_columns(case.rows.select(inputs)[places])
    said = said[places]
    truth = said.copy()
    truth[copied] = other[kept]
    changed = replace(_answered(case, truth, _sure(case)[places]), rows=rows)
    return _told(changed, ContradictionDetector(), random)


def negation_found(case: Case, share: float, random: np.random.Generator) -> bool | None:
    """Have a model in place of the case's that grows surer of a share of negated texts."""
    known, first = set(case.texts), np.array([[1.0, 0.0]])

    def surer(text: str) -> float:
        if text in known:
            return BEFORE
        return SURER if zlib.crc32(text.encode()) % 1000 < 1000 * share else LESS_SURE

    def state(rows: pl.DataFrame) -> Floats:
        own = np.array([surer(each) for each in rows[str(case.task.text)].fill_null("").to_list()])
        return np.asarray(own[:, None] * first + (1 - own[:, None]) * (1 - first))

    return _told(replace(case, state=state), NegationDetector(), random)


def _two_classes(case: Case, random: np.random.Generator) -> tuple[np.ndarray, np.ndarray]:
    """Return (n,) what the model says of each row, and another class."""
    names = np.asarray(case.task.class_names, dtype=object)
    place = {name: at for at, name in enumerate(case.task.class_names)}
    said = np.array([place[each] for each in case.predictions.tolist()])
    return names[said], names[(said + random.integers(1, len(names), case.n)) % len(names)]


def _sure(case: Case) -> Floats:
    """Return (n, k) probabilities that are sure of what the model says."""
    names = np.asarray(case.task.class_names, dtype=object)
    rest = (1 - SURE) / (len(names) - 1)
    return np.where(names == case.predictions[:, None], SURE, rest)


def _answered(case: Case, truth: np.ndarray, stated: Floats) -> Case:
    names = np.asarray(case.task.class_names, dtype=object)
    likeliest = names[stated.argmax(axis=1)]
    losses = (truth != likeliest).astype(np.float64)
    return replace(
        case, truth=truth, predictions=likeliest, probabilities=stated, losses=losses, training=None
    )


def _told(case: Case, detector: Detector, random: np.random.Generator) -> bool | None:
    """Return whether the detector finds something; None where it cannot look at such rows."""
    seeded = replace(case, seed=int(random.integers(2**31)))
    found = diagnose_case(seeded, detectors=[detector])
    return None if found.looked[0].skipped else bool(found.findings)
