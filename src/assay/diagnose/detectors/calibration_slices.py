"""Slices on whose rows the probabilities say more, or less, than they know."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace

import numpy as np

from assay.diagnose.atoms import Atom, atoms, no_atoms
from assay.diagnose.case import Case, Floats
from assay.diagnose.commonest import left_aside
from assay.diagnose.detectors.calibration import LEAST, REMEDIES, confidence_gap
from assay.diagnose.excess import excess_loss
from assay.diagnose.likeness import known
from assay.diagnose.recalibrated import Line, wrong_beyond
from assay.diagnose.spec import Search, Suspicion
from assay.errors import InputError
from assay.evidence import Evidence
from assay.tables.predicate import Mask, Predicate

CODE = "AS304"
FEWEST = 20
MOST = 10
TOO_SURE, TOO_UNSURE = (f"the model is {more} than it is right" for more in ("surer", "less sure"))
SCORE = 2.0


@dataclass(frozen=True)
class SliceCalibrationDetector:
    """Finds single conditions on whose rows stated confidence and what came true part.

    What is off on all rows alike is told once, by AS301: here a slice's answers are held to what
    the other rows came true at, where the model was as sure of them.
    """

    name: str = "calibration by slice"
    both_ways: bool = True
    codes: Mapping[str, str] = field(
        default_factory=lambda: {CODE: "a slice whose probabilities are off more than elsewhere"}
    )

    def detect(self, part: Case) -> Search:
        """Return the conditions that the discovery part suggests, the surest first."""
        what = "single conditions, against rows that the model is as sure of"
        if part.probabilities is None:
            return Search(0, what, skipped="the predictions hold no probabilities")
        if part.n < 2 * FEWEST:
            return Search(0, what, skipped=f"{part.n} rows to look at are too few")
        pool = [each for each in atoms(part, fewest=FEWEST) if each.mask.sum() <= part.n / 2]
        found = tuple(_suspicion(atom, side) for atom, side in _suspected(part, pool))
        return Search(len(pool), what, found, left_aside(no_atoms(part, fewest=FEWEST)))

    def again(
        self, case: Case, code: str, about: Sequence[str], predicate: Predicate | None
    ) -> Evidence | None:
        """Return the gap of the slice that a frozen finding is about."""
        if case.probabilities is None:
            raise InputError("A frozen finding is about probabilities; the predictions hold none.")
        if predicate is None:
            return None
        side = -1.0 if about[0].startswith(TOO_UNSURE) else 1.0
        return _tested(case, predicate.select(case.rows), side, confidence_gap(case))


def _suspected(part: Case, pool: Sequence[Atom]) -> list[tuple[Atom, float]]:
    """Return at most ten conditions that differ, with 1 where too sure, -1 where not enough."""
    gap = confidence_gap(part)
    sure = part.stated.max(axis=1)
    wrong = gap - sure + 1
    chance = Line.of(sure, wrong).chances(sure)
    beyond, spread = wrong - chance, chance * (1 - chance)
    ranked: list[tuple[float, int, Atom, float]] = []
    for atom in pool:
        score = beyond[atom.mask].sum() / max(1e-9, spread[atom.mask].sum()) ** 0.5
        side = 1.0 if score > 0 else -1.0
        if abs(score) >= SCORE and side * (gap[atom.mask].mean() - gap[~atom.mask].mean()) >= LEAST:
            ranked.append((-abs(float(score)), len(ranked), atom, side))
    kept: list[tuple[Atom, float]] = []
    for _, _, atom, side in sorted(ranked, key=lambda each: each[:2]):
        if len(kept) < MOST and not known(atom.mask, [each.mask for each, _ in kept]):
            kept.append((atom, side))
    return kept


def _suspicion(atom: Atom, side: float) -> Suspicion:
    predicate = Predicate((atom.condition,))

    def select(case: Case) -> Mask:
        return predicate.select(case.rows)

    told = TOO_SURE if side > 0 else TOO_UNSURE
    return Suspicion(
        code=CODE,
        title=f"{told} where {predicate.words}",
        cause="its probabilities were scaled on all rows at once, or never",
        confirm=lambda unseen: _tested(unseen, select(unseen), side, confidence_gap(unseen)),
        select=select,
        predicate=predicate,
        remedies=REMEDIES,
        judged=False,
    )


def _tested(case: Case, inside: Mask, side: float, gap: Floats) -> Evidence | None:
    """Return the slice's gap beyond that of the other rows.

    With groups or weights the t-test, which is robust to both, has to say so too.
    """
    name = "gap of stated and observed, beyond that of the other rows"
    fact = excess_loss(replace(case, losses=side * gap), inside, name=name)
    if fact is None or fact.p_value is None:
        return None
    sure = case.stated.max(axis=1)
    p_value = wrong_beyond(sure, np.round(gap - sure + 1), inside, side=side)
    method = (
        "wrong answers against those of other rows that the model is as sure of (isotonic "
        "regression, beta-binomial tail)"
    )
    if case.groups is not None or case.weights is not None:
        method, p_value = f"{method}; and {fact.method}", max(p_value, fact.p_value)
    return replace(fact, method=f"{method}; interval by a t-test", p_value=p_value)
