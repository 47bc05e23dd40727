"""What was said of rows, before it is settled which classes there are."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import polars as pl

from assay.diagnose.answers import Answers, as_names, checked_shares, spelt
from assay.diagnose.case import Floats
from assay.errors import InputError
from assay.task import Task


@dataclass(frozen=True, eq=False)
class Said:
    """Predictions, probabilities, or both.

    Attributes
    ----------
    values
        (n,) predictions as they were given; None where there are only probabilities.
    shares
        (n, k) probabilities, if any.
    names
        The classes that the model knows by name, in the order of the probabilities; none where
        these are in the order of the sorted classes.
    """

    values: pl.Series | None = None
    shares: Floats | None = None
    names: tuple[str, ...] = ()

    def __post_init__(self) -> None:
        gaps = 0 if self.values is None else _gaps(self.values)
        if gaps:
            raise InputError("The predictions have gaps.", given=f"{gaps:,} empty")

    @property
    def given(self) -> tuple[str, ...]:
        """The classes that are predicted."""
        return () if self.values is None else tuple(as_names(self.values.unique()))

    def answers(self, task: Task) -> Answers:
        """Return it as what it says of the task.

        Raises
        ------
        InputError
            When it does not fit the kind or the classes of the task.
        """
        if task.kind == "regression":
            return Answers(self._numbers())
        shares = None if self.shares is None else self._placed(self.shares, task)
        if self.values is not None:
            return Answers(spelt(as_names(self.values), task.class_names), shares)
        assert shares is not None  # noqa: S101
        return Answers.of(shares, task)

    def _numbers(self) -> np.ndarray:
        numbers = None if self.values is None else self.values.cast(pl.Float64, strict=False)
        if numbers is None or numbers.null_count() or not numbers.is_finite().all():
            raise InputError("The predictions of a regression must be finite numbers.")
        return numbers.to_numpy()

    def _placed(self, shares: Floats, task: Task) -> Floats:
        """Return the probabilities in the order of the task's classes."""
        if self.names:
            order = [task.class_names.index(each) for each in spelt(self.names, task.class_names)]
            placed = np.zeros((len(shares), len(task.classes)))
            placed[:, order] = shares
            shares = placed
        return checked_shares(shares, task)


def _gaps(values: pl.Series) -> int:
    empty = values.null_count()
    return empty + int(values.is_nan().sum()) if values.dtype.is_float() else empty
