"""Columns whose values are distributed otherwise than in training, and values never seen there."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

import numpy as np
import polars as pl

from assay.diagnose.case import Case
from assay.diagnose.commonest import left_aside
from assay.diagnose.means import mean_above
from assay.diagnose.sampling import halved
from assay.diagnose.spec import Remedy, Search, Suspicion
from assay.evidence import Evidence, Interval
from assay.seeds import derive_seed
from assay.tables.predicate import Mask

MOVED, UNSEEN = "AS502", "AS503"
FEWEST = 50
LEVEL = 0.05
"""One-sided level at which the discovery part suggests a column."""
MOST_VALUES = 200
TOLERATED = 0.01
"""Share of rows with a value that training never held, before it is told."""
LEAST = 0.05
"""Distance of two distributions that is worth telling."""


@dataclass(frozen=True)
class ColumnDetector:
    """Compares each column with the training rows: numbers by Kolmogorov and Smirnov's distance.

    One half of the training rows is for discovery, the other for confirmation.
    """

    name: str = "columns"
    codes: Mapping[str, str] = field(
        default_factory=lambda: {
            MOVED: "a column of numbers that is distributed otherwise than in training",
            UNSEEN: "values that the training rows never held",
        }
    )

    def detect(self, part: Case) -> Search:
        """Return the columns of the discovery part that differ from training."""
        what = "each column against the training rows"
        training = part.training
        if training is None:
            return Search(0, what, skipped="the training rows are not known")
        if min(part.n, training.height) < 2 * FEWEST:
            return Search(0, what, skipped="there are too few rows of either kind")
        shared = [
            name
            for name in part.columns
            if name in training.columns and name != part.task.text
        ]  # fmt: skip
        first, second = halved(training, derive_seed(part.seed, "columns"))
        suspicions, looked = [], 0
        aside: list[str] = []
        for name in shared:
            if part.rows[name].dtype.is_numeric() and training[name].dtype.is_numeric():
                if part.groups is not None:
                    continue
                looked += 1
                distance, p = _distance(part.rows[name], first[name])
                if p < LEVEL and distance >= LEAST:
                    suspicions.append(_moved(name, second[name]))
            elif training[name].n_unique() <= MOST_VALUES:
                looked += 1
                if _new(part, name, training).mean() > TOLERATED:
                    suspicions.append(_unseen(name, training))
            else:
                aside.append(f"{name!r}, with more than {MOST_VALUES} values in training")
        if part.groups is not None:
            aside.append("distributions of numbers, as rows come in groups")
        return Search(looked, what, tuple(suspicions), left_aside(aside))


def _moved(name: str, training: pl.Series) -> Suspicion:
    def confirm(unseen: Case) -> Evidence | None:
        distance, p = _distance(unseen.rows[name], training)
        reach = _reach(unseen.n) + _reach(training.len())
        return Evidence(
            name=f"distance of the distributions of {name!r}",
            estimate=distance,
            interval=Interval(max(0.0, distance - reach), min(1.0, distance + reach)),
            n=unseen.n,
            method="Kolmogorov-Smirnov test; interval of Massart (1990), conservative",
            p_value=p if distance >= LEAST else 1.0,
        )

    return Suspicion(
        code=MOVED,
        title=f"{name!r} is distributed otherwise than in training",
        cause="it was collected later or elsewhere, or its unit or meaning changed",
        confirm=confirm,
        remedies=(
            Remedy("check", f"compare the unit and the source of {name!r} with training"),
            Remedy("collect", "label some of the newer rows and train on them"),
        ),
        judged=False,
    )


def _distance(one: pl.Series, other: pl.Series) -> tuple[float, float]:
    """Return the largest gap of two distribution functions, and its p-value."""
    from scipy import stats

    values = [each.cast(pl.Float64).drop_nulls().drop_nans().to_numpy() for each in (one, other)]
    if min(map(len, values)) < FEWEST:
        return 0.0, 1.0
    found = stats.ks_2samp(values[0], values[1], method="asymp")
    return float(found.statistic), float(found.pvalue)


def _reach(n: int) -> float:
    """Return how far a distribution function of n rows may be off, at 97.5 %."""
    return float(np.sqrt(np.log(2 / 0.025) / (2 * n)))


def _unseen(name: str, training: pl.DataFrame) -> Suspicion:
    def select(case: Case) -> Mask:
        return _new(case, name, training)

    def confirm(unseen: Case) -> Evidence | None:
        new = _new(unseen, name, training).astype(np.float64)
        return mean_above(unseen, new, name="share of rows with an unseen value", bar=TOLERATED)

    return Suspicion(
        code=UNSEEN,
        title=f"{name!r} holds values that training never held",
        cause="new categories, or another spelling of known ones",
        confirm=confirm,
        select=select,
        remedies=(
            Remedy("check", f"see whether these values of {name!r} are known ones in other words"),
            Remedy("collect", "label rows with the new values and train on them"),
        ),
        judged=False,
    )


def _new(case: Case, name: str, training: pl.DataFrame) -> Mask:
    values = case.rows[name].cast(pl.String)
    known = training[name].cast(pl.String).unique().drop_nulls()
    found: Mask = (values.is_not_null() & ~values.is_in(known.implode())).to_numpy()
    return found
