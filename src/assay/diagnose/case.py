"""The case: rows, what is true of them, and what the model said."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace
from functools import cached_property
from typing import Any

import numpy as np
import polars as pl

from assay.seeds import derive_seed
from assay.tables import half_of, row_units
from assay.task import Task

Floats = np.ndarray[Any, np.dtype[np.float64]]
DIMENSIONS = 50


@dataclass(frozen=True, eq=False)
class Case:
    """What is diagnosed, or a part of it.

    Attributes
    ----------
    rows
        (n,) rows with ``row_id``, the task's inputs and whatever other columns there are, the
        target not among them.
    truth, predictions
        (n,) class names, or float64 values for a regression.
    losses
        (n,) what each row costs; higher is worse.
    probabilities
        (n, k) in the order of ``task.class_names``; None where the model gives none.
    weights
        (n,) how much each row counts; None for all alike.
    meaning
        (n, d) sentence embeddings of the texts; None where they are not known.
    training
        The rows the model was fitted on, with their target; None where unknown.
    protected
        Columns whose groups the model must treat alike.
    annotator
        The column that names who labelled each row; None where it is not known.
    predict
        Rows to (n,) predictions, for tests that change rows; None where the model is not at hand.
    state
        Rows to (n, k) probabilities; None where the model gives none, or is not at hand.
    """

    rows: pl.DataFrame
    task: Task
    truth: np.ndarray
    predictions: np.ndarray
    losses: Floats
    probabilities: Floats | None = None
    weights: Floats | None = None
    meaning: np.ndarray | None = None
    training: pl.DataFrame | None = None
    protected: tuple[str, ...] = ()
    annotator: str | None = None
    predict: Callable[[pl.DataFrame], np.ndarray] | None = None
    state: Callable[[pl.DataFrame], Floats | None] | None = None
    seed: int = 0

    @property
    def n(self) -> int:
        """How many rows there are."""
        return self.rows.height

    @property
    def columns(self) -> tuple[str, ...]:
        """The columns that can describe a row: the inputs, then any others that were given.

        Lists, records, bytes and lengths of time describe none.
        """
        inputs = [name for name in self.task.inputs if name in self.rows.columns]
        roles = {self.task.target, self.task.group, "row_id"}
        every, kinds = dict.fromkeys([*inputs, *self.rows.columns]), self.rows.schema
        return tuple(name for name in every if name not in roles and _describes(kinds[name]))

    @cached_property
    def groups(self) -> np.ndarray | None:
        """(n,) number of each row's group; None where rows stand alone."""
        if self.task.group is None or self.task.group not in self.rows.columns:
            return None
        return self.rows[self.task.group].rank("dense").fill_null(0).to_numpy().astype(np.int64)

    @cached_property
    def units(self) -> np.ndarray:
        """(n,) number of the unit that each row cannot be parted from: its group and copies."""
        inputs = tuple(name for name in self.task.inputs if name in self.rows.columns)
        if not inputs:
            return np.arange(self.n) if self.groups is None else self.groups
        change = {"text": None, "features": inputs, "target": "row_id"}
        group = None if self.groups is None else self.task.group
        if self.task.text in inputs:
            change |= {"text": self.task.text, "features": inputs[1:]}
        return row_units(self.rows, self.task.model_copy(update=change | {"group": group}))

    @cached_property
    def halves(self) -> tuple[Case, Case]:
        """The discovery part and the confirmation part: half of the units each."""
        first = half_of(self.units, derive_seed(self.seed, "diagnose", "halves"))
        return self.take(np.flatnonzero(first)), self.take(np.flatnonzero(~first))

    def take(self, positions: np.ndarray) -> Case:
        """Return the case of the rows at these positions."""

        def some(values: Any) -> Any:
            return None if values is None else values[positions]

        return replace(
            self,
            rows=self.rows[positions],
            truth=self.truth[positions],
            predictions=self.predictions[positions],
            losses=self.losses[positions],
            probabilities=some(self.probabilities),
            weights=some(self.weights),
            meaning=some(self.meaning),
        )

    def head(self, most: int) -> Case:
        """Return the case of the first rows, at most so many."""
        return self.take(np.arange(min(self.n, most)))

    @property
    def stated(self) -> Floats:
        """The probabilities, of a case that is known to have them."""
        if self.probabilities is None:
            raise ValueError("the case has no probabilities")
        return self.probabilities

    def asked(self, rows: pl.DataFrame) -> np.ndarray:
        """Return what the model says of rows, of a case that is known to have its model."""
        if self.predict is None:
            raise ValueError("the case has no model")
        return self.predict(rows)

    @cached_property
    def texts(self) -> list[str]:
        """The text of each row of a text task, none of another; an empty cell is an empty text."""
        if self.task.text is None:
            return []
        return self.rows[self.task.text].cast(pl.String).fill_null("").to_list()


def _describes(kind: pl.DataType) -> bool:
    return not (kind.is_nested() or isinstance(kind, pl.Duration | pl.Binary))
