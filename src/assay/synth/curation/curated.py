"""Rows made in abundance without a model, of which the ones that pass every filter are taken."""

from __future__ import annotations

from collections.abc import Sequence

import polars as pl

from assay.seeds import derive_seed
from assay.synth.constraints import Constraint, mine_constraints, read_stated
from assay.synth.curation.copies import NoCopies
from assay.synth.curation.harmful import Harmless
from assay.synth.curation.labels import ConsistentLabels
from assay.synth.curation.learnable import Learnable
from assay.synth.curation.sifting import sift_all
from assay.synth.curation.wellformed import WellFormed
from assay.synth.spec import Filter, Order
from assay.synth.tabular import TabularMethod, made_rows
from assay.task import Task

ABUNDANCE = 2
"""Rows made for each row wanted."""


def curated_rows(
    rows: pl.DataFrame,
    task: Task,
    *,
    method: TabularMethod,
    class_name: str | None,
    count: int,
    seed: int,
    constraints: str = "",
) -> pl.DataFrame:
    """Return at most ``count`` rows that pass every filter; parameters as in ``made_rows``.

    ``constraints`` is the text of a ``constraints.toml``; where it is empty they are mined.

    Constraints are mined from ``rows`` and models of the filters are taught on them: in a fold of
    a cross-validation nothing is learned from the rows that are judged.
    """
    order = Order(task, rows, class_name, count, derive_seed(seed, "curated"))
    made = made_rows(
        rows, task, method=method, class_name=class_name, count=ABUNDANCE * count, seed=seed
    )
    filters = filters_for(rows, task, method, read_stated(constraints))
    return sift_all(made, order, filters)[0].head(count)


def filters_for(
    rows: pl.DataFrame, task: Task, method: str, constraints: Sequence[Constraint] | None = None
) -> Sequence[Filter]:
    """Return every filter that sifts rows made by ``method``, the cheapest first.

    Constraints that are None are mined from ``rows``. Copies are what ``oversample`` makes, so only
    its schema is checked; a counterfactual nearly copies the row that it changes.
    """
    if constraints is None:
        constraints = mined(rows, task)
    schema = WellFormed(constraints)
    if method == "oversample":
        return (schema,)
    copies = NoCopies(changes=method == "counterfactual")
    return (schema, copies, Harmless(), ConsistentLabels(), Learnable())


def mined(rows: pl.DataFrame, task: Task) -> tuple[Constraint, ...]:
    """Return what holds in every row; of a text only the columns beside it are looked at."""
    return mine_constraints(rows, task.inputs if task.text is None else task.features)
