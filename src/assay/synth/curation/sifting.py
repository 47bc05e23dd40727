"""Filters one after another, each counted."""

from __future__ import annotations

from collections.abc import Sequence

import polars as pl

from assay.synth.spec import WHY, Counted, Filter, Order


def sift_all(
    made: pl.DataFrame, order: Order, filters: Sequence[Filter]
) -> tuple[pl.DataFrame, tuple[Counted, ...]]:
    """Return what passes every filter in turn, and what each of them dropped for which reason."""
    counted = []
    for each in filters:
        result = each.sift(made, order)
        why = dict(result.dropped[WHY].value_counts(sort=True).rows())
        counted.append(Counted(each.name, made.height, result.kept.height, why))
        made = result.kept
    return made, tuple(counted)
