"""Corners of a table that hold fewer rows than their columns, taken one by one, would give."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from itertools import combinations

import numpy as np
import polars as pl

from assay.evidence import benjamini_hochberg
from assay.synth.scarcity import FEWEST
from assay.tables.counts import value_counts
from assay.tables.predicate import Condition, Mask, Predicate
from assay.task import Task

MOST_COLUMNS = 12
LEVELS = 5
"""Of a column of words, the most frequent; a column of numbers is cut into thirds."""

LEAST_EXPECTED = 20
THIN = 1 / 3
"""A corner is thin with less than this of the rows that it would have."""

LEVEL = 0.05


@dataclass(frozen=True)
class Corner:
    """Where rows are lacking.

    Attributes
    ----------
    rows, expected
        How many it has, and how many it would have if its two columns were independent.
    adjusted
        p-value for "no fewer than that" (hypergeometric), after Benjamini and Hochberg's
        correction for all corners that were counted.
    """

    where: Predicate
    rows: int
    expected: float
    adjusted: float


def empty_corners(rows: pl.DataFrame, task: Task) -> list[Corner]:
    """Return the thin corners of two columns that have rows to learn from, the emptiest first.

    Columns that depend on each other leave corners empty that no real row will ever fill; whether
    rows there help is for the gate to say.
    """
    from scipy.stats import hypergeom

    columns = [each for each in task.features if each != task.text][:MOST_COLUMNS]
    sides = {name: list(_sides(rows[name])) for name in columns}
    found = []
    for one, two in combinations(columns, 2):
        for first, inside in sides[one]:
            for second, within in sides[two]:
                expected = inside.sum() * within.sum() / rows.height
                if expected >= LEAST_EXPECTED:
                    held = int((inside & within).sum())
                    p_value = hypergeom.cdf(held, rows.height, inside.sum(), within.sum())
                    where = Predicate((first, second))
                    found.append(Corner(where, held, float(expected), float(p_value)))
    adjusted = benjamini_hochberg([each.adjusted for each in found])
    corners = [
        Corner(each.where, each.rows, each.expected, float(p_value))
        for each, p_value in zip(found, adjusted, strict=True)
    ]
    thin = [
        each
        for each in corners
        if each.adjusted < LEVEL and FEWEST <= each.rows < THIN * each.expected
    ]
    return sorted(thin, key=lambda each: each.rows - each.expected)


def _sides(values: pl.Series) -> Iterator[tuple[Condition, Mask]]:
    """Yield conditions that a part of the column fulfils."""
    name = values.name
    if values.dtype.is_numeric():
        known = values.drop_nulls().to_numpy().astype(np.float64)
        known = known[np.isfinite(known)]
        if len(np.unique(known)) < 3:
            return
        low, high = (float(f"{each:.6g}") for each in np.quantile(known, [1 / 3, 2 / 3]))
        conditions = [Condition(name, "<=", low), Condition(name, ">", high)]
    elif values.dtype in (pl.String, pl.Categorical, pl.Boolean):
        counts = value_counts(values.drop_nulls().cast(pl.String))
        conditions = [Condition(name, "=", each) for each in counts["value"].head(LEVELS).to_list()]
    else:
        return
    frame = values.to_frame()
    for each in conditions:
        yield each, each.select(frame)
