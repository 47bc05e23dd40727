"""Numbers that a small function computes from columns, in the sandbox."""

from __future__ import annotations

import numpy as np
import polars as pl

from assay.errors import InputError
from assay.recipe.spec import Derived
from assay.sandbox import Limits, run

LIMITS = Limits(wall_seconds=60, cpu_seconds=60, file_mebibytes=16, output_bytes=512 * 2**20)
MOST_COLUMNS = 64
_PROGRAM = """
{code}

seen = rows if seen is None else seen
values = feature(rows, seen)
again = feature(rows.reverse().head(rows.height // 2 + 1), seen)
"""


class DerivedEncoder:
    """Runs the function on any rows; what is absent becomes the training rows' mean.

    The function is given the columns that the feature names, never the target, and the training
    rows' same columns to take statistics from. A value may depend on nothing else: it is
    computed a second time among other rows, and must be the same.
    """

    def __init__(self, feature: Derived) -> None:
        from sklearn.impute import SimpleImputer
        from sklearn.pipeline import make_pipeline
        from sklearn.preprocessing import StandardScaler

        self._feature = feature
        self._pipeline = make_pipeline(SimpleImputer(keep_empty_features=True), StandardScaler())
        self._seen: pl.DataFrame | None = None
        self._names: list[str] = []

    def fit_transform(self, rows: pl.DataFrame) -> np.ndarray:
        """Learn from ``rows`` and return their (n, d) matrix."""
        values = values_of(self._feature, rows)
        self._seen, self._names = rows.select(self._feature.columns), values.columns
        return np.asarray(self._pipeline.fit_transform(values.to_numpy()), dtype=np.float64)

    def transform(self, rows: pl.DataFrame) -> np.ndarray:
        """Return the (n, d) matrix of ``rows``."""
        values = values_of(self._feature, rows, self._seen)
        if values.columns != self._names:
            raise _unusable(self._feature, "it gives other columns for other rows")
        return np.asarray(self._pipeline.transform(values.to_numpy()), dtype=np.float64)


def values_of(
    feature: Derived, rows: pl.DataFrame, seen: pl.DataFrame | None = None
) -> pl.DataFrame:
    """Return a feature's values for ``rows``, as floats; what is not finite is null.

    Parameters
    ----------
    seen
        The training rows that statistics are taken from; by default ``rows``.

    Raises
    ------
    InputError
        When the function fails, gives something besides one number for each row, or a value
        that depends on the other rows.
    """
    missing = [name for name in feature.columns if name not in rows.columns]
    if missing:
        raise _unusable(feature, f"the rows have no column {missing[0]!r}")
    shown = rows.select(feature.columns).fill_nan(None)
    known = None if seen is None else seen.select(feature.columns).fill_nan(None)
    outcome = run(
        _PROGRAM.format(code=feature.code),
        {"rows": shown, "seen": known},
        outputs=["values", "again"],
        limits=LIMITS,
    )
    if not outcome.ok:
        raise _unusable(feature, outcome.why)
    values = _floats(feature, outcome.outputs["values"], rows.height)
    again = _floats(feature, outcome.outputs["again"], rows.height // 2 + 1 if rows.height else 0)
    same = values.reverse().head(again.height)
    if same.columns != again.columns or not np.allclose(
        same.to_numpy(), again.to_numpy(), rtol=1e-6, atol=1e-9, equal_nan=True
    ):
        raise _unusable(feature, "its value for a row depends on the other rows beside it")
    return values


def _floats(feature: Derived, found: object, rows: int) -> pl.DataFrame:
    if not isinstance(found, pl.DataFrame):
        raise _unusable(feature, "it gives no Polars table or column")
    if found.height != rows:
        raise _unusable(feature, f"it gives {found.height:,} values for {rows:,} rows")
    if not 0 < found.width <= MOST_COLUMNS:
        raise _unusable(feature, f"it gives {found.width} columns, not 1 to {MOST_COLUMNS}")
    other = [
        column.name
        for column in found.get_columns()
        if not (column.dtype.is_numeric() or column.dtype in (pl.Boolean, pl.Null))
    ]
    if other:
        raise _unusable(feature, f"{other[0]!r} holds no numbers")
    numbers = found.cast(pl.Float64)
    return numbers.select(pl.when(pl.all().is_finite()).then(pl.all()))


def _unusable(feature: Derived, why: str) -> InputError:
    return InputError(
        f"The feature {feature.name!r} cannot be computed: {why.rstrip('.')}.",
        next_step="mend or remove it under [[features]] in recipe.toml",
    )
