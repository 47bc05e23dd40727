"""A whole diagnosis, all detectors together: which planted faults are told, and what else is.

The columns are those of real tables; truth is drawn anew from stated probabilities that have
nothing to do with the columns, so that the clean case holds no fault of any kind. A fault is then
planted. Over a third of these cases is clean: any finding there is false. Flipped labels are put
into labels drawn anew from a real overlap, and the model learns from them; 0 % is overlap alone.
"""

from __future__ import annotations

import argparse
import sys
from collections import defaultdict
from collections.abc import Callable
from dataclasses import dataclass, replace
from functools import partial
from typing import Any

import numpy as np
import polars as pl

from assay.diagnose import diagnose_case
from assay.diagnose.atoms import atoms
from assay.diagnose.case import Case
from assay.diagnose.detectors.label_errors import LabelErrorDetector
from assay.diagnose.given import read_case
from assay.diagnose.planting_slices import planted_slice, with_failing
from assay.diagnose.spec import Finding
from assay.evidence.proportions import share_interval
from assay.recipe.confident import cross_fitted
from assay.tables.predicate import Mask
from common import print_result

Random = np.random.Generator
SURE = (0.7, 0.9, 0.99)
CLEAN = 14
FLIPPED = (0.0, 0.01, 0.05, 0.1, 0.2)
"""Clean cases for each seed, beside the planted ones."""


@dataclass(frozen=True, eq=False)
class Planted:
    """A case with one fault, and whether a finding is that fault."""

    case: Case
    told: Callable[[Finding], bool]


def tables() -> list[pl.DataFrame]:
    """Return the columns of two real tables."""
    from sklearn import datasets

    found = []
    for name in ("breast_cancer", "digits"):
        data = getattr(datasets, f"load_{name}")().data
        found.append(pl.DataFrame(data, schema=[f"x{at}" for at in range(data.shape[1])]))
    return found


def clean(columns: pl.DataFrame, random: Random) -> Case:
    """Return a case without a fault, and training rows like its own."""
    columns = columns.sample(fraction=1.0, shuffle=True, seed=int(random.integers(2**31)))
    training, rows = columns[: columns.height // 4], columns[columns.height // 4 :]
    names = np.array(["a", "b", "c"])
    top = random.integers(3, size=rows.height)
    sure = random.choice(SURE, rows.height)
    shares = np.repeat(((1 - sure) / 2)[:, None], 3, axis=1)
    shares[np.arange(rows.height), top] = sure
    truth = (shares.cumsum(axis=1) > random.random((rows.height, 1))).argmax(axis=1)
    return read_case(
        rows.with_columns(y=pl.Series(names[truth])), truth="y", probabilities=shares,
        training=training.with_columns(y=pl.Series(random.choice(names, training.height))),
        seed=int(random.integers(10**9)),
    )  # fmt: skip


def slice_of(case: Case, random: Random, conditions: int, strength: float, most: float) -> Planted:
    pool = list(atoms(case, fewest=max(8, case.n // 50)))
    mask = planted_slice(case, pool, conditions, random)
    while mask is None or mask.mean() > most:
        mask = planted_slice(case, pool, conditions, random)

    def told(finding: Finding) -> bool:
        if finding.predicate is None:
            return False
        rows = finding.predicate.select(case.rows)
        return bool((rows & mask).sum() >= 0.5 * (rows | mask).sum())

    return Planted(with_failing(case, mask, strength, random), told)


def overlapping() -> tuple[np.ndarray, np.ndarray]:
    """Return real rows and the probabilities that their labels are drawn anew from."""
    from sklearn.datasets import load_breast_cancer
    from sklearn.preprocessing import StandardScaler

    data = load_breast_cancer()
    matrix = StandardScaler().fit_transform(data.data)
    return matrix, cross_fitted(matrix, data.target, 2, folds=5, seed=0)


def flips(matrix: np.ndarray, shares: np.ndarray, random: Random, how: str, share: float) -> Case:
    """Return a case whose model learned, out of fold, from labels some of which were flipped."""
    codes = (random.random(len(matrix)) < shares[:, 1]).astype(int)
    chance = np.full(len(codes), share)
    if how == "class-conditional":
        chance = np.where(codes == 0, 2 * share, 0.0)
    elif how == "feature-dependent":
        chance = 2 * share * np.argsort(np.argsort(matrix[:, 0])) / len(codes)
    codes = np.where(random.random(len(codes)) < chance, 1 - codes, codes)
    rows = pl.DataFrame(matrix, schema=[f"x{at}" for at in range(matrix.shape[1])])
    return read_case(
        rows.with_columns(y=pl.Series(np.array(["a", "b"])[codes])), truth="y",
        probabilities=cross_fitted(matrix, codes, 2, folds=5, seed=0),
        seed=int(random.integers(10**9)),
    )  # fmt: skip


def leak(case: Case, random: Random, how: str) -> Planted:
    codes = np.searchsorted(np.asarray(case.task.class_names, dtype=object), case.truth)
    noisy = np.where(random.random(case.n) < 0.03, random.integers(3, size=case.n), codes)
    values: dict[str, Any] = {
        "copy": case.truth.astype(str),
        "code": codes.astype(float) + 10,
        "noisy copy": noisy.astype(float),
        "after the outcome": codes + random.random(case.n) * 0.8,
        "row number": np.argsort(np.argsort(codes, kind="stable")).astype(float),
    }
    rows = case.rows.with_columns(leak=pl.Series(values[how]))
    task = case.task.model_copy(update={"features": (*case.task.features, "leak")})
    training = case.training
    if training is not None:
        at = random.integers(case.n, size=training.height)
        training = training.with_columns(rows["leak"][at], y=pl.Series(case.truth[at].astype(str)))
    return Planted(
        replace(case, rows=rows, task=task, training=training), lambda each: "'leak'" in each.title
    )


def drift(case: Case, random: Random, strength: float) -> Planted:
    name = case.columns[0]
    spread = float(case.rows[name].std() or 1.0)  # type: ignore[arg-type]
    rows = case.rows.with_columns(pl.col(name) + strength * spread)
    return Planted(replace(case, rows=rows), lambda each: each.code.startswith("AS5"))


def overconfident(case: Case, random: Random, strength: float) -> Planted:
    pool = list(atoms(case, fewest=max(8, case.n // 50)))
    mask: Mask | None = None
    while mask is None:
        mask = planted_slice(case, pool, 1, random)
    if case.probabilities is None:
        raise ValueError("the case has no probabilities")
    sharp = case.probabilities ** (1 + strength * mask)[:, None]
    shares = sharp / sharp.sum(axis=1, keepdims=True)
    return Planted(replace(case, probabilities=shares), lambda each: each.code.startswith("AS30"))


FAULTS: dict[str, Callable[[Case, Random], Planted]] = {
    **{
        f"slice of {conditions} conditions, {strength:.0%} fail more":
            partial(slice_of, conditions=conditions, strength=strength, most=0.2)
        for conditions in (2, 3) for strength in (0.3, 0.6)
    },
    "rare subgroup (2 to 5 %), 60% fail more":
        partial(slice_of, conditions=2, strength=0.6, most=0.05),
    **{
        f"leak: {how}": partial(leak, how=how)
        for how in ("copy", "code", "noisy copy", "after the outcome", "row number")
    },
    "drift of one column by 0.5 deviations": partial(drift, strength=0.5),
    "drift of one column by 1.5 deviations": partial(drift, strength=1.5),
    "a group too sure of itself": partial(overconfident, strength=3.0),
}  # fmt: skip


def main() -> None:
    """Plant, diagnose, count; print one JSON object."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--quick", action="store_true", help="two seeds")
    parser.add_argument("--seeds", type=int, default=20)
    options = parser.parse_args()
    found: dict[str, list[bool]] = defaultdict(list)
    precise: dict[str, list[float]] = defaultdict(list)
    false: dict[str, int] = defaultdict(int)
    alarms = cases = 0
    every, overlap = tables(), overlapping()
    for seed in range(2 if options.quick else options.seeds):
        random = np.random.default_rng(seed)
        columns = every[seed % len(every)]
        for _ in range(CLEAN):
            cases += 1
            findings = diagnose_case(clean(columns, random)).findings
            alarms += bool(findings)
            for code in {each.code for each in findings}:
                false[code] += 1
        for name, plant in FAULTS.items():
            planted = plant(clean(columns, random), random)
            top = diagnose_case(planted.case).findings[:10]
            right = [planted.told(each) for each in top]
            found[name].append(any(right))
            if top:
                precise[name].append(float(np.mean(right)))
        for how in ("uniform", "class-conditional", "feature-dependent"):
            for share in FLIPPED:
                case = flips(*overlap, random, how, share)
                told = diagnose_case(case, detectors=[LabelErrorDetector()]).findings
                found[f"labels flipped, {how}, {share:.0%}"].append(bool(told))
        print(f"seed {seed}: done", file=sys.stderr, flush=True)
    interval = share_interval(alarms, cases)
    print_result(
        clean={"cases": cases, "with_any_finding": alarms / cases,
               "interval": [interval.low, interval.high], "codes": dict(false)},
        faults={
            name: {"tries": len(hits), "recall": float(np.mean(hits)),
                   "precision_at_10": float(np.mean(precise[name])) if precise[name] else None}
            for name, hits in found.items()
        },
    )  # fmt: skip


if __name__ == "__main__":
    main()
