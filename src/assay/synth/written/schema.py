"""The typed answer that a model fills in for one row, and back again."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Literal

import polars as pl
from pydantic import BaseModel, Field, create_model

from assay.task import Task

LONGEST = 2000
"""Characters that a model may write for a text."""

MOST_VALUES = 30
"""A column of words with at most so many different values is a choice among them."""


class RowSchema:
    """One field for each input column.

    Fields are called ``c0``, ``c1``, … beside the column's name in their description, so that a
    column may be called anything; whole numbers, numbers and words keep their kind.

    Parameters
    ----------
    rows
        Real rows: their types and words decide what a field may hold.
    """

    def __init__(self, rows: pl.DataFrame, task: Task) -> None:
        self._columns = {f"c{at}": name for at, name in enumerate(task.inputs)}
        fields: dict[str, Any] = {
            key: _field(rows[name], is_text=name == task.text)
            for key, name in self._columns.items()
        }
        self.model: type[BaseModel] = create_model("Row", **fields)

    def shown(self, row: Mapping[str, Any], longest: int) -> dict[str, Any]:
        """Return a real row as the model should see it."""
        from assay.synth.text.editing import cut

        return {
            key: cut(value, longest) if isinstance(value := row[name], str) else _plain(value)
            for key, name in self._columns.items()
        }

    def legend(self) -> str:
        """Return which column each field stands for."""
        return ", ".join(f"{key} is {name!r}" for key, name in self._columns.items())

    def read(self, answer: BaseModel) -> dict[str, Any]:
        """Return the row that was written, by column."""
        return {name: getattr(answer, key) for key, name in self._columns.items()}


def _field(column: pl.Series, *, is_text: bool) -> Any:
    about = {"description": column.name}
    if is_text:
        return str, Field(min_length=1, max_length=LONGEST, **about)  # type: ignore[call-overload]
    if column.dtype == pl.Boolean:
        return bool | None, Field(**about)  # type: ignore[call-overload]
    if column.dtype.is_integer():
        return int | None, Field(**about)  # type: ignore[call-overload]
    if column.dtype.is_numeric():
        return float | None, Field(**about)  # type: ignore[call-overload]
    values = tuple(sorted({str(each) for each in column.drop_nulls().to_list()}))
    if 0 < len(values) <= MOST_VALUES:
        return Literal[values] | None, Field(**about)  # type: ignore[call-overload]
    return str | None, Field(max_length=LONGEST, **about)  # type: ignore[call-overload]


def _plain(value: Any) -> Any:
    return value if value is None or isinstance(value, int | float) else str(value)
