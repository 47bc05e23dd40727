"""What a model at hand reads of the rows."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from importlib.util import find_spec
from typing import Any

import numpy as np
import polars as pl

from assay.errors import InputError, shorten
from assay.tables import ROW_ID
from assay.task import Task


def columns_read(
    model: Any, rows: pl.DataFrame, task: Task, *, reserved: Iterable[str | None] = ()
) -> tuple[str, ...]:
    """Return the columns that a model reads: those it was fitted on, where it knows their names.

    Otherwise the text of a text task, and of a table all columns that have no role of their own.

    Raises
    ------
    InputError
        When the rows lack columns that it was fitted on.
    """
    fitted = fitted_on(model)
    if not set(fitted) & set(rows.columns):  # no names, or such as were made up for an array
        roles = {ROW_ID, task.target, task.group, task.time, *reserved}
        free = tuple(name for name in rows.columns if name not in roles)
        return free if task.text is None else (task.text,)
    missing = [name for name in fitted if name not in rows.columns]
    if missing:
        raise InputError(
            "The rows lack columns that the model was fitted on.",
            given=", ".join(rows.columns),
            allowed=f"rows with {', '.join(missing[:5])}",
            next_step="add them; a column of weights or predictions is not handed to the model",
        )
    return fitted


def fitted_on(model: Any) -> tuple[str, ...]:
    """Return the names of the columns that a model was fitted on; none where it does not know."""
    return tuple(map(str, getattr(model, "feature_names_in_", ())))


def handed_over(model: Any, rows: pl.DataFrame, task: Task, columns: tuple[str, ...]) -> Any:
    """Return what an object with ``predict`` is given of the rows.

    A pandas frame (Polars where pandas is absent), or the texts of a text task where it does not
    know columns by their names.
    """
    if task.text is not None and columns == (task.text,) and not fitted_on(model):
        return rows[task.text].cast(pl.String).fill_null("").to_list()
    read = rows.select(columns)
    if find_spec("pandas") is not None and find_spec("pyarrow") is not None:
        return read.to_pandas()
    return read


def answer(ask: Callable[[], Any], columns: Iterable[str]) -> np.ndarray:
    """Return what a model answers.

    Raises
    ------
    InputError
        When the model fails, with the columns that it was given.
    """
    try:
        return np.asarray(ask())
    except Exception as error:
        what = shorten(f"{type(error).__name__}: {error}").rstrip(".")
        raise InputError(
            f"The model cannot answer for these rows: {what}.",
            given=f"the columns {', '.join(columns)}",
            next_step="give it the columns that it was fitted on, as it was given them then",
        ) from error
