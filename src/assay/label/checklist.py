"""The rows that are most worth a person's check, gathered while rows stream past."""

from __future__ import annotations

import numpy as np
import polars as pl

from assay.label.answering import COPIED
from assay.label.task import LabelTask
from assay.seeds import derive_seed

_DRAWN, _DOUBT = "\0drawn", "\0doubt"


class Checklist:
    """Keeps the least certain rows and as many random ones; without copies.

    The random half keeps estimates of all rows honest; the uncertain half teaches most.

    Parameters
    ----------
    size
        Rows in all.
    seed
        Draws the random half.
    """

    def __init__(self, size: int = 60, seed: int = 0) -> None:
        self._size = size
        self._random = np.random.default_rng(derive_seed(seed, "check"))
        self._drawn: pl.DataFrame | None = None
        self._doubted: pl.DataFrame | None = None

    def add(self, rows: pl.DataFrame) -> None:
        """Show the next rows; they have a ``probability``, a ``status`` and a ``why``."""
        rows = rows.with_columns(
            pl.Series(_DRAWN, self._random.random(rows.height)),
            pl.col("probability").fill_null(1.0).alias(_DOUBT),
        )
        rows = rows.filter(
            (pl.col("status") != "failed")
            & (pl.col("why") != "checked by a person")
            & ~pl.col("why").str.contains(COPIED, literal=True)
        )
        self._drawn = _least(self._drawn, rows, _DRAWN, self._size)
        self._doubted = _least(self._doubted, rows, _DOUBT, self._size)

    @property
    def rows(self) -> pl.DataFrame:
        """The rows to check, random ones first."""
        if self._drawn is None or self._doubted is None:
            return pl.DataFrame()
        half = self._drawn.head(self._size // 2)
        rest = self._doubted.join(half, on="row_id", how="anti")
        return pl.concat([half, rest.head(self._size - half.height)]).drop(_DRAWN, _DOUBT)

    def to_fill(self, task: LabelTask) -> pl.DataFrame:
        """Return the rows with the label empty for a person to fill in, the guess beside it."""
        rows = self.rows.rename({task.target: "suggested"})
        kept = rows.drop("probability", "status", "why", "suggested")
        return kept.with_columns(
            pl.lit(None, dtype=pl.String).alias(task.target), rows["suggested"]
        )


def _least(held: pl.DataFrame | None, rows: pl.DataFrame, column: str, size: int) -> pl.DataFrame:
    shown = rows if held is None else pl.concat([held, rows])
    return shown.sort(column, maintain_order=True).head(size)
