"""Class labels of any type, as positions among the classes."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from assay.errors import InputError
from assay.evidence.numbers import Codes, Rows, finite


class Labels:
    """One column of labels: its distinct names in order, and each row's position among them."""

    def __init__(self, values: Rows, name: str) -> None:
        if values.ndim != 1:
            raise InputError(f"{name} must have one label a row.", given=f"shape {values.shape}")
        self.parameter = name
        self.names, self.positions = _distinct(values, name)

    def among(self, classes: Sequence[str]) -> Codes:
        """Return every row's position in ``classes``; raise `InputError` for a label not there."""
        place = {each: code for code, each in enumerate(classes)}
        unknown = [each for each in self.names if each not in place]
        if unknown:
            raise InputError(
                f"{self.parameter} holds labels that are not among the classes.",
                given=", ".join(unknown[:5]),
                allowed=", ".join(classes),
                next_step="check spelling and letter case, or pass classes= with every class",
            )
        codes: Codes = np.array([place[each] for each in self.names], dtype=np.int64)
        return np.asarray(codes[self.positions])


def given_classes(classes: Sequence[Any]) -> tuple[str, ...]:
    """Return the classes that the user named, as strings."""
    named = tuple(_label(each) for each in classes)
    if len(set(named)) != len(named):
        raise InputError("classes must not repeat.", given=", ".join(named))
    return named


def found_classes(truth: Labels, models: Sequence[Sequence[Labels]]) -> tuple[str, ...]:
    """Return the classes in truth, then those that every model predicts beside them.

    Raises
    ------
    InputError
        When one model alone predicts a label that truth does not hold: likely a misspelling.
    """
    extra = [{name for fit in fits for name in fit.names} - set(truth.names) for fits in models]
    everywhere = set.intersection(*extra) if extra else set()
    for fits, new in zip(models, extra, strict=True):
        if new - everywhere:
            raise InputError(
                f"{fits[0].parameter} holds labels that neither truth nor the other model knows.",
                given=", ".join(sorted(new - everywhere)[:5]),
                allowed=", ".join(truth.names),
                next_step="check spelling and letter case, or pass classes= with every class",
            )
    return (*truth.names, *sorted(everywhere))


def _distinct(values: Rows, name: str) -> tuple[list[str], NDArray[np.int64]]:
    if values.dtype.kind in "biuf":
        if values.dtype.kind == "f":
            finite(values, name)
        distinct, inverse = np.unique(values, return_inverse=True)
        return [_label(each) for each in distinct.tolist()], inverse.astype(np.int64)
    import polars as pl

    listed = values.tolist()
    try:
        column = pl.Series(listed, dtype=pl.String)
    except TypeError:  # mixed types: 1, "1" and 1.0 are one label
        column = pl.Series([None if _empty(e) else _label(e) for e in listed], dtype=pl.String)
    if column.null_count():
        raise InputError(
            f"{name} holds empty labels.",
            given=f"{column.null_count()} of them, first in row {column.is_null().arg_max()}",
            next_step="leave those rows out of every input",
        )
    names: list[str] = column.unique().sort().to_list()
    codes = column.cast(pl.Enum(names)).to_physical().to_numpy()
    return names, codes.astype(np.int64)


def _label(value: Any) -> str:
    if isinstance(value, float) and value.is_integer():
        return str(int(value))
    return str(value)


def _empty(value: Any) -> bool:
    return value is None or bool(value != value)  # NaN differs from itself
