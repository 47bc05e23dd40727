"""Rows that read the same and are labelled differently: no model can be right on all of them."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, replace

import numpy as np
import polars as pl

from assay.diagnose.case import Case
from assay.diagnose.means import mean_above
from assay.diagnose.spec import Remedy, Search, Suspicion
from assay.evidence import Evidence
from assay.tables import copies_matter, read_alike
from assay.tables.predicate import Mask

CODE = "AS203"
TOLERATED = 0.01
"""Share of the rows that every model has to get wrong before it is told."""
TINY = 1e-9
SET, TRUE = "assay:set", "assay:true"


@dataclass(frozen=True)
class ContradictionDetector:
    """Counts the rows that any model of these inputs gets wrong, as copies have another label.

    Of rows with the same inputs (texts but for letter case, marks and spaces) a model can be right
    on those of one label only; the others are a floor under its error. The floor is, if anything,
    too low: the commonest label fits a small set by chance, and texts that are not copies to the
    letter may fall into different halves.
    """

    name: str = "contradictions"
    codes: Mapping[str, str] = field(
        default_factory=lambda: {CODE: "rows that read the same and are labelled differently"}
    )

    def detect(self, part: Case) -> Search:
        """Return one suspicion where copies within the discovery part contradict each other."""
        what = "rows with the same inputs, by their labels"
        if part.task.kind == "regression":
            return Search(0, what, skipped="a regression has no classes")
        if not part.task.inputs or set(part.task.inputs) - set(part.rows.columns):
            return Search(0, what, skipped="the rows do not hold what the model reads")
        if part.n and not copies_matter(part.rows, part.task):
            return Search(0, what, skipped="columns of few values make most rows alike by nature")
        sets = _sets(part)
        copied = int((sets["rows"] > 1).sum())
        if not copied:
            return Search(0, what, skipped="no two rows have the same inputs")
        floor = float(_outvoted(sets).mean())
        if float((part.predictions != part.truth).mean()) < floor - TINY:
            return Search(
                copied, what, skipped="the model knows more than the inputs: it errs less"
            )
        if floor <= TOLERATED:
            return Search(copied, what)
        suspicion = Suspicion(
            code=CODE,
            title="rows that read the same are labelled differently",
            cause="labels slipped (see AS201), or the inputs do not hold what decides (see AS202)",
            confirm=_confirm,
            select=contradicted,
            remedies=(
                Remedy("relabel", "look at each set of copies, and give it one label"),
                Remedy("deduplicate", "keep one row of each set, under the commonest label"),
                Remedy("feature", "add what people look at to tell them apart"),
            ),
            judged=False,
        )
        return Search(copied, what, (suspicion,))


def contradicted(case: Case) -> Mask:
    """Return (n,) which rows have a copy of another class."""
    mask: Mask = (_sets(case)["labels"] > 1).to_numpy()
    return mask


def _confirm(unseen: Case) -> Evidence | None:
    sets = _sets(unseen)
    if unseen.groups is None:  # copies stand and fall together
        task = unseen.task.model_copy(update={"group": SET})
        unseen = replace(unseen, rows=unseen.rows.with_columns(sets[SET]), task=task)
    outvoted = _outvoted(sets)
    return mean_above(
        unseen, outvoted, name="share of rows that any model of these inputs gets wrong",
        bar=TOLERATED,
    )  # fmt: skip


def _outvoted(sets: pl.DataFrame) -> np.ndarray:
    """Return (n,) of each row the share of its set that is not of its set's commonest label."""
    return (1 - sets["commonest"] / sets["rows"]).to_numpy()


def _sets(case: Case) -> pl.DataFrame:
    """Return for each row the number of its set of copies, and how many rows and labels it has."""
    truth = pl.Series(TRUE, case.truth.tolist(), dtype=pl.String)
    numbered = case.rows.select(read_alike(case.task).alias(SET)).with_columns(truth)
    alike = numbered.with_columns(pl.len().over(SET, TRUE).alias("alike"))
    return alike.with_columns(
        pl.len().over(SET).alias("rows"),
        pl.col(TRUE).n_unique().over(SET).alias("labels"),
        pl.col("alike").max().over(SET).alias("commonest"),
    )
