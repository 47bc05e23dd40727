"""What a method gives away and what it is worth, on rows that it has not seen."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace

import polars as pl

from assay.errors import AssayError
from assay.recipe import Recipe, Tools
from assay.seeds import derive_seed
from assay.synth.measure.utility import Utility, measure_utility
from assay.synth.privacy import PrivacyReport, measure_privacy
from assay.synth.privacy.canaries import Canaries, repeated
from assay.synth.spec import Order, own_rows, rows_read
from assay.tables import half_of, row_units

FEWEST = 20
"""Rows of the class in either half; fewer say nothing about an attack."""


@dataclass(frozen=True)
class Halves:
    """A method rehearsed: rows made from half of the search rows, judged by the other half."""

    privacy: PrivacyReport
    utility: Utility


def rehearse(
    order: Order,
    make: Callable[[Order], pl.DataFrame],
    recipe: Recipe,
    tools: Tools,
    *,
    planted: Callable[[Order], tuple[pl.DataFrame, Canaries]] | None = None,
) -> Halves | None:
    """Make rows from one half; attack them, and judge them, with the other.

    The released rows are made from all search rows, so that no row is left that could serve as
    their control; the same method on half of the rows stands in. Groups and copies stay together.

    Parameters
    ----------
    planted
        Puts made-up secrets into the rows that a writer will be shown.

    Returns
    -------
    Halves or None
        None where a half holds fewer than 20 rows of the class, or no row could be made.
    """
    first = half_of(row_units(order.rows, order.task), derive_seed(order.seed, "first half"))
    seen, unseen = order.rows.filter(first), order.rows.filter(~first)
    own, control = (own_rows(each, order.task, order.class_name) for each in (seen, unseen))
    if min(own.height, control.height) < FEWEST:
        return None
    half, canaries = replace(order, rows=seen, count=max(order.count // 2, FEWEST)), None
    if planted is not None:
        rows, canaries = planted(half)
        half = replace(half, rows=rows)
    try:
        made = make(half)
    except AssayError:
        return None
    if made.is_empty():
        return None
    seed = derive_seed(order.seed, "halves")
    read, target = rows_read(made, half), order.task.target
    if order.class_name is not None:
        control = unseen.join(read.select(target).unique(), on=target, how="semi")
    privacy = measure_privacy(made, read, order.task, control=control, seed=seed)
    if canaries is not None:
        told = repeated(made, canaries, order.task)
        privacy = replace(privacy, attacks=(*privacy.attacks, told))
    return Halves(
        privacy,
        measure_utility(made, seen, unseen, recipe, order.task, tools=tools, seed=seed),
    )
