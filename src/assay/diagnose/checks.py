"""What is refused of a table before it is diagnosed, with what to do about it."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

import numpy as np
import polars as pl

from assay.diagnose.case import Floats
from assay.errors import InputError
from assay.tables import require_column

FEWEST = 20


def check_roles(
    table: pl.DataFrame, roles: Iterable[tuple[str, str | None]], answers: Iterable[str]
) -> None:
    """Raise an InputError where a column cannot have its role, or has two that exclude each other.

    Parameters
    ----------
    roles
        What each column is named as; ``truth`` and ``weight`` first, whose columns are no others'.
    answers
        Columns of predictions and probabilities.
    """
    taken = dict.fromkeys(answers, "predictions")
    for role, name in roles:
        if name is None:
            continue
        require_column(table, name, role)
        if name in taken:
            raise InputError(
                f"One column cannot be both {taken[name]} and {role}.",
                given=name,
                next_step=f"name another as {role}, or rename it",
            )
        if table[name].dtype.is_nested() or table[name].dtype == pl.Binary:
            raise InputError(
                f"The column {name!r} cannot be {role}.",
                given=table[name].dtype,
                allowed="words, numbers, truth values, dates or times",
            )
        if role in ("truth", "weight"):
            taken[name] = role


def check_truth(truth: pl.Series) -> None:
    """Raise an InputError where there are too few true values, or gaps among them."""
    number = truth.dtype.is_float()
    gaps = truth.null_count() + (int(truth.is_nan().sum()) if number else 0)
    if gaps:
        raise InputError(
            f"The true values {truth.name!r} have gaps.",
            given=f"{gaps:,} empty",
            next_step="leave out the rows whose truth is not known",
        )
    if number and truth.is_infinite().any():
        raise InputError(
            f"The true values {truth.name!r} are not all finite.",
            given=f"row {truth.is_infinite().arg_true()[0] + 1} is infinite",
            next_step="correct these rows, or leave them out",
        )
    if truth.len() < FEWEST:
        raise InputError(
            "There are too few rows to diagnose.",
            given=f"{truth.len()} rows",
            allowed=f"at least {FEWEST}",
        )


def weights_of(column: pl.Series) -> Floats:
    """Return (n,) weights; raise an InputError where they are none."""
    values = column.cast(pl.Float64, strict=False).fill_null(float("nan")).to_numpy()
    if not np.isfinite(values).all() or (values < 0).any() or values.sum() == 0:
        raise InputError(
            f"The weights {column.name!r} must be finite, none negative, and not all zero."
        )
    return values


def shares_of(probabilities: Any, n: int) -> Floats:
    """Return (n, k) probabilities that were given as an array."""
    try:
        shares = np.asarray(probabilities, dtype=np.float64)
    except (TypeError, ValueError) as error:
        raise InputError(f"probabilities must hold numbers: {error}.") from error
    if shares.ndim != 2 or len(shares) != n:
        raise InputError(
            "probabilities must be one line a row and one column a class.",
            given=f"shape {shares.shape}",
            allowed=f"({n}, classes)",
        )
    return shares


def shares_in(table: pl.DataFrame, columns: list[str]) -> Floats:
    """Return (n, k) probabilities that stand in columns."""
    words = [name for name in columns if not table[name].dtype.is_numeric()]
    if words:
        raise InputError(
            "Columns of probabilities must hold numbers.",
            given=f"{words[0]!r} holds {table[words[0]].dtype}",
            allowed="numbers from 0 to 1",
        )
    return table.select(columns).cast(pl.Float64).fill_null(float("nan")).to_numpy()
