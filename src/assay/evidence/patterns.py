"""Rows that are alike, counted: the few hundred ways in which models can be right or wrong."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from assay.evidence.inputs import Sample
from assay.evidence.numbers import Floats, Rows

if TYPE_CHECKING:
    from scipy.sparse import csr_array


def patterns(sample: Sample, k: int) -> tuple[csr_array, Floats, int]:
    """Return distinct units as sparse rows over all confusion cells, how often each, how many."""
    from scipy.sparse import csr_array

    columns = [sample.truth * k + fit for model in sample.models for fit in model]
    width = len(columns) * k * k
    pattern = _compress([*columns, *([] if sample.weights is None else [_rank(sample.weights)])])
    first, inverse, counts = _distinct(pattern)
    values = np.ones(len(first)) if sample.weights is None else sample.weights[first]
    index = np.stack([column[first] + i * k * k for i, column in enumerate(columns)], axis=1)
    pointer = np.arange(len(first) + 1) * len(columns)
    rows = csr_array(
        (np.repeat(values, len(columns)), index.ravel(), pointer), shape=(len(first), width)
    )
    if sample.groups is None:
        return rows, counts.astype(np.float64), sample.n
    units = int(sample.groups.max()) + 1
    member = csr_array((np.ones(sample.n), (sample.groups, inverse)), shape=(units, len(first)))
    return csr_array(member @ rows), np.ones(units), units


def _compress(columns: list[Rows]) -> Rows:
    """Return one integer code for each distinct combination, ordered by the columns."""
    code = np.zeros(len(columns[0]), dtype=np.int64)
    for column in columns:
        span = int(column.max()) + 1
        if (int(code.max()) + 1) * span > 2**62:
            code = np.unique(code, return_inverse=True)[1]
        code = code * span + column
    return code


def _distinct(code: Rows) -> tuple[Rows, Rows, Rows]:
    """Return a row of each distinct code, each row's position, and how often each occurs."""
    top = int(code.max()) + 1
    if top <= 2 * len(code):
        counts = np.bincount(code, minlength=top)
        occupied = np.flatnonzero(counts)
        position = np.zeros(top, dtype=np.int64)
        position[occupied] = np.arange(len(occupied))
        first = np.zeros(top, dtype=np.int64)
        first[code] = np.arange(len(code))
        return first[occupied], position[code], counts[occupied]
    _, first, inverse, counts = np.unique(
        code, return_index=True, return_inverse=True, return_counts=True
    )
    return first, inverse, counts


def _rank(values: Floats) -> Rows:
    return np.unique(values, return_inverse=True)[1]
