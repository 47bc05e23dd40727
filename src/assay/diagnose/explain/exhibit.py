"""What is shown of a finding: rows that fail, beside near-by rows that do not."""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import polars as pl

from assay.diagnose.case import Case
from assay.diagnose.harness import Found
from assay.diagnose.vectors import vectors
from assay.seeds import derive_seed
from assay.tables.counts import value_counts
from assay.tables.predicate import Mask

SHOWN = 8
"""Rows of either kind."""
LONGEST = 300
"""Characters of a cell."""
MOST_COLUMNS = 30
MOST_VALUES = 12
MOST_NEAR = 4_000
"""Rows among which the near-by ones are sought; of more, as many are drawn."""


@dataclass(frozen=True, eq=False)
class Exhibit:
    """Rows of the half that a finding was looked for on; never one that it was confirmed on.

    Attributes
    ----------
    part
        That half.
    mask
        (n,) which rows of it the finding is about.
    failing, right
        Places of rows that are shown: the finding's that fail, and the rows nearest to these
        that do not.
    withheld
        Columns that are not shown.
    """

    part: Case
    mask: Mask
    failing: np.ndarray
    right: np.ndarray
    withheld: Sequence[str] = ()

    @classmethod
    def of(cls, found: Found, withheld: Sequence[str] = ()) -> Exhibit | None:
        """Return what is shown of a finding; None where no row of it fails."""
        select, part = found.suspicion.select, found.part
        if select is None or not found.suspicion.judged:
            return None
        mask = select(part)
        fails = part.losses > part.losses.mean()
        random = np.random.default_rng(derive_seed(part.seed, "diagnose", "exhibit"))
        failing = random.permutation(np.flatnonzero(mask & fails))
        failing = failing[np.argsort(-part.losses[failing], kind="stable")][:SHOWN]
        if not len(failing):
            return None
        others = random.permutation(np.flatnonzero(~fails))[:MOST_NEAR]
        near = _nearest(part, failing, others)
        return cls(part, mask, failing, near, withheld)

    @property
    def columns(self) -> tuple[str, ...]:
        """The columns that are shown."""
        return shown_columns(self.part, self.withheld)

    @property
    def text(self) -> str:
        """Everything that is shown, as JSON: what the columns hold, and the rows."""
        shown: dict[str, Any] = {
            "columns": [described(self.part.rows[name]) for name in self.columns],
            "rows on which the model fails": self._answered(self.failing),
            "like rows on which it does not": self._answered(self.right),
        }
        return json.dumps(shown, ensure_ascii=False)

    def _answered(self, places: np.ndarray) -> list[dict[str, Any]]:
        said = self.part.predictions[places]
        return [
            row | {"(model)": _short(answer)}
            for row, answer in zip(shown_rows(self.part, places, self.columns), said, strict=True)
        ]


def shown_columns(part: Case, withheld: Sequence[str]) -> tuple[str, ...]:
    """Return the columns of rows that a language model is shown."""
    return tuple([name for name in part.columns if name not in withheld][:MOST_COLUMNS])


def shown_rows(part: Case, places: np.ndarray, columns: Sequence[str]) -> list[dict[str, Any]]:
    """Return rows as JSON values, with what is true of them."""
    rows = part.rows[places].select(columns).to_dicts()
    return [
        {name: _short(value) for name, value in row.items()} | {"(truth)": _short(truth)}
        for row, truth in zip(rows, part.truth[places], strict=True)
    ]


def described(column: pl.Series) -> dict[str, Any]:
    """Return a column's name and type, with its quartiles or its most frequent values."""
    found: dict[str, Any] = {"column": column.name, "type": str(column.dtype)}
    if column.dtype.is_numeric():
        numbers = column.cast(pl.Float64)
        cuts = [numbers.quantile(each) for each in (0.0, 0.25, 0.5, 0.75, 1.0)]
        found["quartiles"] = [None if cut is None else float(f"{cut:.4g}") for cut in cuts]
    elif column.n_unique() <= max(MOST_VALUES, column.len() // 20):
        counts = value_counts(column.cast(pl.String).drop_nulls())
        found["values"] = [_short(each) for each in counts[:, 0].head(MOST_VALUES).to_list()]
    if column.null_count():
        found["empty"] = column.null_count()
    return found


def _nearest(part: Case, failing: np.ndarray, others: np.ndarray) -> np.ndarray:
    """Return, for each failing row in turn, the nearest of the others that is not taken yet."""
    if not len(others):
        return others
    places = np.concatenate([failing, others])
    near = vectors(part.take(places))
    here, there = near[: len(failing)], near[len(failing) :]
    gaps = ((here[:, None, :] - there[None, :, :]) ** 2).sum(axis=2)
    chosen: list[int] = []
    for each in gaps:
        row = each.copy()
        row[chosen] = np.inf
        if len(chosen) < len(others):
            chosen.append(int(row.argmin()))
    return others[np.array(chosen, dtype=np.intp)]


def _short(value: object) -> Any:
    if value is None or isinstance(value, bool | int | float):
        return value
    if isinstance(value, np.generic):
        return value.item()
    text = str(value)
    return text if len(text) <= LONGEST else text[: LONGEST - 1] + "…"
