"""Time that was not minded: training from the future, and columns of time that nobody named."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field, replace
from typing import Any

import numpy as np
import polars as pl

from assay.diagnose.case import Case, Floats
from assay.diagnose.commonest import commonest_classes, left_aside
from assay.diagnose.excess import excess_loss
from assay.diagnose.means import mean_above
from assay.diagnose.spec import Remedy, Search, Suspicion
from assay.errors import InputError
from assay.evidence import Evidence
from assay.tables import with_times
from assay.tables.predicate import Mask

AHEAD, LABELS, ERRORS = "AS405", "AS406", "AS407"
TOLERATED = 0.01
"""Share of training rows that may be later than a judged row, and of judged rows with more."""
FEWEST = 50
CUTS = (0.25, 0.5, 0.75)
LEVEL = 0.05
"""One-sided level at which the discovery part suggests that something depends on time."""
LEAST = 0.05
"""Difference in a class's share, or in deviations of a number, from which it is suspected."""
MOST_CLASSES = 20
NAMED = re.compile(r"(^|[ _.-])(year|date|timestamp|epoch)$", re.IGNORECASE)
"""Names by which a column of numbers is a time."""


@dataclass(frozen=True)
class TimeDetector:
    """Asks whether training knew the future, or whether it matters that rows were mixed in time.

    Where the task names its time and the training rows are known, no judged row may have training
    rows after it. Where it names none, each column of dates is cut in two, and labels and errors
    before the cut are compared with those after it: where they differ, a split by rows measures
    something else than later rows will.
    """

    name: str = "time"
    codes: Mapping[str, str] = field(
        default_factory=lambda: {
            AHEAD: "training rows that are later than judged ones",
            LABELS: "labels that depend on a column of time that is not named",
            ERRORS: "errors that depend on a column of time that is not named",
        }
    )

    def detect(self, part: Case) -> Search:
        """Return what the order in time suggests on the discovery part."""
        if part.task.time is not None:
            return _ahead(part, part.task.time)
        what = "labels and errors before and after cuts in each column of time"
        columns = [
            name
            for name in part.columns
            if name != part.task.text and _times(part.rows[name]) is not None
        ]
        if not columns:
            return Search(0, what, skipped="no column of dates, and none is named as time")
        if part.n < FEWEST:
            return Search(0, what, skipped=f"{part.n} rows to look at are too few")
        names, aside = commonest_classes(part, MOST_CLASSES)
        kinds = list(_kinds(part, names))
        every = [_Split(column, kind, name) for column in columns for kind, name in kinds]
        looked = len(every) * len(CUTS)
        return Search(looked, what, tuple(_suspicions(part, every)), left_aside(aside))


def _ahead(part: Case, time: str) -> Search:
    what = "training rows later than judged rows"
    training = part.training
    if training is None:
        return Search(0, what, skipped="the training rows are not known")
    if time not in training.columns:
        return Search(0, what, skipped=f"the training rows have no column {time!r}")
    try:
        known = training[time].drop_nulls().cast(part.rows[time].dtype).sort()
    except pl.exceptions.PolarsError:
        return Search(0, what, skipped=f"{time!r} is of another kind in the training rows")
    last = known.gather(max(0, int((1 - TOLERATED) * known.len()) - 1)) if known.len() else known

    def seen_ahead(case: Case) -> Mask:
        if not last.len():
            return np.zeros(case.n, dtype=np.bool_)
        ahead: Mask = (case.rows[time] < last[0]).fill_null(False).to_numpy()
        return ahead

    def confirm(unseen: Case) -> Evidence | None:
        found = seen_ahead(unseen).astype(np.float64)
        told = "share of rows that more than one training row in a hundred is later than"
        return mean_above(unseen, found, name=told, bar=TOLERATED)

    if seen_ahead(part).mean() <= TOLERATED:
        return Search(part.n, what)
    suspicion = Suspicion(
        code=AHEAD,
        title=f"training rows are later than judged rows, by {time!r}",
        cause="the rows were split without regard to time, so that the model knew the future",
        confirm=confirm,
        select=seen_ahead,
        remedies=(Remedy("split by time", "train on what came before, and measure again"),),
        judged=False,
    )
    return Search(part.n, what, (suspicion,))


@dataclass(frozen=True)
class _Split:
    """A column of time, and what is compared before and after a cut in it.

    ``name`` is the class whose share is compared; None for a regression's values or the losses.
    """

    column: str
    code: str
    name: str | None

    @property
    def words(self) -> str:
        """What differs."""
        if self.code == ERRORS:
            return "mean loss"
        return "mean of the target, in deviations" if self.name is None else f"share {self.name!r}"

    def compared(self, case: Case, cut: float, side: float) -> tuple[Case, Mask]:
        """Return the rows with a time, valued by what is compared, and which lie on the side."""
        times = _times(case.rows[self.column])
        if times is None:  # no row of this part has one
            times = np.full(case.n, np.nan)
        known = np.flatnonzero(np.isfinite(times))
        if self.code == ERRORS:
            return case.take(known), (times > cut if side > 0 else times <= cut)[known]
        values = self._values(case)
        turned = values if side > 0 else values.max(initial=0.0) - values
        return replace(case, losses=turned).take(known), (times > cut)[known]

    def _values(self, case: Case) -> Floats:
        if self.name is not None:
            return np.asarray(case.truth == self.name, dtype=np.float64)
        return np.asarray(case.truth / max(float(np.std(case.truth)), 1e-12), dtype=np.float64)

    def tested(self, case: Case, cut: float, side: float) -> Evidence | None:
        """Return how much more there is on the side than on the other."""
        changed, mask = self.compared(case, cut, side)
        first, second = ("later", "earlier") if side > 0 else ("earlier", "later")
        return excess_loss(changed, mask, name=f"{self.words} of {first} rows less {second} ones'")


def _kinds(part: Case, names: tuple[str, ...]) -> Iterator[tuple[str, str | None]]:
    yield ERRORS, None
    if part.task.kind == "regression":
        yield LABELS, None
    for name in names:
        yield LABELS, name


def _suspicions(part: Case, every: list[_Split]) -> Iterator[Suspicion]:
    """Yield for each column and code what differs most, where it differs at all."""
    best: dict[tuple[str, str], tuple[float, _Split, float, float]] = {}
    for each in every:
        times = _times(part.rows[each.column])
        for cut in np.unique(np.quantile(times[np.isfinite(times)], CUTS)):
            for side in (1.0, -1.0):
                fact = each.tested(part, float(cut), side)
                if fact is None or fact.p_value is None or fact.p_value > LEVEL:
                    continue
                key = (each.column, each.code)
                found = (fact.p_value, each, float(cut), side)
                if fact.estimate >= (LEAST if each.code == LABELS else 0.0):
                    best[key] = min(best.get(key, found), found, key=lambda one: one[0])
    for _, each, cut, side in best.values():
        yield _suspicion(part, each, cut, side)


def _suspicion(part: Case, split: _Split, cut: float, side: float) -> Suspicion:
    def select(case: Case) -> Mask:
        times = _times(case.rows[split.column])
        mask: Mask = times > cut if side > 0 else times <= cut
        return mask

    more = "higher" if side > 0 else "lower"
    when = f"after {_shown(part.rows[split.column], cut)} by {split.column!r}"
    return Suspicion(
        code=split.code,
        title=f"{split.words} is {more} {when}, which is not named as time",
        cause="things changed with time, and rows of all times are mixed in training and judging",
        confirm=lambda unseen: split.tested(unseen, cut, side),
        select=select if split.code == ERRORS else None,
        remedies=(
            Remedy(
                "split by time",
                f"name {split.column!r} as time (--time), and measure again",
                split.column,
            ),
            Remedy("collect", "collect or label rows of late"),
        ),
        judged=split.code == ERRORS,
    )


def _times(column: pl.Series) -> Any:
    """Return (n,) times as numbers, NaN where there is none; None where it is no column of time."""
    if column.dtype == pl.String:
        try:
            column = with_times(column.to_frame(), column.name)[column.name]
        except InputError:
            return None
    dated = column.dtype == pl.Date or isinstance(column.dtype, pl.Datetime)
    if not dated and not (column.dtype.is_numeric() and NAMED.search(column.name)):
        return None
    numbers = column.cast(pl.Float64).fill_null(float("nan")).to_numpy()
    return numbers if np.isfinite(numbers).any() else None


def _shown(column: pl.Series, cut: float) -> str:
    """Return the latest time up to the cut, as it stands in the column."""
    times = _times(column)
    return str(column[int(np.argmax(np.where(times <= cut, times, -np.inf)))])
