"""What a model says of rows, and what may pass for it."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass

import numpy as np
import polars as pl

from assay.diagnose.case import Floats
from assay.errors import InputError
from assay.task import Task

ROUNDING = 0.01
_WHOLE = re.compile(r"(-?\d+)\.0+")


@dataclass(frozen=True, eq=False)
class Answers:
    """(n,) predictions, and (n, k) probabilities in the order of the task's classes, if any."""

    predictions: np.ndarray
    probabilities: Floats | None = None

    @classmethod
    def of(cls, said: np.ndarray, task: Task) -> Answers:
        """Return (n,) predictions as they are, or of (n, k) probabilities the likeliest classes."""
        if said.ndim == 1:
            return cls(said)
        names = np.asarray(task.class_names, dtype=object)
        return cls(names[said.argmax(axis=1)], said)


Ask = Callable[[pl.DataFrame], Answers]
"""What a model says of rows."""


def as_names(values: pl.Series) -> np.ndarray:
    """Return (n,) class names: 1.0 and 1 are one class, as readers of CSV have it."""
    if values.dtype.is_float() and (values == values.round()).all():
        values = values.cast(pl.Int64)
    return values.cast(pl.String).to_numpy().astype(object)


def spelt(names: Iterable[str], classes: Sequence[str]) -> np.ndarray:
    """Return (n,) names as the classes are spelt: "True" is true and "1.0" is 1, where these are.

    What is a class as it stands stays as it is, and so does what is none.
    """
    known = {_plain(each): each for each in classes} | {each: each for each in classes}
    found = [known[each] if each in known else known.get(_plain(each), each) for each in names]
    return np.asarray(found, dtype=object)


def _plain(name: str) -> str:
    whole = _WHOLE.fullmatch(name)
    if whole is not None:
        return whole[1]
    lower = name.lower()
    return lower if lower in ("true", "false") else name


def checked_shares(shares: Floats, task: Task) -> Floats:
    """Return (n, k) probabilities; raise `InputError` where they are none."""
    if shares.shape[1] != len(task.classes):
        raise InputError(
            "The probabilities do not fit the classes.",
            given=f"probabilities of {shares.shape[1]} classes",
            allowed=f"of {len(task.classes)}, in the order {', '.join(task.class_names[:20])}",
            next_step="name the classes: columns probability:CLASS, or a model with classes_",
        )
    sums = shares.sum(axis=1)
    if not np.isfinite(shares).all() or (shares < 0).any() or (abs(sums - 1) > ROUNDING).any():
        raise InputError("The probabilities of a row must be none negative, and add up to 1.")
    return shares
