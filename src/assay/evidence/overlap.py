"""Copies and near-copies between two tables: what would make a locked row a known answer."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Sequence

import numpy as np
import polars as pl
from numpy.typing import NDArray

from assay.task import Task

PIECE = 5
HASHES = 64
BANDS = 16
PRIME = (1 << 61) - 1

Signatures = NDArray[np.uint64]


def near_copies(
    locked: pl.DataFrame,
    others: pl.DataFrame,
    task: Task,
    similarity: float,
    *,
    sources: pl.Series | None = None,
) -> pl.Series:
    """Return the ``row_id`` of ``others`` that copy, or nearly copy, a row of ``locked``.

    Texts are compared without regard to case, spacing and punctuation: candidates by MinHash
    (Broder 1997), then by the exact Jaccard similarity of their five-character pieces. Rows
    without a text are compared for equality of every input.

    Parameters
    ----------
    sources
        (n,) the ``row_id`` of the locked row that each of ``others`` is a change of: to nearly copy
        its text is no near copy, to have the same pieces is.
    """
    inputs = [name for name in task.inputs if name in locked.columns and name in others.columns]
    same = others.join(locked.select(inputs).unique(), on=inputs, how="semi", nulls_equal=True)
    found = set(same["row_id"])
    if task.text is not None:
        own: list[int | None] = [None] * others.height
        if sources is not None:
            places = {row_id: at for at, row_id in enumerate(locked["row_id"])}
            own = [places.get(each) for each in sources]
        texts = (locked[task.text], others[task.text])
        found |= _near_texts(*texts, others["row_id"], similarity, own)
    return others["row_id"].filter(others["row_id"].is_in(list(found)))


def copies_within(rows: pl.DataFrame, task: Task, similarity: float) -> pl.Series:
    """Return the ``row_id`` of rows that copy, or nearly copy, an earlier one of ``rows``.

    As in :func:`near_copies`.
    """
    inputs = [name for name in task.inputs if name in rows.columns]
    first = rows.select(pl.struct(inputs).is_first_distinct()).to_series()
    found = set(rows["row_id"].filter(~first))
    if task.text is not None:
        found |= _near_earlier_texts(rows[task.text], rows["row_id"], similarity)
    return rows["row_id"].filter(rows["row_id"].is_in(list(found)))


def _near_earlier_texts(texts: pl.Series, ids: pl.Series, similarity: float) -> set[str]:
    kept: list[NDArray[np.uint64]] = []
    buckets: dict[tuple[int, bytes], list[int]] = {}
    found = set()
    for row_id, text in zip(ids.to_list(), texts.fill_null("").to_list(), strict=True):
        pieces = _pieces(text)
        bands = _bands(pieces)
        candidates = {at for band in bands for at in buckets.get(band, ())}
        if any(_jaccard(pieces, kept[at]) >= similarity for at in candidates):
            found.add(row_id)
            continue
        for band in bands:
            buckets.setdefault(band, []).append(len(kept))
        kept.append(pieces)
    return found


def _near_texts(
    locked: pl.Series,
    others: pl.Series,
    ids: pl.Series,
    similarity: float,
    sources: Sequence[int | None],
) -> set[str]:
    known = [_pieces(each) for each in locked.fill_null("").to_list()]
    asked = [_pieces(each) for each in others.fill_null("").to_list()]
    buckets: dict[tuple[int, bytes], list[int]] = {}
    for position, pieces in enumerate(known):
        for band in _bands(pieces):
            buckets.setdefault(band, []).append(position)
    found = set()
    for row_id, pieces, source in zip(ids.to_list(), asked, sources, strict=True):
        candidates = {at for band in _bands(pieces) for at in buckets.get(band, ())}
        if any(
            _jaccard(pieces, known[at]) >= (1.0 if at == source else similarity)
            for at in candidates
        ):
            found.add(row_id)
    return found


def _pieces(text: str) -> NDArray[np.uint64]:
    """Return the sorted distinct hashes of a text's pieces."""
    plain = re.sub(r"\W+", " ", unicodedata.normalize("NFKC", text).casefold()).strip()
    if not plain:
        return np.empty(0, dtype=np.uint64)
    points = np.frombuffer(plain.encode("utf-32-le"), dtype=np.uint32).astype(np.uint64)
    size = min(PIECE, len(points))
    windows = np.lib.stride_tricks.sliding_window_view(points, size)
    powers = np.array([1_000_003**i % PRIME for i in range(size)], dtype=np.uint64)
    with np.errstate(over="ignore"):
        return np.unique((windows * powers).sum(axis=1, dtype=np.uint64))


def _bands(pieces: NDArray[np.uint64]) -> list[tuple[int, bytes]]:
    """Return the keys under which a text is filed: equal in one band is a candidate."""
    if len(pieces) == 0:
        return []
    with np.errstate(over="ignore"):
        mixed = pieces[:, None] * _MULTIPLIERS + _SHIFTS
        mixed ^= mixed >> np.uint64(31)
        smallest = (mixed * np.uint64(0x9E3779B97F4A7C15)).min(axis=0)
    return [(band, part.tobytes()) for band, part in enumerate(np.split(smallest, BANDS))]


def _jaccard(one: NDArray[np.uint64], two: NDArray[np.uint64]) -> float:
    shared = len(np.intersect1d(one, two, assume_unique=True))
    return shared / (len(one) + len(two) - shared)


_RANDOM = np.random.default_rng(0)
_MULTIPLIERS: Signatures = _RANDOM.integers(1, 1 << 63, size=HASHES, dtype=np.uint64) * 2 + 1
_SHIFTS: Signatures = _RANDOM.integers(0, 1 << 63, size=HASHES, dtype=np.uint64)
