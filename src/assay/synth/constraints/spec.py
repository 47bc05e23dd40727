"""What must hold in every row: typed, readable, checked by one expression each."""

from __future__ import annotations

from datetime import date
from typing import Annotated, Literal

import polars as pl
from pydantic import BaseModel, ConfigDict, Field, FiniteFloat, NaiveDatetime

from assay.synth.constraints.values import Value, compared

SLACK = 1e-6
"""Sums of floats hold to this share of their size."""


class _Constraint(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid")

    @property
    def columns(self) -> tuple[str, ...]:
        """The columns it speaks of."""
        raise NotImplementedError

    def holds(self, schema: pl.Schema) -> pl.Expr:
        """Return a truth value for each row; an empty cell breaks nothing but ``Filled``."""
        raise NotImplementedError

    def __str__(self) -> str:
        raise NotImplementedError


class Filled(_Constraint):
    """A column without empty cells."""

    kind: Literal["filled"] = "filled"
    column: str

    @property
    def columns(self) -> tuple[str, ...]:
        """The one column."""
        return (self.column,)

    def holds(self, schema: pl.Schema) -> pl.Expr:
        """Whether the cell is filled."""
        return pl.col(self.column).is_not_null()

    def __str__(self) -> str:
        return f"{self.column} is never empty"


class Between(_Constraint):
    """Numbers or dates from ``low`` to ``high``, both allowed; None leaves a side open."""

    kind: Literal["between"] = "between"
    column: str
    low: int | FiniteFloat | NaiveDatetime | date | None = None
    high: int | FiniteFloat | NaiveDatetime | date | None = None

    @property
    def columns(self) -> tuple[str, ...]:
        """The one column."""
        return (self.column,)

    def holds(self, schema: pl.Schema) -> pl.Expr:
        """Whether the cell lies inside."""
        inside = pl.lit(True)
        if self.low is not None:
            inside &= pl.col(self.column) >= self.low
        if self.high is not None:
            inside &= pl.col(self.column) <= self.high
        return inside.fill_null(True)

    def __str__(self) -> str:
        if self.high is None:
            return f"{self.column} is at least {self.low}"
        if self.low is None:
            return f"{self.column} is at most {self.high}"
        return f"{self.column} lies between {self.low} and {self.high}"


class Whole(_Constraint):
    """Numbers without a fraction, whatever their type."""

    kind: Literal["whole"] = "whole"
    column: str

    @property
    def columns(self) -> tuple[str, ...]:
        """The one column."""
        return (self.column,)

    def holds(self, schema: pl.Schema) -> pl.Expr:
        """Whether the number is whole."""
        return (pl.col(self.column) == pl.col(self.column).round(0)).fill_null(True)

    def __str__(self) -> str:
        return f"{self.column} is a whole number"


class OneOf(_Constraint):
    """A column of few values."""

    kind: Literal["one_of"] = "one_of"
    column: str
    values: tuple[Value, ...] = Field(min_length=1)

    @property
    def columns(self) -> tuple[str, ...]:
        """The one column."""
        return (self.column,)

    def holds(self, schema: pl.Schema) -> pl.Expr:
        """Whether the value is one of them."""
        cells, values, dtype = compared(self.column, self.values, schema)
        return cells.is_in(pl.Series(values, dtype=dtype).implode()).fill_null(True)

    def __str__(self) -> str:
        shown = ", ".join(map(str, self.values[:6]))
        return f"{self.column} is one of {shown}{', …' if len(self.values) > 6 else ''}"


class AtMost(_Constraint):
    """One column never exceeds another: ``smaller <= greater``."""

    kind: Literal["at_most"] = "at_most"
    smaller: str
    greater: str

    @property
    def columns(self) -> tuple[str, ...]:
        """Both columns."""
        return (self.smaller, self.greater)

    def holds(self, schema: pl.Schema) -> pl.Expr:
        """Whether the order is kept."""
        return (pl.col(self.smaller) <= pl.col(self.greater)).fill_null(True)

    def __str__(self) -> str:
        return f"{self.smaller} is at most {self.greater}"


class SumOf(_Constraint):
    """Columns that add up to another."""

    kind: Literal["sum"] = "sum"
    parts: tuple[str, ...] = Field(min_length=2)
    total: str

    @property
    def columns(self) -> tuple[str, ...]:
        """The parts and the total."""
        return (*self.parts, self.total)

    def holds(self, schema: pl.Schema) -> pl.Expr:
        """Whether they add up, but for rounding."""
        added = pl.sum_horizontal(
            [pl.col(each).cast(pl.Float64) for each in self.parts], ignore_nulls=False
        )
        total = pl.col(self.total).cast(pl.Float64)
        largest = pl.max_horizontal([pl.col(each).cast(pl.Float64).abs() for each in self.columns])
        return ((added - total).abs() <= SLACK * (1 + largest)).fill_null(True)

    def __str__(self) -> str:
        return f"{' + '.join(self.parts)} = {self.total}"


class Decides(_Constraint):
    """A functional dependency: a value of one column fixes the value of another.

    Attributes
    ----------
    table
        (value, value that follows) for every value that was seen; others are free.
    """

    kind: Literal["decides"] = "decides"
    column: str
    follows: str
    table: tuple[tuple[Value, Value], ...] = Field(min_length=1)

    @property
    def columns(self) -> tuple[str, ...]:
        """Both columns."""
        return (self.column, self.follows)

    def holds(self, schema: pl.Schema) -> pl.Expr:
        """Whether the second value is the one that the first fixes."""
        cells, values, _ = compared(self.column, [one for one, _ in self.table], schema)
        follow, fixed, dtype = compared(self.follows, [two for _, two in self.table], schema)
        table = dict(zip(values, fixed, strict=True))
        wanted = cells.replace_strict(table, default=None, return_dtype=dtype)
        return (wanted == follow).fill_null(True)

    def __str__(self) -> str:
        return f"{self.column} decides {self.follows}"


class Never(_Constraint):
    """Values of two columns that never stand in one row; every other pair is allowed."""

    kind: Literal["never"] = "never"
    pair: tuple[str, str]
    values: tuple[tuple[Value, Value], ...] = Field(min_length=1)

    @property
    def columns(self) -> tuple[str, ...]:
        """Both columns."""
        return self.pair

    def holds(self, schema: pl.Schema) -> pl.Expr:
        """Whether the pair of values is none of them."""
        one, firsts, _ = compared(self.pair[0], [each for each, _ in self.values], schema)
        two, seconds, _ = compared(self.pair[1], [each for _, each in self.values], schema)
        found = pl.lit(False)
        for first, second in zip(firsts, seconds, strict=True):
            found |= (one == first) & (two == second)
        return (~found).fill_null(True)

    def __str__(self) -> str:
        shown = "; ".join(f"{one} with {two}" for one, two in self.values[:3])
        more = "; …" if len(self.values) > 3 else ""
        return f"{self.pair[0]} and {self.pair[1]}: never {shown}{more}"


Constraint = Annotated[
    Filled | Between | Whole | OneOf | AtMost | SumOf | Decides | Never,
    Field(discriminator="kind"),
]
