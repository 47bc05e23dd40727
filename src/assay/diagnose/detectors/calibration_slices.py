"""Values of a column on whose rows the probabilities say more, or less, than they know."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from itertools import pairwise

import numpy as np
import polars as pl

from assay.diagnose.case import Case, Floats
from assay.diagnose.detectors.calibration import LEAST, REMEDIES, confidence_gap
from assay.diagnose.excess import excess_loss
from assay.diagnose.spec import Search, Suspicion
from assay.diagnose.stated import held_to_stated
from assay.evidence import Evidence
from assay.tables.predicate import Condition, Mask, Predicate

CODE = "AS304"
FEWEST = 30
MOST_VALUES = 50
MOST = 10
LEVEL = 0.05


@dataclass(frozen=True)
class SliceCalibrationDetector:
    """Compares, for each value of a column of words, stated confidence with what came true.

    Numbers are cut at their quartiles. What is off on all rows alike is told once, by AS301: here
    a value's gap is measured against that of the other rows.
    """

    name: str = "calibration by slice"
    codes: Mapping[str, str] = field(
        default_factory=lambda: {CODE: "a slice whose probabilities are off more than elsewhere"}
    )

    def detect(self, part: Case) -> Search:
        """Return the values that the discovery part suggests, the surest first."""
        what = "values of columns, and quarters of numbers, against all rows"
        if part.probabilities is None:
            return Search(0, what, skipped="the predictions hold no probabilities")
        gap = confidence_gap(part)
        overall = float(np.average(gap, weights=part.weights))
        found = []
        slices = _slices(part)
        for predicate in slices:
            mask = predicate.select(part.rows)
            if not FEWEST <= mask.sum() <= part.n - FEWEST:
                continue
            side = 1.0 if gap[mask].mean() > overall else -1.0
            fact = _tested(part, mask, side * gap)
            if fact is None or fact.p_value is None or fact.estimate < LEAST:
                continue
            if fact.p_value < LEVEL:
                found.append((fact.p_value, predicate, side))
        found.sort(key=lambda each: each[0])
        kept = tuple(_suspicion(*each[1:]) for each in found[:MOST])
        return Search(len(slices), what, kept)


def _slices(part: Case) -> list[Predicate]:
    found = []
    for name in part.columns:
        values = part.rows[name]
        if name == part.task.text:
            continue
        if values.dtype.is_numeric():
            cuts = {values.cast(pl.Float64).quantile(share) for share in (0.25, 0.5, 0.75)}
            edges = sorted(each for each in cuts if each is not None and np.isfinite(each))
            if edges:
                first = Condition(name, "<=", edges[0])
                inner = [
                    (Condition(name, ">", low), Condition(name, "<=", high))
                    for low, high in pairwise(edges)
                ]
                found += [(first,), *inner, (Condition(name, ">", edges[-1]),)]
        elif values.dtype in (pl.String, pl.Categorical, pl.Enum):
            words = values.drop_nulls().cast(pl.String).value_counts(sort=True)
            found += [(Condition(name, "=", each),) for each in words[:, 0].head(MOST_VALUES)]
    return [Predicate(each) for each in found]


def _suspicion(predicate: Predicate, side: float) -> Suspicion:
    def select(case: Case) -> Mask:
        return predicate.select(case.rows)

    more = "surer" if side > 0 else "less sure"
    return Suspicion(
        code=CODE,
        title=f"the model is {more} than it is right where {predicate.words}",
        cause="its probabilities were scaled on all rows at once, or never",
        confirm=lambda unseen: _tested(unseen, select(unseen), side * confidence_gap(unseen)),
        select=select,
        predicate=predicate,
        remedies=REMEDIES,
        judged=False,
    )


def _tested(case: Case, inside: Mask, gap: Floats) -> Evidence | None:
    """Return the slice's gap beyond that of the other rows."""
    name = "gap of stated and observed, beyond that of the other rows"
    fact = excess_loss(replace(case, losses=gap), inside, name=name)
    if fact is None or fact.p_value is None:
        return None
    return held_to_stated(fact, case.stated.max(axis=1), inside, case.weights)
