"""Rows set apart do not keep the table that they come from in memory."""

from __future__ import annotations

import polars as pl

from assay.tables.rows import set_apart


def test_rows_set_apart_are_the_same_rows_in_memory_of_their_own() -> None:
    long = [f"{n} is a text too long to lie within a view of it" * 20 for n in range(2000)]
    table = pl.DataFrame({"text": long, "n": range(2000), "few": [["a"], None] * 1000})
    some = table[[3, 4, 1999]]
    apart = set_apart(some)
    assert apart.equals(some)
    assert apart.schema == some.schema
    held = sum(buffer.size for buffer in apart["text"].to_arrow().buffers() if buffer is not None)
    assert held < 10_000


def test_no_rows_keep_their_columns() -> None:
    table = pl.DataFrame({"text": ["a"], "n": [1]}).head(0)
    assert set_apart(table).schema == table.schema
