"""How alike made and real rows are, column by column and pair by pair.

The measures and their names are those of SDMetrics: 1 is the same distribution.
"""

from __future__ import annotations

from dataclasses import dataclass
from itertools import combinations
from typing import Any

import numpy as np
import polars as pl
from numpy.typing import NDArray

from assay.evidence import Evidence, Interval
from assay.synth.tabular.encoding import Encoding, Matrix
from assay.task import Task

REPLICATES = 100
BINS = 10
MOST_COLUMNS = 20
"""Columns of which pairs are compared."""


@dataclass(frozen=True)
class Fidelity:
    """How alike two tables are.

    Attributes
    ----------
    columns
        For each column 1 minus the Kolmogorov-Smirnov distance (numbers, dates) or 1 minus the
        total variation distance (words); an empty cell is a value of its own.
    pairs
        For each pair of columns 1 minus half the difference of their correlations (numbers), or
        1 minus the total variation distance of their contingency tables, numbers in tenths.
    marginals, pairwise
        The means of both, with bootstrap intervals over the rows of either table.
    """

    columns: dict[str, float]
    pairs: dict[tuple[str, str], float]
    marginals: Evidence
    pairwise: Evidence | None

    def as_dict(self) -> dict[str, Any]:
        """Return the measures as plain JSON values."""
        return {
            "columns": self.columns,
            "pairs": [[*pair, value] for pair, value in self.pairs.items()],
            "marginals": self.marginals.as_dict(),
            "pairwise": None if self.pairwise is None else self.pairwise.as_dict(),
        }


def measure_fidelity(
    made: pl.DataFrame, real: pl.DataFrame, task: Task, *, seed: int = 0
) -> Fidelity | None:
    """Compare made rows with real ones of the same class; None where all inputs are text."""
    names = [name for name in task.inputs if name != task.text]
    if not names or made.is_empty() or real.is_empty():
        return None
    encoding = Encoding(
        pl.concat([each.select(names) for each in (real, made)], how="vertical_relaxed"), names
    )
    one, two = encoding.encode(real), encoding.encode(made)
    kinds = encoding.categorical
    columns = _columns(one, two, kinds)
    few = slice(0, MOST_COLUMNS)
    pairs = _pairs(one[:, few], two[:, few], kinds[few])
    random = np.random.default_rng(seed)
    drawn = [
        (one[random.integers(len(one), size=len(one))], two[random.integers(len(two),
                                                                           size=len(two))])
        for _ in range(REPLICATES)
    ]  # fmt: skip
    over_columns = [float(_columns(a, b, kinds).mean()) for a, b in drawn]
    over_pairs = [_mean(_pairs(a[:, few], b[:, few], kinds[few])) for a, b in drawn[:30]]
    return Fidelity(
        columns=dict(zip(names, columns.tolist(), strict=True)),
        pairs={(names[a], names[b]): value for (a, b), value in pairs.items()},
        marginals=_evidence("marginals alike", float(columns.mean()), over_columns, len(two)),
        pairwise=_evidence("pairs of columns alike", _mean(pairs), over_pairs, len(two))
        if pairs
        else None,
    )


def _columns(one: Matrix, two: Matrix, kinds: NDArray[np.bool_]) -> Matrix:
    alike = [
        _total_variation(_codes(a), _codes(b)) if kind else _kolmogorov_smirnov(a, b)
        for a, b, kind in zip(one.T, two.T, kinds, strict=True)
    ]
    return 1 - np.array(alike)


def _kolmogorov_smirnov(one: Matrix, two: Matrix) -> float:
    """Return the largest difference of the distributions; empty cells lie below all numbers."""
    a, b = (np.sort(np.where(np.isnan(each), -np.inf, each)) for each in (one, two))
    places = np.concatenate([a, b])
    of_one = np.searchsorted(a, places, side="right") / len(a)
    of_two = np.searchsorted(b, places, side="right") / len(b)
    return float(np.abs(of_one - of_two).max())


def _total_variation(one: NDArray[np.intp], two: NDArray[np.intp]) -> float:
    width = int(max(one.max(), two.max())) + 1
    shares = [np.bincount(each, minlength=width) / len(each) for each in (one, two)]
    return float(np.abs(shares[0] - shares[1]).sum() / 2)


def _pairs(one: Matrix, two: Matrix, kinds: NDArray[np.bool_]) -> dict[tuple[int, int], float]:
    codes = [_tenths(a, b, is_category=bool(kind))
             for a, b, kind in zip(one.T, two.T, kinds, strict=True)]  # fmt: skip
    found = {}
    for a, b in combinations(range(one.shape[1]), 2):
        if not kinds[a] and not kinds[b]:
            found[a, b] = 1 - abs(_correlation(one, a, b) - _correlation(two, a, b)) / 2
            continue
        width = 1 + max(int(each.max()) for each in codes[b])
        joint = [codes[a][table] * width + codes[b][table] for table in (0, 1)]
        found[a, b] = 1 - _total_variation(joint[0], joint[1])
    return found


def _correlation(table: Matrix, a: int, b: int) -> float:
    both = ~np.isnan(table[:, a]) & ~np.isnan(table[:, b])
    x, y = table[both, a], table[both, b]
    if len(x) < 3 or np.ptp(x) == 0 or np.ptp(y) == 0:
        return 0.0
    return float(np.atleast_2d(np.corrcoef(x, y))[0, 1])


def _tenths(
    one: Matrix, two: Matrix, *, is_category: bool
) -> tuple[NDArray[np.intp], NDArray[np.intp]]:
    if is_category or np.isnan(one).all():
        return _codes(one), _codes(two)
    edges = np.unique(np.nanquantile(one, np.linspace(0, 1, BINS + 1)[1:-1]))
    cut = [np.where(np.isnan(x), np.nan, np.digitize(x, edges)) for x in (one, two)]
    return _codes(cut[0]), _codes(cut[1])


def _codes(column: Matrix) -> NDArray[np.intp]:
    """Return codes from 0 on; 0 is an empty cell."""
    return np.where(np.isnan(column), 0, np.nan_to_num(column) + 1).astype(np.intp)


def _mean(pairs: dict[tuple[int, int], float]) -> float:
    return float(np.mean(list(pairs.values()))) if pairs else float("nan")


def _evidence(name: str, value: float, drawn: list[float], n: int) -> Evidence:
    low, high = np.quantile(drawn, [0.025, 0.975])
    # Resampled tables lie further apart than the tables do, so the interval is put about the value.
    half = float(high - low) / 2
    interval = Interval(max(value - half, 0.0), min(value + half, 1.0))
    return Evidence(name, value, interval, n, "as SDMetrics; bootstrap over rows")
