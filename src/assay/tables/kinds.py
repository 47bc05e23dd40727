"""What a column holds: one reading for everyone who asks."""

from __future__ import annotations

import re
from typing import Literal

import polars as pl

ColumnKind = Literal["number", "category", "many categories", "date", "text"]

CATEGORIES: tuple[ColumnKind, ...] = ("category", "many categories")
"""Kinds whose values are read as wholes."""

MOST_CATEGORIES = 40
"""With more distinct values than this, skrub's encoders no longer give each a column of its own."""

LEAST_WORDS = 3
"""A text has at least this many words in its median row."""

_DATE = re.compile(r"^\d{1,4}[-/.]\d{1,2}[-/.]\d{1,4}([ T]\d{1,2}:.*)?$")
_SEEN = 50


def column_kind(column: pl.Series) -> ColumnKind:
    """Return what a column holds, by its type and its values that are not null.

    Words are a ``date`` where all of the first 50 are written as one; ``text`` where the median
    row has three words or more and values seldom repeat (:func:`holds_text`); ``category`` up to
    40 distinct values; else ``many categories``. Truth values are a category.
    """
    known = column.drop_nulls()
    if known.dtype.is_temporal():
        return "date"
    if known.dtype.is_numeric():
        return "number"
    words = known.cast(pl.String)
    if _are_dates(words):
        return "date"
    if holds_text(words):
        return "text"
    return "category" if words.n_unique() <= MOST_CATEGORIES else "many categories"


def holds_text(column: pl.Series) -> bool:
    """Return whether a column of words is read word by word, not value by value."""
    if median_words(column) < LEAST_WORDS:
        return False
    known = column.drop_nulls()
    distinct = known.n_unique()
    return distinct > MOST_CATEGORIES or distinct > len(known) // 2


def median_words(column: pl.Series) -> float:
    """Return the number of words in the median row; 0 of a column that holds no words."""
    if column.dtype != pl.String:
        return 0.0
    count = column.drop_nulls().str.split(" ").list.len().median()
    return float(count) if isinstance(count, int | float) else 0.0


def _are_dates(words: pl.Series) -> bool:
    seen = words.head(_SEEN).to_list()
    return bool(seen) and all(_DATE.match(each) for each in seen)
