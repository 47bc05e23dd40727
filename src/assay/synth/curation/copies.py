"""Drops rows that repeat another: a search row, or one made before."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np
import polars as pl

from assay.evidence import Vault
from assay.evidence.overlap import copies_within, near_copies
from assay.recipe import MADE_FROM
from assay.synth.curation.numbers import Floats
from assay.synth.spec import SYNTHETIC_ID, Order, Sifted, sifted
from assay.synth.tabular.encoding import Encoding

NEARNESS = 0.01
"""Numbers this share of a column's standard deviation apart are about equal."""

FAR = 1e9

REPEATS_REAL = "repeats a search row"


class NoCopies:
    """Exact and near copies, within the made rows and of the search rows.

    Texts are alike as in :meth:`assay.evidence.Vault.overlap`. Rows of a table are near copies
    where all words are equal and every number about so.

    Parameters
    ----------
    similarity
        Share of five-character pieces that two texts have in common, in (0, 1].
    changes
        Whether texts are changes of real ones, by intent near the row they were made from: of that
        row only the same text is a copy.
    """

    name = "copies"

    def __init__(self, similarity: float = 0.8, *, changes: bool = False) -> None:
        self._similarity, self._changes = similarity, changes

    def sift(self, made: pl.DataFrame, order: Order) -> Sifted:
        """Tell copies of search rows from copies of made rows."""
        task = order.task
        named = made.with_columns(pl.col(SYNTHETIC_ID).alias("row_id"))
        if task.text is not None:
            of = named[MADE_FROM] if self._changes else None
            real = set(near_copies(order.rows, named, task, self._similarity, sources=of))
            again = set(copies_within(named, task, self._similarity))
        else:
            real, again = _near_in_table(order.rows, named, list(task.inputs))
        reasons = [
            REPEATS_REAL if each in real
            else "repeats a made row" if each in again
            else None
            for each in named["row_id"].to_list()
        ]  # fmt: skip
        return sifted(made, reasons, self.name)


def repeats_locked(made: pl.DataFrame, vault: Vault) -> Iterator[str]:
    """Yield a warning where made rows copy, or nearly copy, rows of the vault.

    For the harness alone, after the vault has confirmed: it gives a count and nothing of which rows
    or of what they copy, and no proposer and no generator is told it.
    """
    copies = vault.overlap(made.with_columns(pl.col(SYNTHETIC_ID).alias("row_id"))).len()
    if copies:
        yield (
            f"{copies} of {made.height} rows by the kept method are copies of locked rows, or "
            "nearly so: what the vault confirmed may flatter"
        )


def _near_in_table(
    real: pl.DataFrame, made: pl.DataFrame, inputs: list[str]
) -> tuple[set[str], set[str]]:
    from scipy.spatial import cKDTree

    encoding = Encoding(pl.concat([real.select(inputs), made.select(inputs)]), inputs)
    numbers = encoding.encode(real)
    spread = np.nanstd(numbers, axis=0) if len(numbers) else np.ones(len(inputs))
    step = np.where(encoding.categorical | ~(spread > 0), 0.5, NEARNESS * spread)
    known, new = (_placed(each, step) for each in (numbers, encoding.encode(made)))
    ids = made["row_id"].to_list()
    apart = cKDTree(known).query(new, p=np.inf)[0] if len(known) else np.full(len(new), np.inf)
    of_real = {ids[at] for at in np.flatnonzero(apart <= 1)}
    return of_real, {ids[at] for at in _near_earlier(new)}


def _near_earlier(placed: Floats) -> set[int]:
    """Return the places of rows that an earlier one is near to.

    Equal rows are told first: of few categories there are as many pairs as the square of the rows.
    """
    from scipy.spatial import cKDTree

    if not len(placed):
        return set()
    first = np.sort(np.unique(placed, axis=0, return_index=True)[1])
    pairs = cKDTree(placed[first]).query_pairs(1.0, p=np.inf, output_type="ndarray")
    equal = np.setdiff1d(np.arange(len(placed)), first)
    return {*equal.tolist(), *first[pairs.max(axis=1)].tolist()}


def _placed(matrix: Floats, step: Floats) -> Floats:
    """Return rows in steps; empty cells lie far from every value and at no distance apart."""
    return np.where(np.isnan(matrix), -FAR, matrix / step)
