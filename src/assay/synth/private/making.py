"""Rows of a table drawn from noisy counts: what they tell of any one real row is bounded."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
import polars as pl

from assay.errors import InputError
from assay.recipe import MADE_FROM
from assay.seeds import derive_seed
from assay.synth.constraints import read_stated
from assay.synth.curation.wellformed import WellFormed
from assay.synth.private.cells import cut
from assay.synth.private.noise import Noise, SeededNoise
from assay.synth.private.tree import NoisyTree
from assay.synth.spec import MADE_BY, Order, own_rows, synthetic_ids
from assay.task import Task

PRIVATE = "private"
LEVELS, SINGLE, CHOICE, PAIR = 0.1, 0.2, 0.2, 0.5
"""What part of epsilon goes to finding levels, columns alone, choosing pairs, and pairs."""

SPARE = 2
"""Noise gives some rows no target, so more are drawn."""


def private_rows(
    rows: pl.DataFrame,
    task: Task,
    *,
    class_name: str | None,
    count: int,
    seed: int,
    epsilon: float = 1.0,
    delta: float = 1e-6,
    ranges: Mapping[str, Sequence[Any]] | None = None,
    noise: Noise | None = None,
    method: str = PRIVATE,
    constraints: str = "",
) -> pl.DataFrame:
    """Make rows of a table under (epsilon, delta)-differential privacy.

    Two tables that differ by one row of the class give any made table with chances that differ by
    a factor of at most exp(epsilon), but for a chance of delta. The unit is a row: who has several
    rows is protected less. Which columns there are, their types, and the classes are public.

    Parameters
    ----------
    rows
        Labelled rows: inputs and target.
    class_name
        The class; None makes a whole table with its target.
    ranges
        What is public of a column: the least and the greatest number or date, which every such
        column needs; or all levels, which else are found at a price.
    noise
        By default drawn from ``seed``, for rows that stay in a fold of a cross-validation. Rows
        that are released need :class:`assay.synth.private.OpenDPNoise`, which no seed repeats.
    constraints
        The text of a ``constraints.toml`` that is public: rows that break one are dropped, which
        spends nothing.

    Returns
    -------
    DataFrame
        As :func:`assay.synth.tabular.made_rows`; ``made_from`` is empty.

    Raises
    ------
    InputError
        When the task has a text, a range is lacking or of no column, or epsilon or delta cannot
        be.
    """
    if task.text is not None:
        raise InputError(f"{PRIVATE} writes no text.", given=task.text, next_step="choose a table")
    if not epsilon > 0 or not 0 < delta < 1:
        raise InputError(
            "epsilon must be above 0, and delta between 0 and 1.", given=(epsilon, delta)
        )
    unknown = [name for name in ranges or {} if name not in (*task.inputs, task.target)]
    if unknown:
        raise InputError(
            "ranges names a column that there is not.",
            given=unknown[0],
            allowed=", ".join(task.inputs),
            next_step="mend ranges under settings.synth in assay.toml",
        )
    noise = SeededNoise(derive_seed(seed, "noise")) if noise is None else noise
    names = [*task.inputs, *([] if class_name else [task.target])]
    own = own_rows(rows, task, class_name)
    public = dict(ranges or {})
    if class_name is None and task.class_names:
        public[task.target] = task.class_names
    each = LEVELS * epsilon / len(names)
    cells = [
        cut(own[name], noise, epsilon=each, delta=delta / len(names), public=public.get(name))
        for name in names
    ]
    codes = np.column_stack([cell.codes(own[cell.name]) for cell in cells])
    tree = NoisyTree(
        codes,
        [cell.count for cell in cells],
        noise,
        single=SINGLE * epsilon,
        choice=CHOICE * epsilon,
        pair=PAIR * epsilon,
    )
    random = np.random.default_rng(derive_seed(seed, "rows"))
    drawn = tree.draw(SPARE * count, random)
    made = pl.DataFrame([cell.values(drawn[:, at], random) for at, cell in enumerate(cells)])
    if class_name is not None:
        made = made.with_columns(pl.lit(class_name, rows.schema[task.target]).alias(task.target))
    order = Order(task, rows, class_name, count, seed)
    made = WellFormed(read_stated(constraints) or ()).sift(made, order).kept.head(count)
    return made.with_columns(
        pl.lit(None, pl.String).alias(MADE_FROM),
        pl.lit(method).alias(MADE_BY),
        synthetic_ids(method, seed, made.height),
    )
