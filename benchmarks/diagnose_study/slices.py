"""Planted slices: how many are found, by Assay and by others on the same rows.

Losses are put at random on 8 % of the rows; then rows of a random conjunction fail too. Over a
third of the cases is left as it is: whatever is told there is false.
"""

from __future__ import annotations

import json
from collections import defaultdict
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np
import polars as pl

from assay.diagnose import diagnose_case
from assay.diagnose.atoms import atoms
from assay.diagnose.case import Case
from assay.diagnose.detectors.slices import SliceDetector, slice_suspicion
from assay.diagnose.excess import excess_loss
from assay.diagnose.planting_slices import ALIKE, jaccard, planted_slice, with_failing
from assay.evidence import benjamini_hochberg
from assay.tables.predicate import Mask, Predicate

FDR = 0.05
STRENGTHS = (0.2, 0.4, 0.6)
CLEAN = 5
"""Clean cases beside nine planted ones: over a third."""
Way = Callable[[Case], list[Mask]]


@dataclass(frozen=True, eq=False)
class Try:
    """A case, what kind it is of, and the rows that were planted; None where it is clean."""

    name: str
    kind: str
    case: Case
    planted: Mask | None


def tries(bases: Mapping[str, Case], seeds: int) -> Iterator[Try]:
    """Yield clean and planted cases of every table that has rows enough for slices."""
    for table, base in bases.items():
        if base.n < 400:
            continue
        pool = list(atoms(base, fewest=max(8, base.n // 50)))
        for seed in range(seeds):
            yield from _of_seed(
                f"{table}-{seed}", base, pool, np.random.default_rng([seed, base.n])
            )


def _of_seed(name: str, base: Case, pool: list[Any], random: np.random.Generator) -> Iterator[Try]:
    losses = (random.permutation(base.n) < base.n * 0.08).astype(np.float64)
    for number in range(CLEAN):
        clean = replace(base, losses=random.permutation(losses), seed=int(random.integers(10**9)))
        yield Try(f"{name}-clean{number}", "clean", clean, None)
    for conditions in (1, 2, 3):
        for strength in STRENGTHS:
            mask = planted_slice(base, pool, conditions, random)
            if mask is not None:
                kind = f"{conditions} at {strength}"
                case = with_failing(clean, mask, strength, random)
                yield Try(f"{name}-{kind}".replace(" ", "-"), kind, case, mask)


def by_assay(case: Case) -> list[Mask]:
    diagnosis = diagnose_case(case, detectors=[SliceDetector()])
    return [each.predicate.select(case.rows) for each in diagnosis.findings if each.predicate]


def by_single_scan(case: Case) -> list[Mask]:
    discovery, confirmation = case.halves
    found = sorted(
        atoms(discovery, fewest=8),
        key=lambda atom: discovery.losses[~atom.mask].mean() - discovery.losses[atom.mask].mean(),
    )
    predicates = [Predicate((each.condition,)) for each in found[:10]]
    return _confirmed(
        case, [each.select(case.rows) for each in predicates],
        [slice_suspicion(each).confirm(confirmation) for each in predicates],
    )  # fmt: skip


def by_error_tree(case: Case) -> list[Mask]:
    from sklearn.tree import DecisionTreeClassifier

    discovery, confirmation = case.halves
    if len(np.unique(discovery.losses)) < 2:
        return []
    columns = list(case.task.features)
    tree = DecisionTreeClassifier(max_depth=3, min_samples_leaf=8, random_state=0)
    tree.fit(discovery.rows.select(columns).to_numpy(), discovery.losses)
    leaves = tree.apply(case.rows.select(columns).to_numpy())
    held = tree.apply(confirmation.rows.select(columns).to_numpy())
    numbers = np.unique(leaves)
    return _confirmed(
        case, [leaves == each for each in numbers],
        [excess_loss(confirmation, held == each, name="leaf") for each in numbers],
    )  # fmt: skip


def _confirmed(case: Case, masks: list[Mask], facts: list[Any]) -> list[Mask]:
    pairs = [(mask, fact) for mask, fact in zip(masks, facts, strict=True) if fact is not None]
    if not pairs:
        return []
    adjusted = benjamini_hochberg([fact.p_value for _, fact in pairs])
    least = 0.1 * case.losses.mean()
    return [
        mask for (mask, fact), p in zip(pairs, adjusted, strict=True)
        if p <= FDR and fact.estimate >= least
    ]  # fmt: skip


WAYS: dict[str, Way] = {
    "assay": by_assay, "depth-3 error tree": by_error_tree, "single-condition scan": by_single_scan,
}  # fmt: skip


def answers(every: list[Try]) -> dict[str, dict[str, list[Mask]]]:
    """Return by way and case the rows that each thing told holds."""
    return {way: {each.name: find(each.case) for each in every} for way, find in WAYS.items()}


def write(every: list[Try], folder: Path) -> None:
    """Write the cases for a peer that has an environment of its own."""
    for each in every:
        case, names = each.case, np.asarray(each.case.task.class_names, dtype=object)
        codes = np.searchsorted(names, case.truth)
        wrong = (codes + 1) % len(names)
        said = np.where(case.losses > 0, wrong, codes)
        rows = case.rows.select(case.task.features)
        rows = rows.with_columns(truth=pl.Series(codes), said=pl.Series(said))
        rows.write_csv(folder / f"{each.name}.csv")


def told_by(path: Path, every: list[Try]) -> dict[str, list[Mask]]:
    """Return what a peer wrote: by case the numbers of the rows of each slice."""
    found = json.loads(path.read_text(encoding="utf-8"))
    return {
        each.name: [np.isin(np.arange(each.case.n), rows) for rows in found[each.name]]
        for each in every if each.name in found
    }  # fmt: skip


def summary(every: list[Try], told: Mapping[str, list[Mask]]) -> dict[str, Any]:
    """Return recall and likeness for each kind of slice, precision at 10, and false alarms."""
    alarms: list[bool] = []
    likeness: dict[str, list[float]] = defaultdict(list)
    right: dict[str, list[bool]] = defaultdict(list)
    for each in every:
        if each.name not in told:
            continue
        masks = told[each.name]
        if each.planted is None:
            alarms.append(bool(masks))
            continue
        alike = [jaccard(mask, each.planted) for mask in masks]
        likeness[each.kind].append(max(alike, default=0.0))
        right[each.kind] += [one >= ALIKE for one in alike[:10]]
    return {
        "cases": len(every),
        "answered": sum(each.name in told for each in every),
        "clean": len(alarms),
        "false_alarms": round(float(np.mean(alarms)), 4) if alarms else None,
        "slices": {
            kind: {
                "n": len(found),
                "recall": round(float((np.array(found) >= ALIKE).mean()), 3),
                "mean_jaccard": round(float(np.mean(found)), 3),
                "precision_at_10": round(float(np.mean(right[kind])), 3) if right[kind] else None,
            }
            for kind, found in sorted(likeness.items())
        },
    }
