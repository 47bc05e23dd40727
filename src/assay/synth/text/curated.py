"""Texts made in abundance without a model, of which those that pass every filter are taken."""

from __future__ import annotations

import polars as pl

from assay.seeds import derive_seed
from assay.synth.constraints import read_stated
from assay.synth.curation import sift_all
from assay.synth.curation.curated import ABUNDANCE, filters_for
from assay.synth.spec import Order
from assay.synth.text.editing import TextMethod, made_texts
from assay.task import Task


def curated_texts(
    rows: pl.DataFrame,
    task: Task,
    *,
    method: TextMethod,
    class_name: str | None,
    count: int,
    seed: int,
    constraints: str = "",
) -> pl.DataFrame:
    """Return at most ``count`` texts that pass every filter; parameters as in ``made_texts``.

    The filters learn from ``rows`` alone: in a fold of a cross-validation nothing is learned from
    the rows that are judged.
    """
    order = Order(task, rows, class_name, count, derive_seed(seed, "curated"))
    made = made_texts(
        rows, task, method=method, class_name=class_name, count=ABUNDANCE * count, seed=seed
    )
    filters = filters_for(rows, task, method, read_stated(constraints))
    return sift_all(made, order, filters)[0].head(count)
