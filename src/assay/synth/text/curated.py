"""Texts made in abundance without a model, of which those that pass every filter are taken."""

from __future__ import annotations

from collections.abc import Sequence

import polars as pl

from assay.seeds import derive_seed
from assay.synth.constraints import mine_constraints
from assay.synth.curation import (
    ConsistentLabels,
    Harmless,
    Learnable,
    NoCopies,
    WellFormed,
    sift_all,
)
from assay.synth.spec import Filter, Order
from assay.synth.text.editing import TextMethod, made_texts
from assay.task import Task

ABUNDANCE = 2
"""Texts made for each text wanted."""


def curated_texts(
    rows: pl.DataFrame,
    task: Task,
    *,
    method: TextMethod,
    class_name: str | None,
    count: int,
    seed: int,
) -> pl.DataFrame:
    """Return at most ``count`` texts that pass every filter; parameters as in ``made_texts``.

    The filters learn from ``rows`` alone: in a fold of a cross-validation nothing is learned from
    the rows that are judged.
    """
    order = Order(task, rows, class_name, count, derive_seed(seed, "curated"))
    made = made_texts(
        rows, task, method=method, class_name=class_name, count=ABUNDANCE * count, seed=seed
    )
    return sift_all(made, order, filters_for(rows, task))[0].head(count)


def filters_for(rows: pl.DataFrame, task: Task) -> Sequence[Filter]:
    """Return every filter that sifts rows of ``task``, the cheapest first."""
    columns = task.inputs if task.text is None else task.features
    return (
        WellFormed(mine_constraints(rows, columns)),
        NoCopies(),
        Harmless(),
        ConsistentLabels(),
        Learnable(),
    )
