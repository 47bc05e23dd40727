"""The bootstrap of any function of the rows, at a cost that does not grow with them.

Above :data:`MOST_ROWS` rows a replicate draws that many only, and its deviation is scaled to the
number there are (m out of n: Bickel, Goetze and van Zwet 1997).
"""

from __future__ import annotations

import numpy as np

from assay.errors import InputError
from assay.evidence.inputs import Sample
from assay.evidence.kernels import Whole
from assay.evidence.numbers import Floats, Rows
from assay.evidence.resampled import Resampled, acceleration

MOST_ROWS = 20_000
JACKKNIFE_BLOCKS = 200
LEAST_UNITS = 200


def of_rows(
    sample: Sample, kernel: Whole, sign: int, shares: Floats, rng: np.random.Generator
) -> Resampled:
    """Bootstrap a function of the rows; see :func:`assay.evidence.bootstrap.resample`.

    Parameters
    ----------
    shares
        (b, fits) how much each fit counts in each replicate.
    """
    order = _canonical(sample)
    truth = sample.truth[order]
    models = [[fit[order] for fit in model] for model in sample.models]
    weights = None if sample.weights is None else sample.weights[order]
    units = _Units(sample.n, None if sample.groups is None else sample.groups[order])
    m = min(units.count, max(LEAST_UNITS, MOST_ROWS * units.count // sample.n))

    def by_fit(rows: Rows, swap: Rows | None = None) -> Floats:
        chosen = None if weights is None else weights[rows]
        taken = [[fit[rows] for fit in model] for model in models]
        values = np.array(
            [[kernel.of(truth[rows], fit, chosen) for fit in fits] for fits in _swap(taken, swap)]
        )
        return np.asarray(sign * (values[-1] - values[0]) if len(values) == 2 else values[0])

    value = float(by_fit(np.arange(sample.n)).mean())
    _require_defined(np.array([value]), 1)
    drawn, swapped = np.empty(len(shares)), np.zeros(len(shares))
    for i, share in enumerate(shares):
        drawn[i] = by_fit(units.rows(rng.integers(units.count, size=m))) @ share
        if len(models) == 2:
            some = units.some(m, rng)
            swap = np.repeat(rng.random(m) < 0.5, units.size[some])
            swapped[i] = by_fit(units.rows(some), swap).mean()
    drawn = _require_defined(drawn, len(shares) // 2)
    swapped = _require_defined(swapped, len(shares) // 2)
    some = units.some(m, rng)
    blocks = np.arange(m) % min(m, JACKKNIFE_BLOCKS)
    left = np.array(
        [by_fit(units.rows(some[blocks != each])).mean() for each in range(blocks.max() + 1)]
    )
    left = left[np.isfinite(left)]
    ratio = m / units.count
    return Resampled(
        value,
        # The spread shrinks with the root of the rows, the bias with the rows.
        value + (drawn.mean() - value) * ratio + (drawn - drawn.mean()) * ratio**0.5,
        acceleration(left.mean() - left, np.ones(len(left))) * ratio**0.5,
        units.count,
        units.count - 1,
        swapped * ratio**0.5 if len(models) == 2 else None,
    )


def _require_defined(values: Floats, least: int) -> Floats:
    """Return the finite values; a draw may lack what the metric needs, but most must not."""
    defined = values[np.isfinite(values)]
    if len(defined) < least:
        raise InputError(
            "the metric is undefined on these rows, or on most draws of them.",
            given=f"{len(values) - len(defined)} of {len(values)}",
            next_step="give more rows, or choose another metric",
        )
    return defined


class _Units:
    """What is drawn: rows, or groups with all their rows."""

    def __init__(self, n: int, groups: Rows | None) -> None:
        self._member = None
        self.size = np.ones(n, dtype=np.int64)
        if groups is not None:
            self._member = np.argsort(groups, kind="stable")
            self.size = np.bincount(groups)
        self.count = len(self.size)
        self._start = np.cumsum(self.size) - self.size

    def rows(self, units: Rows) -> Rows:
        """Return the rows of ``units``, in their order."""
        if self._member is None:
            return units
        size = self.size[units]
        first = self._start[units] - (np.cumsum(size) - size)
        return np.asarray(self._member[np.repeat(first, size) + np.arange(size.sum())])

    def some(self, m: int, rng: np.random.Generator) -> Rows:
        """Return all units, or ``m`` of them drawn at random."""
        if m == self.count:
            return np.arange(m)
        return rng.integers(self.count, size=m)


def _swap(models: list[list[Rows]], swap: Rows | None) -> list[list[Rows]]:
    """Return both models with the rows in ``swap`` exchanged."""
    if swap is None:
        return models
    pairs = list(zip(*models, strict=True))
    masks = [swap[:, None] if before.ndim == 2 else swap for before, _ in pairs]
    return [
        [np.where(mask, pair[1 - i], pair[i]) for mask, pair in zip(masks, pairs, strict=True)]
        for i in range(2)
    ]


def _canonical(sample: Sample) -> Rows:
    """Return an order of the rows that depends on their content alone."""
    keys = [sample.truth, *(fit for model in sample.models for fit in model)]
    columns = [column for key in keys for column in (key.T if key.ndim == 2 else key[None])]
    if sample.weights is not None:
        columns.append(sample.weights)
    return np.lexsort(columns)
