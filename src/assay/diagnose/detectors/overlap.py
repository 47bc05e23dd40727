"""Judged rows, or their groups, that the model was taught on: their score flatters."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field

import numpy as np
import polars as pl
import polars.selectors as cs

from assay.diagnose.case import Case
from assay.diagnose.means import mean_above
from assay.diagnose.spec import Remedy, Search, Suspicion
from assay.evidence import Evidence
from assay.evidence.overlap import near_copies
from assay.tables import copies_matter
from assay.tables.counts import value_counts
from assay.tables.predicate import Mask

COPIES, GROUPS = "AS402", "AS403"
TOLERATED = 0.01
"""Share of rows that may be known from training."""
SIMILARITY = 0.9
MOST_TEXTS = 20_000
"""More texts are searched for exact copies alone."""


@dataclass(frozen=True)
class OverlapDetector:
    """Looks for judged rows among the training rows: copies, near copies of texts, groups."""

    name: str = "overlap"
    codes: Mapping[str, str] = field(
        default_factory=lambda: {
            COPIES: "judged rows that copy training rows",
            GROUPS: "judged rows of groups that training held",
        }
    )

    def detect(self, part: Case) -> Search:
        """Return what the judged rows of the discovery part share with training."""
        what = "copies and groups of the training rows among the judged ones"
        training = part.training
        if training is None:
            return Search(0, what, skipped="the training rows are not known")
        kinds = _kinds(part, training)
        if not kinds:
            return Search(0, what, skipped="training and judged rows share no input")
        skipped = ""
        if COPIES in kinds and _alike_by_nature(part, training):
            del kinds[COPIES]
            skipped = "columns of few values make most rows alike by nature, so copies do not tell"
        suspicions = tuple(
            _suspicion(code, known)
            for code, known in kinds.items()
            if known(part).mean() > TOLERATED
        )
        return Search(len(kinds), what, suspicions, skipped)


def _kinds(part: Case, training: pl.DataFrame) -> dict[str, Callable[[Case], Mask]]:
    found: dict[str, Callable[[Case], Mask]] = {}
    inputs = part.task.inputs
    if inputs and set(inputs) <= set(training.columns) & set(part.rows.columns):
        found[COPIES] = lambda case: _copies(case, training)
    group = part.task.group
    if group is not None and group in training.columns and group in part.rows.columns:
        held = training[group].cast(pl.String).unique().drop_nulls()
        found[GROUPS] = lambda case: (
            case.rows[group].cast(pl.String).is_in(held.implode()).fill_null(False).to_numpy()
        )
    return found


def _alike_by_nature(part: Case, training: pl.DataFrame) -> bool:
    """Return whether rows that nobody copied read alike too, as columns hold few values.

    Most rows do, among the training rows or among the judged ones; or columns that have nothing to
    do with each other would make more of them alike than are tolerated.
    """
    task = part.task
    if task.text is not None:
        return False
    if not all(copies_matter(rows, task) for rows in (training, part.rows)):
        return True
    pairs = [_alike_pairs(training[name]) for name in task.inputs]
    return training.height * float(np.prod(pairs)) > TOLERATED


def _alike_pairs(values: pl.Series) -> float:
    """Return the share of pairs of rows that have the same value."""
    counts = value_counts(values)["count"].cast(pl.Float64)
    return float((counts * (counts - 1)).sum()) / max(1, values.len() * (values.len() - 1))


def _copies(case: Case, training: pl.DataFrame) -> Mask:
    """Return (n,) which rows have the inputs of a training row, or nearly its text."""
    text = case.task.text
    if text is not None and max(case.n, training.height) <= MOST_TEXTS:
        ids = near_copies(training, case.rows, case.task, SIMILARITY)
        copied: Mask = case.rows["row_id"].is_in(ids.implode()).to_numpy()
        return copied
    columns = list(case.task.inputs)
    known = _as_words(training.select(columns)).unique()
    rows = _as_words(case.rows.select(columns)).with_row_index("place")
    places = rows.join(known, on=columns, how="semi", nulls_equal=True)["place"].to_numpy()
    mask: Mask = np.zeros(case.n, dtype=np.bool_)
    mask[places] = True
    return mask


def _as_words(rows: pl.DataFrame) -> pl.DataFrame:
    """Return rows whose cells compare alike, of whatever type each side read them."""
    return rows.with_columns(cs.duration().cast(pl.Int64)).cast(pl.String)


def _suspicion(code: str, known: Callable[[Case], Mask]) -> Suspicion:
    copies = code == COPIES
    what = "copy training rows" if copies else "belong to groups that training held"

    def confirm(unseen: Case) -> Evidence | None:
        found = known(unseen).astype(np.float64)
        return mean_above(unseen, found, name=f"share of rows that {what}", bar=TOLERATED)

    return Suspicion(
        code=code,
        title=f"judged rows {what}",
        cause="the rows were split without regard to copies"
        if copies
        else "the rows were split without regard to groups",
        confirm=confirm,
        select=known,
        remedies=(
            Remedy("deduplicate", "leave copies of training rows out, and measure again")
            if copies
            else Remedy("split by group", "keep each group on one side, and measure again"),
        ),
        judged=False,
    )
