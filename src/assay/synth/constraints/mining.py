"""Constraints mined from rows, each only where enough rows speak for it.

Of one column: with 59 rows inside and none outside, at most 5 % of all rows lie outside (95 %
confidence: 0.95 ** 59 < .05). With fewer, a real value that was merely not met yet would be
forbidden.

Of several columns: a rule that independent columns would keep by chance is no rule. It is
believed where that chance is below one in a million, which leaves less than one coincidence in
a thousand for a table of forty columns.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from itertools import combinations, permutations
from typing import Any

import numpy as np
import polars as pl

from assay.synth.constraints.spec import (
    SLACK,
    AtMost,
    Between,
    Constraint,
    Decides,
    Filled,
    Never,
    OneOf,
    SumOf,
    Whole,
)
from assay.tables import WORDS
from assay.tables.counts import value_counts

FEWEST_ROWS = 59
LOG_COINCIDENCE = float(np.log(1e-6))
MOST_VALUES = 50
"""A column of more values is no list to choose from."""

MOST_NUMBERS = 25
"""Columns of which sums and orders are looked for: triples grow with the cube."""

SHUFFLES = 200


def mine_constraints(rows: pl.DataFrame, columns: Sequence[str]) -> tuple[Constraint, ...]:
    """Return what holds in every one of ``rows`` and is believed to hold beyond them.

    Parameters
    ----------
    rows
        Search rows; never the vault's.
    columns
        The columns to look at.
    """
    if rows.height < FEWEST_ROWS:
        return ()
    found: list[Constraint] = []
    for name in columns:
        found += _of_one(rows[name])
    numbers = [name for name in columns if rows.schema[name].is_numeric()][:MOST_NUMBERS]
    dates = [name for name in columns if rows.schema[name] in (pl.Date, pl.Datetime)]
    words = [
        name
        for name in columns
        if rows.schema[name] in (*WORDS, pl.Boolean) and 1 < rows[name].n_unique() <= MOST_VALUES
    ]
    sums = list(_sums(rows, numbers))
    found += sums
    found += [*_orders(rows, numbers, sums), *_orders(rows, dates, ())]
    decided = list(_dependencies(rows, words))
    return (*found, *decided, *_never_together(rows, words, decided))


def _of_one(column: pl.Series) -> Iterator[Constraint]:
    held = column.drop_nulls()
    if column.null_count() == 0:
        yield Filled(column=column.name)
    if held.len() < FEWEST_ROWS:
        return
    dtype = column.dtype
    if dtype.is_numeric():
        finite = held.filter(held.cast(pl.Float64).is_finite())
        if dtype.is_float() and finite.len() and bool((finite == finite.round(0)).all()):
            yield Whole(column=column.name)
        if finite.len():
            yield Between(column=column.name, low=_plain(finite.min()), high=_plain(finite.max()))
    elif dtype in (pl.Date, pl.Datetime):
        low, high = held.min(), held.max()
        yield Between(column=column.name, low=low, high=high)
    elif dtype in WORDS:
        values = held.unique().cast(pl.String).sort().to_list()
        # Each value was met often enough that a new one is unlikely (Good 1953: the share of
        # values not met is about the share of rows whose value was met once).
        once = value_counts(held.cast(pl.String)).filter(pl.col("count") == 1).height
        if len(values) <= MOST_VALUES and once <= 0.05 * held.len():
            yield OneOf(column=column.name, values=tuple(values))


def _sums(rows: pl.DataFrame, names: Sequence[str]) -> Iterator[SumOf]:
    values = {name: rows[name].cast(pl.Float64).to_numpy() for name in names}
    moving = [name for name in names if len(np.unique(values[name])) > 2]
    for total in moving:
        for one, two in combinations([name for name in moving if name != total], 2):
            a, b, c = values[one], values[two], values[total]
            there = np.isfinite(a) & np.isfinite(b) & np.isfinite(c)
            if there.sum() < FEWEST_ROWS:
                continue
            a, b, c = a[there], b[there], c[there]
            size = 1 + np.maximum(np.maximum(np.abs(a), np.abs(b)), np.abs(c))
            if np.all(np.abs(a + b - c) <= SLACK * size) and np.any(a) and np.any(b):
                yield SumOf(parts=(one, two), total=total)


def _orders(rows: pl.DataFrame, names: Sequence[str], sums: Sequence[SumOf]) -> Iterator[AtMost]:
    values = {name: rows[name].to_physical().cast(pl.Float64).to_numpy() for name in names}
    random = np.random.default_rng(0)
    for small, great in permutations(names, 2):
        if any(each.total == great and small in each.parts for each in sums):
            continue  # the sum says it already
        a, b = values[small], values[great]
        there = np.isfinite(a) & np.isfinite(b)
        a, b = a[there], b[there]
        if len(a) < FEWEST_ROWS or np.any(a > b) or np.array_equal(a, b):
            continue
        # Of pairs made at random, how many would keep the order?
        kept = np.mean([np.mean(a <= random.permutation(b)) for _ in range(SHUFFLES)])
        if len(a) * np.log(max(kept, 1e-300)) < LOG_COINCIDENCE:
            yield AtMost(smaller=small, greater=great)


def _dependencies(rows: pl.DataFrame, names: Sequence[str]) -> Iterator[Decides]:
    for one, two in permutations(names, 2):
        pairs = rows.select(value=one, follows=two).drop_nulls()
        follows = pl.col("follows")
        groups = pairs.group_by("value").agg(different=follows.n_unique(), follows=follows.first())
        if groups.is_empty() or int(groups["different"].max()) > 1:  # type: ignore[arg-type]
            continue
        shares = value_counts(pairs["follows"])["count"] / pairs.height
        repeats = pairs.height - groups.height
        agreeing = float((shares**2).sum())
        if agreeing < 1 and repeats * np.log(agreeing) < LOG_COINCIDENCE:
            ordered = groups.sort("value")
            table = zip(ordered["value"].to_list(), ordered["follows"].to_list(), strict=True)
            yield Decides(column=one, follows=two, table=tuple(table))


def _never_together(
    rows: pl.DataFrame, names: Sequence[str], decided: Sequence[Decides]
) -> Iterator[Never]:
    covered = {frozenset(each.columns) for each in decided}
    for one, two in combinations(names, 2):
        if frozenset((one, two)) in covered:
            continue
        pairs = rows.select(one, two).drop_nulls()
        seen = set(pairs.unique().rows())
        firsts, seconds = (dict(value_counts(pairs[each]).rows()) for each in (one, two))
        absent = [
            (first, second)
            for first in sorted(firsts)
            for second in sorted(seconds)
            if (first, second) not in seen
            # No row where independence would lead one to expect so many.
            and -firsts[first] * seconds[second] / pairs.height < LOG_COINCIDENCE
        ]
        if absent:
            yield Never(pair=(one, two), values=tuple(absent))


def _plain(value: Any) -> float | int:
    return value if isinstance(value, int) else float(value)
