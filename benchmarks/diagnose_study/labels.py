"""Flipped labels: how well doubts rank them, for Assay and, in its environment, for cleanlab."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np
import numpy.typing as npt

from assay.diagnose.case import Case
from assay.diagnose.detectors.label_errors import doubt
from assay.diagnose.planting import with_flips
from assay.recipe.confident import cross_fitted
from diagnose_study.bases import scaled

SHARES = (0.01, 0.05, 0.1, 0.2)


@dataclass(frozen=True, eq=False)
class Flipped:
    """Labels some of which were flipped before a model learned from them, out of fold."""

    name: str
    codes: npt.NDArray[np.intp]
    shares: npt.NDArray[np.float64]
    doubts: npt.NDArray[np.float64]
    flipped: npt.NDArray[np.bool_]


def cases(bases: Mapping[str, Case], seeds: int) -> Iterator[Flipped]:
    """Yield for each table, share and seed the labels with flips, and Assay's doubts."""
    for table, base in bases.items():
        matrix = scaled(base.rows.select(base.task.features).to_numpy())
        names = np.asarray(base.task.class_names, dtype=object)
        for share in SHARES:
            for seed in range(seeds if base.n < 1000 else min(seeds, 2)):
                changed, flipped = with_flips(base, share, np.random.default_rng([seed, 7]))
                if flipped.any():
                    codes = np.searchsorted(names, changed.truth)
                    shares = cross_fitted(matrix, codes, len(names), folds=5, seed=seed)
                    doubts = doubt(replace(changed, probabilities=shares))
                    yield Flipped(f"{table}-{share}-{seed}", codes, shares, doubts, flipped)


def write(every: list[Flipped], folder: Path) -> None:
    """Write the labels and probabilities for a peer that has an environment of its own."""
    for each in every:
        np.savez(folder / f"{each.name}.npz", codes=each.codes, shares=each.shares)


def precision(every: list[Flipped], doubts: Mapping[str, list[float]]) -> dict[str, float]:
    """Return the mean average precision of the doubts, for each table and share."""
    from sklearn.metrics import average_precision_score

    found = defaultdict(list)
    for each in every:
        setting = each.name.rpartition("-")[0]
        found[setting].append(float(average_precision_score(each.flipped, doubts[each.name])))
    return {setting: round(float(np.mean(values)), 4) for setting, values in found.items()}


def by_assay(every: list[Flipped]) -> dict[str, list[float]]:
    """Return Assay's doubts by case."""
    return {each.name: each.doubts.tolist() for each in every}
