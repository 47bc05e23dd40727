"""Rows at the door: ids, the columns that are read, and one text for each row."""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field, replace
from typing import Any

import polars as pl
import polars.selectors as cs

from assay.errors import InputError
from assay.label.injection import FLAG, Instructions
from assay.label.reading import JOINT, Reading, read, whole
from assay.label.task import LabelTask
from assay.tables.door import to_polars
from assay.tables.infer import require_column
from assay.tables.rows import ROW_ID, with_row_ids

FOUND = (ROW_ID, "probability", "status", "why")
"""Columns that stand beside the label's in what a labelling returns."""

SIDES = "\x1e"
"""Stands between the two sides of a pair; no row's own text can hold it."""


@dataclass(frozen=True, eq=False)
class Rows:
    """Rows to label.

    Attributes
    ----------
    table
        ``row_id`` and the task's inputs, n rows.
    texts
        What an annotator reads of each.
    why
        The reason of each row that cannot be asked about.
    flags
        What a reader should know of a row: what of it was not read, and why.
    suspect
        Rows that speak to the annotator: nothing is learned from them, and a person sees them.
    known
        Position and label of rows that came with one.
    """

    table: pl.DataFrame
    texts: list[str]
    why: Mapping[int, str]
    flags: Mapping[int, str] = field(default_factory=dict)
    suspect: frozenset[int] = frozenset()
    known: Mapping[int, Any] = field(default_factory=dict)

    def __len__(self) -> int:
        return len(self.texts)

    @property
    def unfit(self) -> set[int]:
        """Rows that nothing is learned from."""
        return {*self.why, *self.suspect}


def read_rows(given: Any, task: LabelTask, *, portion: bool = False) -> tuple[Rows, LabelTask]:
    """Return the rows, and the task with the columns that it reads filled in.

    Parameters
    ----------
    given
        Any kind of table, or a sequence of texts.
    portion
        Whether these are not all rows, so that all of them may be without a text.

    Raises
    ------
    InputError
        When a column is absent, one column would be two things, or there is nothing to read.
    """
    _check_columns(task)
    table = with_row_ids(_table(given))
    if table.is_empty():
        raise InputError("There are no rows to label.", next_step="give a row or more")
    for name in task.inputs:
        require_column(table, name, "text")
    inputs = task.inputs or tuple(
        name for name in table.columns if name not in (ROW_ID, task.target)
    )
    if not inputs:
        raise InputError("The rows have no column to read.", given=", ".join(table.columns))
    task = task.model_copy(update={"inputs": inputs})
    rows = rows_of(table.select(ROW_ID, *inputs), task)
    if len(rows.why) == len(rows) and not portion:
        raise InputError("No row holds a text.", given=f"columns {', '.join(inputs)}",
                         next_step="name the columns to read as the task's inputs")  # fmt: skip
    return replace(rows, known=_known(table, task)), task


def _check_columns(task: LabelTask) -> None:
    """Raise an InputError where one column would be two things."""
    if task.target in FOUND:
        raise InputError(
            "The label's column has a name that a labelling gives to another.",
            given=task.target,
            allowed=f"any name but {', '.join(FOUND)}",
            next_step="name another target, and give the column of gold that name",
        )
    if task.target in task.inputs:
        raise InputError(
            "The label's column would be read as well.",
            given=task.target,
            next_step="name another target, or leave it out of the columns to read",
        )
    twice = [name for name in (ROW_ID, *task.inputs) if (ROW_ID, *task.inputs).count(name) > 1]
    if twice:
        raise InputError(
            "A column would be read twice, or is the rows' own id.",
            given=twice[0],
            next_step="name each column once; an id that says something needs another name",
        )
    aside = [name for name in (*task.left, *task.right) if name not in task.inputs]
    if task.kind == "match" and aside:
        raise InputError(
            "A column of a pair is none of those that are read.",
            given=aside[0],
            allowed=", ".join(task.inputs),
            next_step="leave the inputs out: a pair's are its left and its right",
        )


def rows_of(table: pl.DataFrame, task: LabelTask) -> Rows:
    """Return the rows of a table that holds ``row_id`` and the task's inputs."""
    readings = read_texts(table, task)
    why = {
        row: "the text is empty"
        for row, each in enumerate(readings)
        if not each.text.replace(SIDES, "").strip()
    }
    flags = {row: JOINT.join(each.flags) for row, each in enumerate(readings) if each.flags}
    suspect = frozenset(row for row, each in enumerate(readings) if each.suspect)
    return Rows(table, [each.text for each in readings], why, flags, suspect)


def read_texts(table: pl.DataFrame, task: LabelTask) -> list[Reading]:
    """Return what an annotator reads of each row.

    Tags of HTML, hidden characters and instructions to the annotator are left out. A text
    whose words are extracted is read as it is, so that a span's place in it is its place in
    the row.
    """
    if task.kind == "extract":
        return [_as_it_is(text) for text in render(table, task)]
    instructions = Instructions(task.class_names)
    if task.kind != "match":
        return [read(text, instructions) for text in render(table, task)]
    # One heading for both sides, so that a swapped pair reads the same.
    headings = task.left if len(task.left) == len(task.right) else ()
    sides = (
        [read(text, instructions) for text in _lines(table, columns, headings)]
        for columns in (task.left, task.right)
    )
    return [_pair(*both) for both in zip(*sides, strict=True)]


def render(table: pl.DataFrame, task: LabelTask) -> list[str]:
    """Return each row's text, or ``column: value`` lines where there are several columns.

    Numbers are short, dates are ISO, and what is empty is left out.
    """
    return _lines(table, task.inputs, task.inputs)


def _lines(table: pl.DataFrame, names: tuple[str, ...], headings: tuple[str, ...]) -> list[str]:
    columns = [_words(table[name]) for name in names]
    if len(columns) == 1:
        return columns[0]
    starts = [f"{heading}: " for heading in headings] or [""] * len(names)
    return [
        "\n".join(start + value for start, value in zip(starts, row, strict=True) if value)
        for row in zip(*columns, strict=True)
    ]


def _words(column: pl.Series) -> list[str]:
    """Return a column's values as a person would write them; nulls are blank."""
    kind = column.dtype
    if kind.is_float() or kind.is_decimal():
        return ["" if each is None or math.isnan(each) else f"{each:.6g}"
                for each in column.to_list()]  # fmt: skip
    if isinstance(kind, pl.Datetime):
        return [_moment(each.isoformat(" ")) if each else "" for each in column.to_list()]
    if kind == pl.Boolean:
        return ["" if each is None else ("yes" if each else "no") for each in column.to_list()]
    if kind.is_nested():
        return [_listed(each) for each in column.to_list()]
    if kind == pl.Binary:
        raise InputError(
            f"The column {column.name!r} holds bytes.",
            next_step="leave it out of the inputs, or decode it",
        )
    return [str(each) for each in column.cast(pl.String).fill_null("").to_list()]


def _moment(told: str) -> str:
    """Return an ISO time, its clock left out at midnight."""
    return told.removesuffix(" 00:00:00")


def _listed(value: Any) -> str:
    if value is None:
        return ""
    if isinstance(value, Mapping):
        return ", ".join(f"{name} {each}" for name, each in value.items() if each is not None)
    if isinstance(value, Iterable) and not isinstance(value, str):
        return ", ".join(str(each) for each in value if each is not None)
    return str(value)


def _as_it_is(text: str) -> Reading:
    text, flags = whole(text)
    suspect = Instructions().cut_from(text) is not None
    return Reading(text, (*flags, FLAG) if suspect else flags, suspect)


def _pair(left: Reading, right: Reading) -> Reading:
    if not left.text.strip() or not right.text.strip():
        return Reading("", (*left.flags, *right.flags), left.suspect or right.suspect)
    flags = tuple(dict.fromkeys((*left.flags, *right.flags)))
    return Reading(left.text + SIDES + right.text, flags, left.suspect or right.suspect)


def _table(given: Any) -> pl.DataFrame:
    if isinstance(given, list | tuple) and not any(isinstance(each, Mapping) for each in given):
        strange = [each for each in given if not (each is None or isinstance(each, str))]
        if strange:
            raise InputError(
                "A list of rows must be a list of texts.",
                given=type(strange[0]).__name__,
                allowed="texts, or a table",
            )
        return pl.DataFrame({"text": list(given)}, schema={"text": pl.String})
    return text_columns(to_polars(given))


def text_columns(table: pl.DataFrame) -> pl.DataFrame:
    """Return a table with its categories, and columns that hold nothing, as texts."""
    return table.with_columns(
        cs.by_dtype(pl.Categorical, pl.Enum).cast(pl.String), cs.by_dtype(pl.Null).cast(pl.String)
    )


def _known(table: pl.DataFrame, task: LabelTask) -> dict[int, Any]:
    """Return the labels that the rows themselves hold."""
    if task.target not in table.columns or task.target in task.inputs:
        return {}
    told = table[task.target].to_list()
    return {row: label for row, label in enumerate(told) if label is not None and label != ""}
