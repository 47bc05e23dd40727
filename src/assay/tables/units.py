"""Units: rows that no split may part, because they share a group or are copies."""

from __future__ import annotations

from typing import Any, Literal

import numpy as np
import polars as pl

from assay.task import Task

Numbers = np.ndarray[Any, np.dtype[np.int64]]
Mask = np.ndarray[Any, np.dtype[np.bool_]]


def row_units(labelled: pl.DataFrame, task: Task) -> Numbers:
    """Return for each of (n,) rows the number of the unit that it cannot be parted from.

    A unit is a group, or the rows that share every input, or what these link together.
    """
    if copies_matter(labelled, task):
        copies = _ranks(labelled, task.inputs, "dense")
    else:
        copies = _ranks(labelled, (*task.inputs, task.target), "ordinal")
    if task.group is None:
        return copies
    from scipy.sparse import coo_matrix
    from scipy.sparse.csgraph import connected_components

    groups = _ranks(labelled, (task.group,), "dense") + copies.max()
    nodes = int(groups.max()) + 1
    edges = coo_matrix((np.ones(len(groups)), (copies, groups)), shape=(nodes, nodes))
    linked = connected_components(edges, directed=False)[1][copies]
    # Numbered by content, not by the order in which rows happen to lie.
    first = np.full(int(linked.max()) + 1, nodes, dtype=np.int64)
    np.minimum.at(first, linked, copies)
    return first[linked]


def half_of(units: Numbers, seed: int) -> Mask:
    """Return (n,) which rows fall into the first half: half of the units, whole, at random."""
    numbers, place = np.unique(units, return_inverse=True)
    first: Mask = np.random.default_rng(seed).permutation(len(numbers)) < len(numbers) / 2
    return first[place]


def read_alike(task: Task) -> pl.Expr:
    """Return the number of each row's set of rows that read the same.

    Texts are taken without what a reader does not see: case, marks and spaces.
    """
    read = [_folded(name) if name == task.text else pl.col(name) for name in task.inputs]
    return pl.struct(read).rank("dense")


def _folded(name: str) -> pl.Expr:
    lower = pl.col(name).cast(pl.String).str.to_lowercase()
    return lower.str.replace_all(r"[\W_]+", " ").str.strip_chars()


def copies_matter(labelled: pl.DataFrame, task: Task) -> bool:
    """Whether rows that share every input count as copies of one another.

    Texts always do. In a table of few-valued columns most rows share their inputs by nature;
    to keep those together would leave nothing to draw from.
    """
    if task.text is not None:
        return True
    distinct: int = labelled.select(pl.struct(task.inputs).n_unique()).item()
    return 2 * distinct > labelled.height


def _ranks(
    rows: pl.DataFrame, columns: tuple[str, ...], method: Literal["dense", "ordinal"]
) -> Numbers:
    ranks = rows.select(pl.struct(columns).rank(method)).to_series()
    return ranks.cast(pl.Int64).to_numpy()
