"""The bootstrap of a function of confusion matrices.

It resamples the distinct rows with their counts, so a million rows cost as much as the few
hundred ways in which two models can be right or wrong.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import TYPE_CHECKING

import numpy as np

from assay.evidence.inputs import Sample
from assay.evidence.kernels import OfConfusion
from assay.evidence.numbers import Floats
from assay.evidence.patterns import patterns
from assay.evidence.resampled import Resampled, acceleration

if TYPE_CHECKING:
    from scipy.sparse import csr_array

CHUNK = 4_000_000


def of_confusion(
    sample: Sample, kernel: OfConfusion, sign: int, shares: Floats, rng: np.random.Generator
) -> Resampled:
    """Bootstrap a function of confusion matrices; see :func:`assay.evidence.rowwise.of_rows`."""
    k, fits = len(sample.classes), len(sample.models[0])
    models, replicates = len(sample.models), len(shares)
    cells, multiplicity, units = patterns(sample, k)
    by_fit = _by_fit(kernel.of, models, fits, k, sign)
    total = np.asarray(cells.T @ multiplicity).ravel()
    drawn = [
        by_fit(np.asarray((cells.T @ counts.T).T))
        for counts in _draws(multiplicity, replicates, cells.shape[1], rng)
    ]
    removal = _removal(kernel.of, total, models, fits, k, sign)
    influence = np.asarray(cells @ removal)
    influence -= np.average(influence, weights=multiplicity)
    swapped, one = None, 0.0
    if models == 2:
        one = _one_unit(kernel.of, total, cells, multiplicity, k)
        half = cells.shape[1] // 2
        difference = cells[:, half:] - cells[:, :half]
        swapped = np.concatenate(
            [
                by_fit(total + np.concatenate([moved, -moved], axis=1)).mean(axis=1)
                for moved in _swaps(difference, multiplicity, replicates, rng)
            ]
        )
    return Resampled(
        float(by_fit(total[None]).mean()),
        (np.concatenate(drawn) * shares).sum(axis=1),
        acceleration(influence, multiplicity),
        units,
        _degrees(cells, multiplicity, removal, k),
        swapped,
        one,
    )


def _one_unit(
    of: Callable[[Floats], Floats], total: Floats, cells: csr_array, multiplicity: Floats, k: int
) -> float:
    """Return the most that the rows of one unit can change, by being right or wrong.

    A unit here is the average of those that hold a class; the rest of the class stays as it is.
    """
    held = np.array([_holding(cells, multiplicity, code, k) for code in range(k)])
    most = 0.0
    for matrix in total.reshape(-1, k, k):
        size = matrix.sum(axis=1)
        amount = size / np.maximum(held, 1)
        others = np.where(np.eye(k, dtype=bool), -1.0, matrix.sum(axis=0))
        step = max(1, CHUNK // (k * k))
        for start in range(0, k, step):
            code = np.arange(start, min(k, start + step))
            here = np.arange(len(code))
            right = np.repeat(matrix[None], len(code), axis=0)
            right[here, code] *= (1 - amount[code] / np.maximum(size[code], 1e-300))[:, None]
            wrong = right.copy()
            right[here, code, code] += amount[code]
            wrong[here, code, others[code].argmax(axis=1)] += amount[code]
            most = max(most, float(np.abs(of(right) - of(wrong)).max()))
    return most


def _holding(cells: csr_array, multiplicity: Floats, code: int, k: int) -> float:
    """Return the number of units that hold a row of the class."""
    columns = slice(code * k, (code + 1) * k)
    return float(multiplicity[np.asarray(cells[:, columns].sum(axis=1)).ravel() > 0].sum())


def _degrees(cells: csr_array, multiplicity: Floats, removal: Floats, k: int) -> float:
    """Welch-Satterthwaite over the true classes, each with the units in which it occurs."""
    true_class = np.arange(len(removal)) // k % k
    top = bottom = 0.0
    for code in range(k):
        here = true_class == code
        holds = np.asarray(cells @ here.astype(np.float64)) > 0
        count = float(multiplicity[holds].sum())
        if count < 2:
            continue
        part = np.asarray(cells @ np.where(here, removal, 0.0))[holds]
        part -= np.average(part, weights=multiplicity[holds])
        variance = float(multiplicity[holds] @ part**2)
        top, bottom = top + variance, bottom + variance**2 / (count - 1)
    return top**2 / bottom if bottom > 0 else float(multiplicity.sum() - 1)


def _by_fit(
    of: Callable[[Floats], Floats], models: int, fits: int, k: int, sign: int
) -> Callable[[Floats], Floats]:
    """Return cells (b, models * fits * k * k) to each fit's value, (b, fits)."""

    def value(cells: Floats) -> Floats:
        each = of(cells.reshape(-1, models, fits, k, k))
        return np.asarray(sign * (each[:, -1] - each[:, 0]) if models == 2 else each[:, 0])

    return value


def _swaps(
    difference: csr_array, multiplicity: Floats, replicates: int, rng: np.random.Generator
) -> Iterator[Floats]:
    """Yield (chunk, cells) what random swaps move into the first model's cells."""
    moving = np.flatnonzero(np.diff(difference.tocsr().indptr))
    difference, times = difference[moving], multiplicity[moving].astype(np.int64)
    step = max(1, min(replicates, CHUNK // max(len(moving), difference.shape[1])))
    for start in range(0, replicates, step):
        size = min(step, replicates - start)
        counts = rng.binomial(times, 0.5, size=(size, len(moving))).astype(np.float64)
        yield np.asarray((difference.T @ counts.T).T)


def _draws(
    multiplicity: Floats, replicates: int, width: int, rng: np.random.Generator
) -> Iterator[Floats]:
    """Yield (chunk, units) resampled counts in bounded memory."""
    units, n = len(multiplicity), int(multiplicity.sum())
    step = max(1, min(replicates, CHUNK // max(units, width)))
    chance = multiplicity / multiplicity.sum()
    for start in range(0, replicates, step):
        size = min(step, replicates - start)
        if units > n // 4:  # nearly every row differs: drawing rows is faster than a multinomial
            edges = np.repeat(np.arange(units), multiplicity.astype(np.int64))
            rows = [
                np.bincount(edges[rng.integers(n, size=n)], minlength=units) for _ in range(size)
            ]
            yield np.asarray(rows, dtype=np.float64)
        else:
            yield rng.multinomial(n, chance, size=size).astype(np.float64)


def _removal(
    of: Callable[[Floats], Floats], total: Floats, models: int, fits: int, k: int, sign: int
) -> Floats:
    """Change of the value when one row leaves a cell, for each cell that holds a row."""
    result = np.zeros(len(total))
    matrices = total.reshape(models * fits, k, k)
    for block, matrix in enumerate(matrices):
        orientation = 1 if models == 1 else (-sign if block < fits else sign)
        flat = matrix.ravel()
        occupied = np.flatnonzero(flat > 0)
        whole = of(matrix[None])[0]
        step = max(1, CHUNK // (k * k))
        for start in range(0, len(occupied), step):
            some = occupied[start : start + step]
            fewer = np.repeat(flat[None], len(some), axis=0)
            taken = np.minimum(1.0, flat[some])
            fewer[np.arange(len(some)), some] -= taken
            change = (whole - of(fewer.reshape(-1, k, k))) / taken
            result[block * k * k + some] = orientation * change / fits
    return result
