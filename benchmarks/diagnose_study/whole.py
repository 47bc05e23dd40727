"""A whole diagnosis, all detectors together: which planted faults are told, and what else is.

Over a third of the cases is clean: any finding there is false. Labels are flipped in labels drawn
anew from a real overlap, and the model learns from them; 0 % is overlap alone.
"""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Callable
from dataclasses import dataclass, field, replace
from functools import partial
from typing import Any

import numpy as np
import polars as pl

from assay.diagnose import diagnose_case
from assay.diagnose.atoms import atoms
from assay.diagnose.case import Case
from assay.diagnose.detectors.label_errors import LabelErrorDetector
from assay.diagnose.given import read_case
from assay.diagnose.planting_slices import ALIKE, jaccard, planted_slice, with_failing
from assay.diagnose.spec import Finding
from assay.evidence.proportions import share_interval
from assay.recipe.confident import cross_fitted
from assay.tables.predicate import Mask
from diagnose_study.bases import clean, columns, scaled

Random = np.random.Generator
CLEAN = 9
"""Clean cases for each seed, beside the planted ones: over a third."""
SHARES = (0.0, 0.01, 0.05, 0.1, 0.2)
HOW = ("uniform", "class-conditional", "feature-dependent")


@dataclass(frozen=True, eq=False)
class Planted:
    """A case with one fault, and whether a finding is that fault."""

    case: Case
    told: Callable[[Finding], bool]


@dataclass(eq=False)
class Tally:
    """What diagnoses of one kind of case told."""

    hits: list[bool] = field(default_factory=list)
    precise: list[float] = field(default_factory=list)

    def add(self, planted: Planted) -> None:
        """Diagnose one more case."""
        right = [planted.told(each) for each in diagnose_case(planted.case).findings[:10]]
        self.hits.append(any(right))
        if right:
            self.precise.append(float(np.mean(right)))

    def as_dict(self) -> dict[str, Any]:
        """Return recall with Wilson's interval, and the mean precision of the first ten."""
        interval = share_interval(sum(self.hits), len(self.hits))
        return {
            "tries": len(self.hits), "recall": float(np.mean(self.hits)),
            "low": interval.low, "high": interval.high,
            "precision_at_10": float(np.mean(self.precise)) if self.precise else None,
        }  # fmt: skip


def slice_of(case: Case, random: Random, conditions: int, strength: float, most: float) -> Planted:
    mask = _slice(case, random, conditions, most)

    def told(finding: Finding) -> bool:
        if finding.predicate is None:
            return False
        return jaccard(finding.predicate.select(case.rows), mask) >= ALIKE

    return Planted(with_failing(case, mask, strength, random), told)


def _slice(case: Case, random: Random, conditions: int, most: float = 1.0) -> Mask:
    pool = list(atoms(case, fewest=max(8, case.n // 50)))
    mask = planted_slice(case, pool, conditions, random)
    while mask is None or mask.mean() > most:
        mask = planted_slice(case, pool, conditions, random)
    return mask


def leak(case: Case, random: Random, how: str) -> Planted:
    names = np.asarray(case.task.class_names, dtype=object)
    codes = np.searchsorted(names, case.truth)
    noisy = np.where(random.random(case.n) < 0.03, random.integers(3, size=case.n), codes)
    values: dict[str, Any] = {
        "copy": case.truth.astype(str),
        "code": codes.astype(float) + 10,
        "noisy copy": noisy.astype(float),
        "after the outcome": codes + random.random(case.n) * 0.8,
        "row number": np.argsort(np.argsort(codes, kind="stable")).astype(float),
    }
    return _with_column(case, random, "leak", pl.Series(values[how]))


def shortcut(case: Case, random: Random, leaning: float) -> Planted:
    """Add a word that goes with the first class in training and with nothing here."""
    held = random.random(case.n) < 0.3
    first = np.eye(len(case.task.classes))[0]
    weight = leaning * held[:, None]
    shares = (1 - weight) * case.stated + weight * first
    names = np.asarray(case.task.class_names, dtype=object)
    said = names[shares.argmax(axis=1)]
    leaning_case = replace(
        case, probabilities=shares, predictions=said, losses=(said != case.truth).astype(np.float64)
    )
    words = pl.Series(np.where(held, "red", "blue"))
    planted = _with_column(leaning_case, random, "clue", words)
    return replace(
        planted, told=lambda each: each.code in ("AS602", "AS304") and _names(each, "clue")
    )


def _with_column(case: Case, random: Random, name: str, values: pl.Series) -> Planted:
    rows = case.rows.with_columns(values.alias(name))
    task = case.task.model_copy(update={"features": (*case.task.features, name)})
    training = case.training
    if training is not None:
        at = random.integers(case.n, size=training.height)
        truth = pl.Series("y", case.truth[at].astype(str))
        training = training.with_columns(rows[name][at], truth)
    changed = replace(case, rows=rows, task=task, training=training)
    return Planted(changed, lambda each: _names(each, name))


def _names(finding: Finding, column: str) -> bool:
    return f"'{column}'" in finding.title or f"{column} " in finding.title


def drift(case: Case, random: Random, strength: float) -> Planted:
    name = next(each for each in case.columns if case.rows[each].dtype.is_numeric())
    spread = float(case.rows[name].std() or 1.0)  # type: ignore[arg-type]
    rows = case.rows.with_columns(pl.col(name) + strength * spread)
    return Planted(replace(case, rows=rows), lambda each: each.code.startswith("AS5"))


def overconfident(case: Case, random: Random, power: float) -> Planted:
    sharp = case.stated ** np.where(_slice(case, random, 1), power, 1.0)[:, None]
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
    **{f"shortcut, leaning {how:.0%}": partial(shortcut, leaning=how) for how in (0.2, 0.5)},
    **{
        f"drift of one column by {how} deviations": partial(drift, strength=how)
        for how in (0.5, 1.5)
    },
    **{f"a group too sure of itself, power {how:g}": partial(overconfident, power=how)
       for how in (2.0, 4.0)},
}  # fmt: skip


def overlaps() -> dict[str, tuple[np.ndarray, np.ndarray]]:
    """Return by table real rows and the probabilities that their labels are drawn anew from."""
    from sklearn import datasets

    found = {}
    for name in ("breast_cancer", "digits"):
        data = getattr(datasets, f"load_{name}")()
        matrix = scaled(data.data)
        classes = len(np.unique(data.target))
        found[name] = matrix, cross_fitted(matrix, data.target, classes, folds=5, seed=0)
    return found


def flipped(matrix: np.ndarray, shares: np.ndarray, random: Random, how: str, share: float) -> Case:
    """Return a case whose model learned, out of fold, from labels some of which were flipped."""
    n, classes = shares.shape
    codes = (shares.cumsum(axis=1) > random.random((n, 1))).argmax(axis=1)
    chance = np.full(n, share)
    if how == "class-conditional":
        chance = np.where(codes < classes // 2, 2 * share, 0.0)
    elif how == "feature-dependent":
        chance = 2 * share * np.argsort(np.argsort(matrix[:, 0])) / n
    hit = random.random(n) < chance
    codes = np.where(hit, (codes + random.integers(1, classes, n)) % classes, codes)
    rows = pl.DataFrame(matrix, schema=[f"x{at}" for at in range(matrix.shape[1])])
    names = np.array([f"class {each}" for each in range(classes)])
    return read_case(
        rows.with_columns(y=pl.Series(names[codes])), truth="y",
        probabilities=cross_fitted(matrix, codes, classes, folds=5, seed=0),
        seed=int(random.integers(10**9)),
    )  # fmt: skip


def study(seeds: int, tables: int, tell: Callable[[str], None]) -> dict[str, Any]:
    """Return false findings on clean cases, and for each fault recall and precision."""
    found: dict[str, Tally] = defaultdict(Tally)
    labels: dict[str, list[bool]] = defaultdict(list)
    codes: Counter[str] = Counter()
    alarms = cases = 0
    every = list(columns().values())[:tables]
    drawn = dict(list(overlaps().items())[:tables])
    for seed in range(seeds):
        random = np.random.default_rng(seed)
        table = every[seed % len(every)]
        for _ in range(CLEAN):
            told = diagnose_case(clean(table, random)).findings
            cases += 1
            alarms += bool(told)
            codes.update({each.code for each in told})
        for name, plant in FAULTS.items():
            found[name].add(plant(clean(table, random), random))
        for base, (matrix, shares) in drawn.items():
            for how in HOW:
                for share in SHARES:
                    case = flipped(matrix, shares, random, how, share)
                    told = diagnose_case(case, detectors=[LabelErrorDetector()]).findings
                    labels[f"{base}: labels flipped, {how}, {share:.0%}"].append(bool(told))
        tell(f"whole diagnosis: seed {seed}, {alarms} of {cases} clean cases with a finding")
    interval = share_interval(alarms, cases)
    return {
        "clean": {"cases": cases, "with_any_finding": alarms / cases, "low": interval.low,
                  "high": interval.high, "codes": dict(codes)},
        "faults": {name: tally.as_dict() for name, tally in found.items()},
        "labels": {name: {"tries": len(hits), "recall": float(np.mean(hits))}
                   for name, hits in labels.items()},
    }  # fmt: skip
