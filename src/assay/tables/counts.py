"""How often each value of a column occurs."""

from __future__ import annotations

import polars as pl


def value_counts(values: pl.Series) -> pl.DataFrame:
    """Return ``value`` and its ``count``, the most frequent first.

    Polars' own refuses a column that is itself called "count".
    """
    return values.alias("value").value_counts(sort=True)
