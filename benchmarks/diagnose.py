"""Planted faults in real tables: what is found, what is a false alarm, beside simpler ways.

A third of the cases is clean: a model's losses shuffled over the rows. In the others rows of a
random conjunction fail too, or labels are flipped. Beside Assay: a depth-3 error tree and a scan
of single conditions, both tested on the same held-out half with Benjamini-Hochberg.
"""

from __future__ import annotations

import argparse
import json
import time
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import polars as pl

from assay.diagnose import diagnose_case
from assay.diagnose.atoms import atoms
from assay.diagnose.case import Case
from assay.diagnose.detectors.slices import SliceDetector, slice_suspicion
from assay.diagnose.excess import excess_loss
from assay.diagnose.given import read_case
from assay.diagnose.planting import flips_precision, with_flips
from assay.diagnose.planting_slices import planted_slice, with_failing
from assay.evidence import benjamini_hochberg
from assay.recipe.confident import cross_fitted
from assay.tables.predicate import Mask, Predicate

FDR = 0.05
STRENGTHS = (0.2, 0.4, 0.6)
Way = Callable[[Case], list[Mask]]


def bases() -> dict[str, Case]:
    """Return real tables of scikit-learn with cross-fitted predictions of a linear model."""
    from sklearn import datasets
    from sklearn.preprocessing import StandardScaler

    found = {}
    for name in ("breast_cancer", "digits", "wine"):
        data = getattr(datasets, f"load_{name}")()
        matrix = StandardScaler().fit_transform(data.data)
        classes = np.array([f"class {each}" for each in range(len(np.unique(data.target)))])
        shares = cross_fitted(matrix, data.target, len(classes), folds=5, seed=0)
        names = [f"x{place}" for place in range(matrix.shape[1])]
        rows = pl.DataFrame(data.data, schema=names).with_columns(y=pl.Series(classes[data.target]))
        found[name] = read_case(rows, truth="y", probabilities=shares)
    return found


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


def jaccard(found: list[Mask], mask: Mask) -> float:
    return max((float((each & mask).sum() / (each | mask).sum()) for each in found), default=0.0)


def slices(base: Case, seeds: int) -> dict[str, Any]:
    """Return per way the recall for each kind of slice, and false alarms on clean rows."""
    pool = list(atoms(base, fewest=max(8, base.n // 50)))
    told: dict[str, Any] = {way: {"alarms": 0, "clean": 0, "slices": {}} for way in WAYS}
    for seed in range(seeds):
        random = np.random.default_rng([seed, base.n])
        losses = (random.permutation(base.n) < base.n * 0.08).astype(np.float64)
        for _ in range(5):  # five clean cases beside nine planted: over a third
            clean = replace(
                base, losses=random.permutation(losses), seed=int(random.integers(10**9))
            )
            for way, find in WAYS.items():
                told[way]["clean"] += 1
                told[way]["alarms"] += bool(find(clean))
        for conditions in (1, 2, 3):
            for strength in STRENGTHS:
                mask = planted_slice(base, pool, conditions, random)
                if mask is None:
                    continue
                case = with_failing(clean, mask, strength, random)
                for way, find in WAYS.items():
                    found = told[way]["slices"].setdefault(f"{conditions} at {strength}", [])
                    found.append(round(jaccard(find(case), mask), 4))
    return told


def flips(base: Case, seeds: int) -> dict[str, float]:
    """Return the mean average precision of doubted labels at each share of flips."""
    matrix = base.rows.select(base.task.features).to_numpy()
    scaled = (matrix - matrix.mean(0)) / (matrix.std(0) + 1e-9)
    names = np.asarray(base.task.class_names, dtype=object)
    found: dict[str, float] = {}
    for share in (0.01, 0.05, 0.1, 0.2):
        values = []
        for seed in range(seeds):
            changed, flipped = with_flips(base, share, np.random.default_rng([seed, 7]))
            if not flipped.any():
                continue
            codes = np.searchsorted(names, changed.truth)
            shares = cross_fitted(scaled, codes, len(names), folds=5, seed=seed)
            values.append(flips_precision(replace(changed, probabilities=shares), flipped))
        found[str(share)] = round(float(np.mean(values)), 4)
    return found


def summary(parts: dict[str, Any]) -> dict[str, Any]:
    told: dict[str, Any] = {}
    for way in WAYS:
        alarms = sum(part[way]["alarms"] for part in parts.values())
        clean = sum(part[way]["clean"] for part in parts.values())
        kinds = sorted({kind for part in parts.values() for kind in part[way]["slices"]})
        recall = {}
        for kind in kinds:
            every = np.array([j for part in parts.values() for j in part[way]["slices"][kind]])
            recall[kind] = {
                "n": len(every), "recall": round(float((every >= 0.5).mean()), 3),
                "mean_jaccard": round(float(every.mean()), 3),
            }  # fmt: skip
        told[way] = {"clean": clean, "false_alarms": round(alarms / clean, 4), "slices": recall}
    return told


def speed(rows: int, columns: int = 30) -> float:
    random = np.random.default_rng(0)
    table = pl.DataFrame({f"x{place}": random.normal(size=rows) for place in range(columns)})
    said = random.choice(["a", "b"], rows)
    right = random.random(rows) < 0.9
    truth = np.where(right, said, np.where(said == "a", "b", "a"))
    began = time.perf_counter()
    case = read_case(table.with_columns(y=pl.Series(truth), prediction=pl.Series(said)), truth="y")
    diagnose_case(case)
    return round(time.perf_counter() - began, 2)


def table(document: dict[str, Any]) -> str:
    """Return the results as the Markdown table of docs/diagnosis.md."""
    ways = document["ways"]
    lines = ["| planted | " + " | ".join(ways) + " |", "|---|" + "---|" * len(ways)]
    for kind in ways["assay"]["slices"]:
        conditions, _, strength = kind.partition(" at ")
        name = f"{conditions} condition{'s' * (conditions != '1')}, {float(strength):.0%} fail"
        cells = [f"{each['slices'][kind]['recall']:.0%}" for each in ways.values()]
        lines.append(f"| {name} | " + " | ".join(cells) + " |")
    alarms = [f"{each['false_alarms']:.1%} of {each['clean']}" for each in ways.values()]
    lines.append("| false alarms on clean rows | " + " | ".join(alarms) + " |")
    if "whole_diagnosis" in document:
        lines += ["", *whole_table(document["whole_diagnosis"])]
    return "\n".join(lines)


def whole_table(whole: dict[str, Any]) -> list[str]:
    """Return the result of diagnose_faults.py as the lines of a Markdown table."""
    clean = whole["clean"]
    low, high = clean["interval"]
    lines = ["| planted | tries | found |", "|---|---|---|"]
    lines += [
        f"| {fault} | {each['tries']} | {each['recall']:.0%} |"
        for fault, each in sorted(whole["faults"].items())
    ]
    told = f"{clean['with_any_finding']:.1%} [{low:.1%}, {high:.1%}]"
    return [*lines, f"| nothing: any finding at all | {clean['cases']} | {told} |"]


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--quick", action="store_true", help="two seeds, one table")
    parser.add_argument("--seeds", type=int, default=20)
    parser.add_argument("--table", type=Path, help="print the table of a results file; no run")
    given = parser.parse_args()
    if given.table is not None:
        print(table(json.loads(given.table.read_text(encoding="utf-8"))))
        return
    seeds = 2 if given.quick else given.seeds
    tables = dict(list(bases().items())[: 1 if given.quick else 3])
    told = {name: slices(case, seeds) for name, case in tables.items() if case.n >= 400}
    document = {
        "seeds": seeds,
        "rows": {name: case.n for name, case in tables.items()},
        "ways": summary(told),
        "label_errors_average_precision": {
            name: flips(case, min(seeds, 5)) for name, case in tables.items()
        },
        "seconds_for_100000_rows_30_columns": None if given.quick else speed(100_000),
    }
    print(json.dumps(document))


if __name__ == "__main__":
    main()
