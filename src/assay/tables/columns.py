"""Which columns a model may read: the free text, the features, and what is left aside."""

from __future__ import annotations

from dataclasses import dataclass

import polars as pl

from assay.errors import InputError
from assay.tables.kinds import LEAST_WORDS, median_words
from assay.tables.rows import ROW_ID

MOST_OTHERS = 2
"""With more feature columns than this beside the text, the table is read as a table."""


@dataclass(frozen=True)
class Columns:
    """The columns by what they are good for; ``unused`` pairs each name with its reason."""

    text: str | None
    why_text: str
    features: tuple[str, ...]
    unused: tuple[tuple[str, str], ...]


def sort_columns(
    table: pl.DataFrame, *, reserved: tuple[str | None, ...], text: str | None = None
) -> Columns:
    """Sort the columns of ``table``.

    Parameters
    ----------
    reserved
        Target, group and time; no model reads them.
    text
        The text column, where the user named it.
    """
    free = [name for name in table.columns if name not in {ROW_ID, *reserved}]
    unused = {name: why for name in free if (why := _useless(table[name]))}
    features = tuple(name for name in free if name not in unused)
    if text is not None:
        if table[text].dtype != pl.String:
            raise InputError(
                "The text column holds no text.", given=f"{text!r}: {table[text].dtype}"
            )
        return Columns(text, "you named it", (), _aside(table, free, text))
    words = {name: median_words(table[name]) for name in features}
    longest = max(words, key=words.__getitem__, default=None)
    if longest is None or words[longest] < LEAST_WORDS:
        return Columns(None, "", features, tuple(unused.items()))
    others = len(features) - 1
    why = f"its median row has {words[longest]:.0f} words"
    if others > MOST_OTHERS:
        beside = f"{longest!r} holds text, but {others} other columns stand beside it (--text)"
        return Columns(None, beside, features, tuple(unused.items()))
    return Columns(longest, why, (), _aside(table, free, longest))


def _aside(table: pl.DataFrame, free: list[str], text: str) -> tuple[tuple[str, str], ...]:
    reason = f"the task reads {text!r} alone"
    return tuple((name, _useless(table[name]) or reason) for name in free if name != text)


def _useless(column: pl.Series) -> str | None:
    distinct = column.drop_nulls().n_unique()
    if distinct == 0:
        return "it is empty"
    if distinct == 1 and column.null_count() == 0:
        return "it is the same in every row"
    if column.dtype.is_nested() or column.dtype == pl.Binary:
        return f"it holds {column.dtype}, which no encoder reads"
    if distinct < column.len() or column.len() < 20:
        return None
    if column.dtype == pl.String and median_words(column) < LEAST_WORDS:
        return "it is different in every row: an identifier"
    if column.dtype.is_integer() and _counts_up(column):
        return "it numbers the rows"
    return None


def _counts_up(column: pl.Series) -> bool:
    steps = column.sort().diff().drop_nulls()
    return bool((steps == 1).all())
