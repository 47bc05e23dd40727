"""Numbers from outside, checked before any statistic reads them."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from assay.errors import InputError

Floats = NDArray[np.float64]
Codes = NDArray[np.int64]
Rows = NDArray[Any]

SUM_TOLERANCE = 1e-3


def as_array(values: Any, name: str) -> Rows:
    """Return ``values`` as an array; raise `InputError` when absent or ragged."""
    if values is None:
        raise InputError(f"{name} is missing.", next_step=f"pass {name}")
    try:
        return np.asarray(values)
    except ValueError as error:
        raise InputError(
            f"{name} is not a rectangular array.", next_step="give every row the same length"
        ) from error


def finite(values: Any, name: str) -> Floats:
    """Return ``values`` as float64; raise `InputError` for what is not a finite number."""
    try:
        numbers = np.asarray(values, dtype=np.float64)
    except (TypeError, ValueError) as error:
        raise InputError(f"{name} must hold numbers.") from error
    bad = ~np.isfinite(numbers)
    if bad.any():
        first = int(np.flatnonzero(bad.reshape(len(numbers), -1).any(axis=1))[0])
        raise InputError(
            f"{name} holds NaN or infinite values.",
            given=f"{int(bad.sum())} of them, first in row {first}",
            next_step="predict those rows again or leave them out of every input",
        )
    return numbers


def probabilities(values: Rows, classes: tuple[str, ...], name: str) -> Floats:
    """Return (n, k) probabilities; raise `InputError` for rows that do not sum to one."""
    k = len(classes)
    if values.ndim != 2 or values.shape[1] != k:
        raise InputError(
            f"{name} must hold one probability for each class.",
            given=f"shape {values.shape}",
            allowed=f"(n, {k}) in the order {', '.join(classes)}",
            next_step="pass classes= in the order of the columns",
        )
    numbers = finite(values, name)
    sums = numbers.sum(axis=1)
    wrong = (np.abs(sums - 1) > SUM_TOLERANCE) | (numbers.min(axis=1) < 0)
    if wrong.any():
        row = int(np.flatnonzero(wrong)[0])
        raise InputError(
            f"{name} must hold probabilities: each in [0, 1], each row summing to one.",
            given=f"{int(wrong.sum())} rows that are not; row {row} sums to {sums[row]:.6g}",
            next_step="normalise them, or use a metric that reads labels or scores",
        )
    return numbers


def row_weights(values: Any, n: int) -> Floats | None:
    """Return (n,) weights with mean one, or None for None."""
    if values is None:
        return None
    weights = finite(as_array(values, "weights"), "weights")
    if weights.shape != (n,) or weights.min() < 0 or weights.sum() == 0:
        raise InputError(
            "weights must be one non-negative number a row, not all zero.",
            given=f"shape {weights.shape}, smallest {weights.min():.3g}",
            allowed=f"({n},)",
        )
    return np.asarray(weights / weights.mean())
