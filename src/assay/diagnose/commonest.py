"""The commonest values and classes, where not all can be looked at, and what that leaves aside."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence

import polars as pl

from assay.diagnose.case import Case
from assay.tables.counts import value_counts

NAMED = 5
"""So many are named of what is left aside."""


def commonest(values: pl.Series, most: int, *, fewest: int) -> tuple[list[str], list[str]]:
    """Return the values that at least ``fewest`` rows hold, and what is left aside of these.

    At most ``most``, the commonest first.
    """
    every = _counted(values).filter(pl.col("count") >= fewest)["value"].to_list()
    left = f"all but the {most} commonest of {len(every):,} values of {values.name!r}"
    return every[:most], [left] if len(every) > most else []


def rarer(values: pl.Series, fewest: int) -> list[str]:
    """Return the values that fewer rows hold, the commonest first."""
    found: list[str] = _counted(values).filter(pl.col("count") < fewest)["value"].to_list()
    return found


def commonest_classes(part: Case, most: int) -> tuple[tuple[str, ...], list[str]]:
    """Return the classes that most rows have, in their own order, and what is left aside."""
    names = part.task.class_names
    if len(names) <= most:
        return names, []
    counts = Counter(part.truth.tolist())
    kept = set(sorted(names, key=lambda name: -counts[name])[:most])
    left = f"all but the {most} commonest of {len(names):,} classes"
    return tuple(name for name in names if name in kept), [left]


def named(words: str, things: Sequence[str]) -> str:
    """Return what is told of things that were not looked at; nothing where there is none."""
    if not things:
        return ""
    more = f" and {len(things) - NAMED:,} more" if len(things) > NAMED else ""
    return f"{words}: {', '.join(things[:NAMED])}{more}"


def left_aside(things: Sequence[str]) -> str:
    """Return what is told of what was left aside, as there was too much of it."""
    return named("left aside", things)


def _counted(values: pl.Series) -> pl.DataFrame:
    """Return each value and its count; of equal counts the first by name, so that runs repeat."""
    counts = value_counts(values.cast(pl.String).drop_nulls())
    return counts.sort("count", "value", descending=[True, False])
