"""Drops rows that lie outside of the slice they were asked for."""

from __future__ import annotations

import polars as pl

from assay.synth.spec import Order, Sifted, sifted
from assay.tables.predicate import Predicate


class InSlice:
    """Keeps what a predicate selects."""

    name = "slice"

    def __init__(self, where: Predicate) -> None:
        self._where = where

    def sift(self, made: pl.DataFrame, order: Order) -> Sifted:
        """Keep the rows that fulfil every condition."""
        inside = self._where.select(made)
        outside = f"not where {self._where.words}"
        return sifted(made, [None if each else outside for each in inside], self.name)
