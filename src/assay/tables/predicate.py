"""A predicate: a conjunction of conditions that picks rows, and reads as a sentence."""

from __future__ import annotations

from contextlib import suppress
from dataclasses import dataclass
from typing import Any, Literal, get_args

import numpy as np
import polars as pl

from assay.errors import InputError
from assay.tables.traits import TRAITS, trait

Operator = Literal["=", "!=", "<=", ">", "contains", "is empty", "is not empty"]
Value = str | float | bool | None
LARGEST_WHOLE = 1e15
"""Floats hold whole numbers to the last digit up to here, and beyond."""

Mask = np.ndarray[Any, np.dtype[np.bool_]]


@dataclass(frozen=True)
class Condition:
    """One condition on a column, or on a trait of a text column.

    Attributes
    ----------
    operator
        ``=`` and ``!=`` compare words, truth values, and numbers by what they are worth; ``<=`` and
        ``>`` numbers; ``contains`` looks for a whole word or phrase, in any letter case. An empty
        cell fulfils ``is empty`` and nothing else.
    value
        None for ``is empty`` and ``is not empty``.
    trait
        One of :data:`assay.tables.traits.TRAITS`; None for the column itself.
    """

    column: str
    operator: Operator
    value: Value = None
    trait: str | None = None

    def __post_init__(self) -> None:
        if self.operator not in get_args(Operator):
            raise InputError(
                "A condition has an unknown operator.",
                given=self.operator,
                allowed=", ".join(get_args(Operator)),
            )
        if self.trait is not None and self.trait not in TRAITS:
            raise InputError(
                "A condition names an unknown trait.", given=self.trait, allowed=", ".join(TRAITS)
            )
        if self.operator in ("<=", ">") and (
            isinstance(self.value, bool) or not isinstance(self.value, int | float)
        ):
            raise InputError(
                f"A condition with {self.operator} needs a number.", given=repr(self.value)
            )
        if self.operator == "contains" and not (isinstance(self.value, str) and self.value.strip()):
            raise InputError("A condition with contains needs a word.", given=repr(self.value))

    def select(self, rows: pl.DataFrame) -> Mask:
        """Return (n,) which rows fulfil it.

        Raises
        ------
        InputError
            When there is no such column, or it does not hold what the operator compares.
        """
        if self.column not in rows.columns:
            raise InputError(f"There is no column {self.column!r}.", given=", ".join(rows.columns))
        values = rows[self.column] if self.trait is None else trait(rows, self.column, self.trait)
        if self.operator == "is empty":
            return values.is_null().to_numpy()
        if self.operator == "is not empty":
            return values.is_not_null().to_numpy()
        return self._compared(values).fill_null(False).to_numpy()

    def _compared(self, values: pl.Series) -> pl.Series:
        if self.operator in ("<=", ">"):
            try:
                numbers = values.cast(pl.Float64)
            except pl.exceptions.PolarsError as error:
                raise InputError(
                    f"The column {self.column!r} does not hold numbers.", given=values.dtype
                ) from error
            within = numbers <= self.value if self.operator == "<=" else numbers > self.value
            return within & numbers.is_not_nan()
        if self.operator == "contains":
            return values.cast(pl.String).str.contains(containing(str(self.value)))
        same = _equal(values, self.value)
        return same if self.operator == "=" else ~same

    @property
    def plain(self) -> float | str | None:
        """What a cell is compared with: a number, or a cell's text."""
        if self.operator in ("<=", ">") and isinstance(self.value, int | float):
            return float(self.value)
        return None if self.value is None else _as_text(self.value)

    @property
    def words(self) -> str:
        """The condition as it is read aloud."""
        if self.trait is not None and isinstance(self.value, bool):
            without = self.value == (self.operator == "!=")
            return f"{self.column} {'without' if without else 'with'} {self.trait}"
        subject = self.column if self.trait is None else f"{self.trait} of {self.column}"
        if self.value is None:
            return f"{subject} {self.operator}"
        if isinstance(self.value, str):
            return f'{subject} {self.operator} "{self.value}"'
        return f"{subject} {self.operator} {_as_text(self.value)}"

    def as_dict(self) -> dict[str, Any]:
        """Return the condition as plain JSON values."""
        found = {"column": self.column, "operator": self.operator, "value": self.value}
        return found if self.trait is None else found | {"trait": self.trait}


@dataclass(frozen=True)
class Predicate:
    """A conjunction of conditions; of none, every row."""

    conditions: tuple[Condition, ...]

    def select(self, rows: pl.DataFrame) -> Mask:
        """Return (n,) which rows fulfil every condition."""
        chosen: Mask = np.ones(rows.height, dtype=np.bool_)
        for each in self.conditions:
            chosen = chosen & each.select(rows)
        return chosen

    @property
    def words(self) -> str:
        """The predicate as it is read aloud, for example ``age > 40 and region = "north"``."""
        return " and ".join(each.words for each in self.conditions) or "every row"

    def as_dict(self) -> dict[str, Any]:
        """Return the predicate as plain JSON values."""
        return {"all": [each.as_dict() for each in self.conditions]}

    @classmethod
    def from_dict(cls, values: dict[str, Any]) -> Predicate:
        """Return the predicate that :meth:`as_dict` described.

        Raises
        ------
        InputError
            When it is no such description.
        """
        try:
            return cls(tuple(Condition(**each) for each in values["all"]))
        except (KeyError, TypeError) as error:
            raise InputError(
                "This is no predicate.",
                given=values,
                allowed='{"all": [{"column", "operator", …}]}',
            ) from error


def containing(words: str) -> str:
    """Return the pattern of a whole word or phrase, in any letter case."""
    return rf"(?i)(?:^|\W){pl.escape_regex(words.strip())}(?:\W|$)"


def _equal(values: pl.Series, value: Value) -> pl.Series:
    number = _number(value)
    if values.dtype.is_numeric() and number is not None:
        return values == number
    return values.cast(pl.String) == _as_cell(value)


def _number(value: Value) -> float | None:
    """Return the number that a value is, or that its words spell; None where they spell none."""
    if value is None or isinstance(value, bool):
        return None
    if not isinstance(value, str):
        return value
    with suppress(ValueError):
        return int(value) if value.lstrip("-").isdecimal() and len(value) < 19 else float(value)
    return None


def _as_cell(value: Value) -> str:
    """Return a value as a column of words holds it; a whole number without a fraction."""
    if isinstance(value, bool):
        return str(value).lower()
    if isinstance(value, float) and value.is_integer() and abs(value) < LARGEST_WHOLE:
        return str(int(value))
    return str(value)


def _as_text(value: Value) -> str:
    """Return a value as it is read aloud: a fraction to six digits."""
    text = _as_cell(value)
    return f"{value:.6g}" if isinstance(value, float) and not text.lstrip("-").isdecimal() else text
