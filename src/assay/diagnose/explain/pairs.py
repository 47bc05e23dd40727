"""Contrast rows: rows changed to have, and to lack, what a hypothesis names, put to the model."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cache
from itertools import product
from typing import Any

import numpy as np
import polars as pl

from assay.diagnose.answers import Ask
from assay.diagnose.case import Case, Floats
from assay.diagnose.losses import losses_of
from assay.evidence import Evidence, Interval
from assay.evidence.clt import FEWEST_OF_TWO

MOST = 12
"""Rows that are offered to be changed; 4,096 ways to turn the signs of their differences."""
LEVEL = 0.95
METHOD = (
    "exact tests of turned signs (Fisher 1935) of rows with it and of rows as they are, each "
    "against the same rows without it: the larger p-value"
)
AS_IS, WITH = "p_as_it_is", "p_with_it"
"""What the two p-values are called among an effect's details."""

Cells = Mapping[str, Any]


@dataclass(frozen=True)
class Pair:
    """Two ways to change one row, whose truth stays what it is.

    Attributes
    ----------
    place
        Of the row, in the half that the finding was confirmed on.
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
    """Return how much more rows cost with what a hypothesis names than without it.

    The rows that are changed are a finding's, of the half that it was confirmed on, drawn without
    regard to how the model fares on each. Two things must hold. Rows with it cost more than the
    same without: it is what the model fails on. So do the rows as they are: the finding's rows
    have it, and to take it away mends them. A hypothesis that is wrong about either loses as often
    one way as the other, so each p-value is the share of all ways to turn the signs of the
    differences that give as high a mean (Fisher 1935), and the larger is at most the level no
    oftener than the level says (intersection-union, Berger 1982). The interval is Student's; one
    pair without a difference is added for it, so that few pairs that are all alike do not look
    certain.

    What is made proves how the model answers such rows, not that rows of this kind occur.

    Returns
    -------
    Evidence, array
        The effect, and (n, 3) losses with it, without it, and of the row as it is.
    """
    from scipy import stats

    places = [each.place for each in pairs]
    as_is: tuple[Cells, ...] = ({},) * len(pairs)
    made = [*zip(*(each.both for each in pairs), strict=True), as_is]
    costs = np.column_stack([
        losses_of(part.task, part.truth[places], ask(changed(part, places, cells)))
        for cells in made
    ])  # fmt: skip
    with_it, without_it, known = costs.T
    gaps = with_it - without_it
    shares = {WITH: _turned(gaps), AS_IS: _turned(known - without_it)}
    padded = np.append(gaps, 0.0)
    reach = stats.t.ppf((1 + LEVEL) / 2, len(gaps)) * padded.std(ddof=1) / len(padded) ** 0.5
    interval = Interval(float(padded.mean() - reach), float(padded.mean() + reach), LEVEL)
    means = {"loss_with": with_it, "loss_without": without_it, "loss_as_it_is": known}
    return Evidence(
        name="loss of the finding's rows with what it names, less loss of the same rows without",
        estimate=float(gaps.mean()), interval=interval, n=len(gaps), method=METHOD,
        p_value=max(shares.values()),
        details={name: float(each.mean()) for name, each in means.items()} | shares,
    ), costs  # fmt: skip


def _turned(gaps: Floats) -> float:
    """Return the share of all ways to turn the signs of (n,) gaps that give as high a mean."""
    return float((_signs(len(gaps)) @ gaps >= gaps.sum() - 1e-9).mean())


@cache
def _signs(count: int) -> Floats:
    """Return (2 ** count, count) every way to give so many numbers a sign."""
    return np.array(list(product((1.0, -1.0), repeat=count)))


def usable(pairs: Sequence[Pair], part: Case) -> tuple[Pair, ...]:
    """Return the pairs that can be put to the model, the first for each row; none if too few."""
    found: dict[int, Pair] = {}
    for each in pairs:
        if each.place not in found and each.fits(part):
            found[each.place] = each
    return tuple(found.values()) if len(found) >= FEWEST_OF_TWO else ()
