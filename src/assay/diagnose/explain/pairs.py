"""Contrast rows: rows changed to have, and to lack, what a hypothesis names, put to the model."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from itertools import product
from typing import Any

import numpy as np
import polars as pl

from assay.diagnose.case import Case, Floats
from assay.diagnose.losses import losses_of
from assay.diagnose.models import Ask
from assay.evidence import Evidence, Interval
from assay.evidence.clt import FEWEST_OF_TWO

MOST = 12
"""Rows that are offered to be changed; 4,096 ways to turn the signs of their differences."""
LEVEL = 0.95
METHOD = "exact test of turned signs (Fisher 1935) over pairs of made rows"

Cells = Mapping[str, Any]


@dataclass(frozen=True)
class Pair:
    """Two ways to change one row, whose truth stays what it is.

    Attributes
    ----------
    place
        Of the row, in the half that was searched.
    with_it, without_it
        Column to its new value: so that the row has what the hypothesis names, and lacks it.
    """

    place: int
    with_it: Cells
    without_it: Cells

    def fits(self, part: Case) -> bool:
        """Return whether both are rows of these columns, and the model may tell them apart."""
        try:
            one, other = (changed(part, [self.place], [each]) for each in self.both)
        except (pl.exceptions.PolarsError, TypeError, ValueError, OverflowError):
            return False
        read = [name for name in part.task.inputs if name in part.rows.columns]
        return not one.select(read).equals(other.select(read))

    @property
    def both(self) -> tuple[Cells, Cells]:
        """The row with it, and without."""
        return self.with_it, self.without_it


def changed(part: Case, places: Sequence[int], cells: Sequence[Cells]) -> pl.DataFrame:
    """Return the rows at these places with new values, each of its column's type."""
    rows = part.rows[list(places)]
    for name in {name for each in cells for name in each}:
        kind, old = rows.schema[name], rows[name].to_list()
        new = [
            _cell(each[name], kind) if name in each else value
            for each, value in zip(cells, old, strict=True)
        ]
        rows = rows.with_columns(pl.Series(name, new, kind))
    return rows


def _cell(value: Any, kind: pl.DataType) -> Any:
    """Return a value as its column holds it; raise where it is none of its type."""
    told = pl.Series([value])
    if isinstance(value, str) and kind.is_temporal():
        told = told.str.to_datetime()
    return told.cast(kind)[0]


def contrasted(pairs: Sequence[Pair], part: Case, ask: Ask) -> tuple[Evidence, Floats]:
    """Return how much more rows cost with what a hypothesis names, and (n, 2) losses of pairs.

    The rows that are changed were drawn without regard to how the model fares on them, so pairs
    that a hypothesis is wrong about lose as often one way as the other: the p-value is the share
    of all ways to turn the signs of their differences that give as high a mean (Fisher 1935). The
    interval is Student's; one pair without a difference is added for it, so that few pairs that
    are all alike do not look certain.

    What is made proves how the model answers such rows, not that rows of this kind occur.
    """
    from scipy import stats

    places = [each.place for each in pairs]
    costs = np.column_stack([
        losses_of(part.task, part.truth[places], ask(changed(part, places, cells)))
        for cells in zip(*(each.both for each in pairs), strict=True)
    ])  # fmt: skip
    gaps = costs[:, 0] - costs[:, 1]
    signs = np.array(list(product((1.0, -1.0), repeat=len(gaps))))
    p_value = float((signs @ gaps >= gaps.sum() - 1e-9).mean())
    padded = np.append(gaps, 0.0)
    reach = stats.t.ppf((1 + LEVEL) / 2, len(gaps)) * padded.std(ddof=1) / len(padded) ** 0.5
    interval = Interval(float(padded.mean() - reach), float(padded.mean() + reach), LEVEL)
    return Evidence(
        name="loss of made rows with what it names, less that of the same rows without",
        estimate=float(gaps.mean()), interval=interval, n=len(gaps), method=METHOD,
        p_value=p_value,
        details={"loss_with": float(costs[:, 0].mean()), "loss_without": float(costs[:, 1].mean())},
    ), costs  # fmt: skip


def usable(pairs: Sequence[Pair], part: Case) -> tuple[Pair, ...]:
    """Return the pairs that can be put to the model, the first for each row; none if too few."""
    found: dict[int, Pair] = {}
    for each in pairs:
        if each.place not in found and each.fits(part):
            found[each.place] = each
    return tuple(found.values()) if len(found) >= FEWEST_OF_TWO else ()
