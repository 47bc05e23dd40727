"""What the statistics promise, measured by simulation; their speed on a million rows.

    python benchmarks/evidence.py [--quick] [--out FILE]

Prints one JSON object: false keeps, coverage and power of every method; the rules that others
use, on the same rows; sixty adaptive proposals; thresholds; few labels; speed.
"""

from __future__ import annotations

import argparse
import json
import time
from collections.abc import Callable
from functools import cache, partial
from pathlib import Path
from typing import Any

import numpy as np
from scipy import stats

from assay.errors import InputError
from assay.evidence import (
    Screening,
    accept_threshold,
    compare,
    estimate,
    mean_from_few,
    smallest_effect,
)
from evidence_world import REPEATS, RULES, Model, Rules, World

SIZES = (200, 500, 2000, 10_000)
METRICS = ("accuracy", "log_loss", "auc", "macro_f1", "mae")
BINARY = ("0", "1")
GROUP = 5
BASE = 0.8


def draw(
    rng: np.random.Generator, n: int, share: float, grouped: bool, gain: float
) -> tuple[Any, Any, Any, Any]:
    """Two models' scores on rows of two classes; whole groups share class and noise."""
    units = n // GROUP if grouped else n
    repeat = partial(np.repeat, repeats=GROUP if grouped else 1)
    truth = repeat((rng.random(units) < share).astype(int))
    noise = [
        repeat(rng.normal(size=units)) * 0.8 + rng.normal(size=len(truth)) * 0.6 for _ in range(3)
    ]
    before, after = (
        truth * distance + noise[0] * np.sqrt(0.6) + own * np.sqrt(0.4)
        for distance, own in ((1.5, noise[1]), (1.5 + gain, noise[2]))
    )
    return truth, before, after, repeat(np.arange(units)) if grouped else None


def as_read(metric: str, scores: Any, share: float) -> Any:
    cut = 0.75 + np.log((1 - share) / share) / 1.5
    if metric in ("accuracy", "macro_f1"):
        return (scores > cut).astype(int)
    return scores if metric == "auc" else 1 / (1 + np.exp(-1.5 * (scores - cut)))


def one_comparison(
    rng: np.random.Generator, metric: str, n: int, share: float, grouped: bool, gain: float
) -> Any:
    truth, before, after, groups = draw(rng, n, share, grouped, gain)
    options: dict[str, Any] = {} if metric == "mae" else {"classes": BINARY}
    if metric == "macro_f1":
        options["replicates"] = 400
    return compare(
        truth,
        as_read(metric, before, share),
        as_read(metric, after, share),
        metric=metric,
        groups=groups,
        **options,
    )


def sizes_and_coverage(runs: int, sizes: tuple[int, ...]) -> list[dict[str, Any]]:
    """Measure false keeps, power and coverage of every method."""
    rows = []
    for metric in METRICS:
        for n in sizes:
            for share in (0.5, 0.05):
                for grouped in (False, True):
                    rows.append(_cell(metric, n, share, grouped, runs))
    return rows


@cache
def _true_effect(metric: str, share: float, gain: float) -> float:
    draws = [np.random.default_rng(10**6 + i) for i in range(5)]
    found = [one_comparison(rng, metric, 200_000, share, False, gain) for rng in draws]
    return float(np.mean([each.estimate for each in found]))


def _cell(metric: str, n: int, share: float, grouped: bool, runs: int) -> dict[str, Any]:
    gain = 0.5
    units = n // GROUP if grouped else n
    cell: dict[str, Any] = {"metric": metric, "n": n, "minority": share, "groups": grouped}
    cell["minority_units"] = units * share
    cell["true_effect"] = _true_effect(metric, share, gain)
    for name, effect, true in (("null", 0.0, 0.0), ("effect", gain, cell["true_effect"])):
        rng = np.random.default_rng(n)
        found, refused = [], 0
        for _ in range(runs):
            try:
                found.append(one_comparison(rng, metric, n, share, grouped, effect))
            except InputError:  # too few rows or groups of a class: said, not guessed
                refused += 1
        cell[f"{name}_refused"] = refused / runs
        if len(found) >= runs / 2:
            cell[f"{name}_kept"] = float(np.mean([each.p_value < 0.05 for each in found]))
            cell[f"{name}_covered"] = float(np.mean([true in each.interval for each in found]))
    return cell


def assay_rule(before: Any, after: Any) -> tuple[bool, float]:
    truth = np.ones(before.shape[1], dtype=int)
    fact = compare(truth, before.astype(int), after.astype(int), classes=BINARY)
    return fact.p_value is not None and fact.p_value < 0.05, fact.estimate


def rules_alone(runs: int, sizes: tuple[int, ...]) -> list[dict[str, Any]]:
    """One proposal, cross-validated: how often each rule keeps a useless and a useful one."""
    rows = []
    for n in sizes:
        effect = smallest_effect(n, 0.35)
        kept: dict[str, dict[str, int]] = {}
        for name, gain in (("useless", 0.0), ("useful", effect)):
            counts = dict.fromkeys((*RULES, "assay"), 0)
            rng = np.random.default_rng(n)
            for _ in range(runs):
                world, rules = World(n, 0, rng), Rules(n, rng)
                before, after = (
                    world.model(a).cross_validated() for a in (BASE, min(0.99, BASE + gain))
                )
                for rule in RULES:
                    counts[rule] += getattr(rules, rule)(before, after)[0]
                counts["assay"] += assay_rule(before, after)[0]
            kept[name] = counts
        for rule in (*RULES, "assay"):
            rows.append(
                {
                    "rule": rule,
                    "n": n,
                    "effect": effect,
                    "false_keep": kept["useless"][rule] / runs,
                    "power": kept["useful"][rule] / runs,
                }
            )
    return rows


def adaptive(runs: int, search: int, useful: float) -> list[dict[str, Any]]:
    """Sixty proposals in turn, each against what was kept so far; what is claimed, what is true."""
    vault = search // 3
    results = []
    for rule in (*RULES, "assay", "assay_strict"):
        rng = np.random.default_rng(search)
        claimed, true, kept, false, confirmed = [], [], 0, 0, 0
        for _ in range(runs):
            world, rules = World(search, vault, rng), Rules(search, rng)
            baseline = incumbent = world.model(BASE)
            strict = Screening("strict") if rule == "assay_strict" else None
            claim = 0.0
            for _ in range(60):
                gain = rng.choice([0.02, -0.002], p=[useful, 1 - useful])
                candidate = world.model(min(0.98, incumbent.accuracy + float(gain)))
                better, seen = _decide(rule, rules, incumbent, candidate, strict)
                if better:
                    kept, false = kept + 1, false + (gain < 0)
                    incumbent, claim = candidate, claim + seen
            if rule.startswith("assay"):
                claim = _confirmed(baseline, incumbent)
                confirmed += claim > 0
            claimed.append(claim)
            true.append(incumbent.accuracy - baseline.accuracy if claim > 0 else 0.0)
        results.append(
            {
                "rule": rule,
                "search": search,
                "useful_share": useful,
                "kept": kept / runs,
                "useless_kept": false / runs,
                "claimed": float(np.mean(claimed)),
                "true": float(np.mean(true)),
                "confirmed": confirmed / runs if rule.startswith("assay") else None,
            }
        )
    return results


def _decide(
    rule: str, rules: Rules, before: Model, after: Model, strict: Screening | None
) -> tuple[bool, float]:
    one, two = before.cross_validated(), after.cross_validated()
    if strict is not None:
        truth = np.ones(one.shape[1], dtype=int)
        fact = compare(truth, one.astype(int), two.astype(int), classes=BINARY)
        return strict.passes(1.0 if fact.p_value is None else fact.p_value), fact.estimate
    if rule == "assay":
        return assay_rule(one, two)
    found: tuple[bool, float] = getattr(rules, rule)(one, two)
    return found


def _confirmed(baseline: Model, incumbent: Model) -> float:
    """One look at the vault: the estimate when it confirms, else no claim."""
    if incumbent is baseline:
        return 0.0
    before, after = baseline.on_vault().astype(int), incumbent.on_vault().astype(int)
    fact = compare(np.ones(len(before), dtype=int), before, after, classes=BINARY)
    return fact.estimate if fact.p_value is not None and fact.p_value < 0.05 else 0.0


def thresholds(draws: int) -> dict[str, Any]:
    """How often a threshold's precision is below what was promised at 95 %."""
    result = {}
    for weighted in (False, True):
        rng = np.random.default_rng(0)
        violated = reached = 0
        coverage = []
        for draw_ in range(draws):
            n = 3000 if weighted else 1000
            scores = rng.random(n)
            correct = rng.random(n) < 0.6 + 0.4 * scores
            options: dict[str, Any] = {}
            if weighted:
                chance = np.clip(1.4 - scores, 0.5, 1)
                drawn = rng.random(n) < chance
                scores, correct = scores[drawn], correct[drawn]
                options = {"weights": 1 / chance[drawn], "max_weight": 2.0, "seed": draw_}
            found = accept_threshold(scores, correct, precision=0.9, confidence=0.95, **options)
            if found.threshold is not None:
                reached += 1
                coverage.append(found.coverage)
                violated += 0.8 + 0.2 * max(found.threshold, 0.0) < 0.9
        result["weighted" if weighted else "plain"] = {
            "violated": violated / draws,
            "allowed": 0.05,
            "reached": reached / draws,
            "coverage": float(np.mean(coverage)) if coverage else 0.0,
            "best_coverage": 0.5,
        }
    return result


def few_labels(draws: int) -> list[dict[str, Any]]:
    """Coverage of prediction-powered intervals, and the rows that the model is worth."""
    rows = []
    for n in (50, 200):
        for share in (0.5, 0.1):
            for quality in (0.0, 0.8, 0.95):
                rng = np.random.default_rng(n)
                hits, worth = 0, []
                for _ in range(draws):
                    truth = (rng.random(4000) < share).astype(float)
                    guess = np.where(rng.random(4000) < quality, truth, rng.random(4000))
                    fact = mean_from_few(truth[:n], guess[:n], guess[n:])
                    hits += share in fact.interval
                    worth.append(fact.details["effective_n"] / n)
                rows.append(
                    {
                        "checked": n,
                        "share": share,
                        "model_right": quality,
                        "covered": hits / draws,
                        "worth": float(np.median(worth)),
                    }
                )
    return rows


def speed(n: int) -> dict[str, float]:
    """Seconds for one comparison of ``n`` rows."""
    rng = np.random.default_rng(0)
    truth = rng.integers(0, 10, n)
    before, after = (
        np.where(rng.random(n) < e, rng.integers(0, 10, n), truth) for e in (0.2, 0.19)
    )
    binary = truth % 2
    scores = [binary + rng.normal(size=n) for _ in range(2)]
    probabilities = [rng.dirichlet(np.ones(10), n) for _ in range(2)]
    small = slice(0, 1000)
    cases: dict[str, Callable[[slice], Any]] = {
        "accuracy": lambda s: compare(truth[s], before[s], after[s]),
        "log_loss_10_classes": lambda s: compare(
            truth[s], *(p[s] for p in probabilities), metric="log_loss"
        ),
        "mae": lambda s: compare(scores[0][s], binary[s], scores[1][s], metric="mae"),
        "auc": lambda s: compare(binary[s], *(x[s] for x in scores), metric="auc"),
        "macro_f1_2000_replicates": lambda s: compare(
            truth[s], before[s], after[s], metric="macro_f1", replicates=2000
        ),
        "average_precision": lambda s: compare(
            binary[s], *(x[s] for x in scores), metric="average_precision"
        ),
        "r2": lambda s: compare(scores[0][s], binary[s], scores[1][s], metric="r2"),
        "estimate_accuracy": lambda s: estimate(truth[s], after[s]),
    }
    seconds = {}
    for name, case in cases.items():
        case(small)  # imports are not what is measured
        started = time.perf_counter()
        case(slice(0, n))
        seconds[name] = time.perf_counter() - started
    return seconds


def summary(result: dict[str, Any], runs: int) -> dict[str, Any]:
    """Hold the aims against what was measured; cells with under ten minority units apart."""
    measured = [cell for cell in result["methods"] if "null_kept" in cell]
    cells = [cell for cell in measured if cell["minority_units"] >= 10]
    thin = [cell for cell in measured if cell["minority_units"] < 10]
    # One chance in a thousand that any cell of a test of exactly 5 % exceeds it.
    noise = float(stats.binom.ppf(1 - 1e-3 / len(measured), runs, 0.05)) / runs
    alone = {(row["rule"], row["n"]): row for row in result["rules"]}
    n = 2000 if ("assay", 2000) in alone else max(each for _, each in alone)
    mixed = {row["rule"]: row for row in result["adaptive"] if row["useful_share"] > 0}
    null = {row["rule"]: row for row in result["adaptive"] if row["useful_share"] == 0}
    return {
        "cells": len(cells),
        "largest_false_keep": max(cell["null_kept"] for cell in measured),
        "monte_carlo_bound": noise,
        "cells_above_it": sum(cell["null_kept"] > noise for cell in measured),
        "smallest_coverage_null": min(cell["null_covered"] for cell in cells),
        "smallest_coverage_effect": min(cell["effect_covered"] for cell in cells),
        "cells_covered_under_93_percent": sum(
            min(cell["null_covered"], cell["effect_covered"]) < 0.93 for cell in cells
        ),
        "thin_cells": len(thin),
        "smallest_coverage_thin": min(
            (min(cell["null_covered"], cell["effect_covered"]) for cell in thin), default=None
        ),
        "power_at_n": n,
        "power_assay": alone["assay", n]["power"],
        "power_nadeau_bengio": alone["nadeau_bengio", n]["power"],
        "claimed_over_true": {rule: _ratio(row) for rule, row in mixed.items()},
        "all_useless": {
            rule: {name: row[name] for name in ("kept", "claimed", "true", "confirmed")}
            for rule, row in null.items()
        },
    }


def _ratio(row: dict[str, Any]) -> float | None:
    return None if row["true"] == 0 else row["claimed"] / row["true"]


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--quick", action="store_true", help="a minute in place of many")
    parser.add_argument("--out", type=Path, help="also write the JSON here")
    options = parser.parse_args()
    runs = 100 if options.quick else 500
    sizes = (200, 500) if options.quick else SIZES
    started = time.perf_counter()
    result: dict[str, Any] = {"benchmark": "evidence", "quick": options.quick, "runs": runs}
    result["repeats"] = REPEATS
    result["methods"] = sizes_and_coverage(runs, sizes)
    result["rules"] = rules_alone(runs, sizes)
    result["adaptive"] = [
        row
        for useful in (0.0, 0.1)
        for row in adaptive(max(10, runs // 10), 500 if options.quick else 2000, useful)
    ]
    result["thresholds"] = thresholds(1000)
    result["few_labels"] = few_labels(runs)
    result["speed_seconds_per_million_rows"] = speed(1_000_000)
    result["summary"] = summary(result, runs)
    result["seconds"] = time.perf_counter() - started
    if options.out is not None:
        options.out.parent.mkdir(parents=True, exist_ok=True)
        options.out.write_text(json.dumps(result, indent=1) + "\n", encoding="utf-8")
    print(json.dumps(result))


if __name__ == "__main__":
    main()
