"""Drops rows that do not fit the table: a wrong type or class, nothing in them, a constraint."""

from __future__ import annotations

from collections.abc import Sequence

import polars as pl

from assay.synth.constraints import Constraint, require_types
from assay.synth.spec import Order, Sifted, sifted


class WellFormed:
    """Types, the class that was ordered, and constraints.

    Parameters
    ----------
    constraints
        See :func:`assay.synth.constraints.mine_constraints`. One on a column that the rows do
        not have is not asked.
    """

    name = "schema and constraints"

    def __init__(self, constraints: Sequence[Constraint] = ()) -> None:
        self._constraints = constraints

    def sift(self, made: pl.DataFrame, order: Order) -> Sifted:
        """Name the first thing that is wrong with each row.

        Raises
        ------
        InputError
            When a constraint does not fit what its column holds.
        """
        task = order.task
        schema = {name: order.rows.schema[name] for name in (*task.inputs, task.target)}
        typed = made.with_columns(pl.col(name).cast(kind, strict=False)
                                  for name, kind in schema.items())  # fmt: skip
        reasons: list[str | None] = [None] * made.height
        for name, kind in schema.items():
            lost = typed[name].is_null() & made[name].is_not_null()
            _note(reasons, lost, f"{name} is no {kind}")
        _note(reasons, self._wrong_class(typed, order), "not of the class that was asked for")
        if task.text is not None:
            blank = typed[task.text].fill_null("").str.strip_chars() == ""
            _note(reasons, blank, "the text is empty")
        require_types(self._constraints, typed.schema)
        for each in self._constraints:
            if set(each.columns) <= set(typed.columns):
                holds = typed.select(each.holds(typed.schema).alias("holds"))["holds"]
                _note(reasons, ~holds, str(each))
        return sifted(typed, reasons, self.name)

    def _wrong_class(self, typed: pl.DataFrame, order: Order) -> pl.Series:
        target = typed[order.task.target]
        if order.task.kind == "regression":
            return target.is_null()
        allowed = [order.class_name] if order.class_name else list(order.task.class_names)
        return ~target.is_in(allowed).fill_null(False)


def _note(reasons: list[str | None], wrong: pl.Series, why: str) -> None:
    for at in wrong.arg_true().to_list():
        reasons[at] = reasons[at] or why
