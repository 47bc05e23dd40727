"""Drops rows of a table that lie nearer to a real row than real rows lie to each other."""

from __future__ import annotations

import polars as pl

from assay.synth.privacy.memory import Closeness
from assay.synth.spec import Order, Sifted, sifted


class NotRemembered:
    """The distance to the closest real row of the class, against that among real rows.

    For rows that are shown and released. Rows that are made in a fold go nowhere, and SMOTE lies
    between near real rows by intent.
    """

    name = "memorisation"

    def sift(self, made: pl.DataFrame, order: Order) -> Sifted:
        """Drop what lies within the bar; a text is judged by its long runs, at release."""
        if made.is_empty() or order.own.height < 2 or order.task.text is not None:
            return sifted(made, [None] * made.height, self.name)
        close = Closeness.of(made, order.own, order.task).close
        why = "nearer to a real row than real rows are to each other"
        return sifted(made, [why if each else None for each in close], self.name)
