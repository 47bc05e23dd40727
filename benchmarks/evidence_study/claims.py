"""What rules keep and claim: one proposal alone, and sixty in turn."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
from scipy import stats

from assay.evidence import Screening, compare, smallest_effect
from evidence_study.methods import BINARY
from evidence_study.world import RULES, Rules, World

BASE = 0.8
WORLDS = {
    "none useful": (0.0, 0.0, -0.001),
    "1 in 20 worth 1 point": (0.05, 0.01, -0.001),
    "1 in 10 worth 2 points": (0.1, 0.02, -0.001),
}
"""Which share of the proposals is useful, what it adds to the true accuracy, what others cost."""


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


def adaptive(others: int, own: int, search: int, world: str) -> list[dict[str, Any]]:
    """Sixty proposals in turn, each against what was kept so far; what is claimed, what is true.

    The others judge every model once, on fixed folds, and claim the last figure less the first.
    Assay judges both anew for each proposal, and claims what the vault says of the bundle.
    """
    share, worth, cost = WORLDS[world]
    results = []
    for rule in (*RULES, "assay", "assay_strict"):
        rng = np.random.default_rng(search)
        runs = own if rule == "assay" else others
        found = [_sixty(rule, search, share, worth, cost, rng) for _ in range(runs)]
        looked = [each for each in found if each.claimed is not None]
        sure = [each for each in looked if each.confirmed]
        gaps = np.array([each.claimed - each.true for each in looked if each.claimed is not None])
        results.append(
            {
                "rule": rule,
                "search": search,
                "vault": max(100, search // 3),
                "world": world,
                "runs": runs,
                "kept": float(np.mean([each.kept for each in found])),
                "useless_kept": float(np.mean([each.useless for each in found])),
                "true_of_all_runs": float(np.mean([each.true for each in found])),
                "claiming": len(looked) / runs,
                "claimed": _mean([each.claimed for each in looked]),
                "true": _mean([each.true for each in looked]),
                "excess": _mean(list(gaps)),
                "excess_error": float(gaps.std() / max(1, len(gaps)) ** 0.5) if len(gaps) else None,
                "confirmed": len(sure) / runs,
                "claimed_if_confirmed": _mean([each.claimed for each in sure]),
                "true_if_confirmed": _mean([each.true for each in sure]),
            }
        )
    return results


@dataclass
class Sixty:
    """How sixty proposals ended: ``claimed`` is None where nothing was kept for the vault."""

    claimed: float | None
    true: float
    kept: int
    useless: int
    confirmed: bool


def _sixty(
    rule: str, search: int, share: float, worth: float, cost: float, rng: np.random.Generator
) -> Sixty:
    world, rules = World(search, max(100, search // 3), rng), Rules(search, rng)
    baseline = incumbent = world.model(BASE)
    strict = Screening("strict") if rule == "assay_strict" else None
    fixed = baseline.cross_validated()
    claimed, kept, useless = 0.0, 0, 0
    for _ in range(60):
        gain = worth if rng.random() < share else cost
        candidate = world.model(min(0.98, incumbent.accuracy + gain))
        after = candidate.cross_validated()
        if rule.startswith("assay"):
            better, seen = _screened(incumbent.cross_validated(), after, strict)
        else:
            better, seen = getattr(rules, rule)(fixed, after)
        if better:
            kept, useless = kept + 1, useless + (gain <= 0)
            incumbent, fixed, claimed = candidate, after, claimed + seen
    true = incumbent.accuracy - baseline.accuracy
    if not rule.startswith("assay"):
        return Sixty(claimed, true, kept, useless, False)
    if not kept:
        return Sixty(None, true, 0, 0, False)
    before, after = baseline.on_vault().astype(int), incumbent.on_vault().astype(int)
    fact = compare(np.ones(len(before), dtype=int), before, after, classes=BINARY)
    return Sixty(fact.estimate, true, kept, useless, (fact.p_value or 0.0) < 0.05)


def _screened(before: Any, after: Any, strict: Screening | None) -> tuple[bool, float]:
    if strict is None:
        return assay_rule(before, after)
    truth = np.ones(before.shape[1], dtype=int)
    fact = compare(truth, before.astype(int), after.astype(int), classes=BINARY)
    return strict.passes(1.0 if fact.p_value is None else fact.p_value), fact.estimate


def _mean(values: list[Any]) -> float | None:
    return float(np.mean(values)) if values else None


def strict_sequences(runs: int) -> list[dict[str, Any]]:
    """Measure false discovery rate and power over sixty tests that share their rows.

    Each statistic holds the incumbent's luck; what helped one proposal harms the next.
    """
    from online_fdr.e_values import ELond

    rows = []
    for useful in (0.0, 0.1, 0.3):
        for name in ("strict", "one_calibrator_for_all", "screen"):
            rng = np.random.default_rng(0)
            shares, found = [], []
            for _ in range(runs):
                truths = rng.random(60) < useful
                luck = rng.normal(size=60)
                luck[1::3] = -luck[::3]
                z = 0.7 * rng.normal() + np.sqrt(0.51) * luck + 4 * truths
                if name == "one_calibrator_for_all":
                    sequence = ELond(alpha=0.05)
                    kept = np.array([sequence.test_one(_averaged(p)) for p in stats.norm.sf(z)])
                else:
                    screening = Screening("strict" if name == "strict" else "screen")
                    kept = np.array([screening.passes(float(p)) for p in stats.norm.sf(z)])
                shares.append((kept & ~truths).sum() / max(1, kept.sum()))
                if truths.any():
                    found.append(kept[truths].mean())
            rows.append(
                {
                    "procedure": name,
                    "useful_share": useful,
                    "false_discovery_rate": float(np.mean(shares)),
                    "error": float(np.std(shares) / runs**0.5),
                    "power": _mean(found),
                }
            )
    return rows


def _averaged(p_value: float) -> float:
    """Vovk and Wang's average of all calibrators: what strict screening used before."""
    p = min(max(p_value, 1e-300), 1 - 1e-6)
    return float((1 - p + p * np.log(p)) / (p * np.log(p) ** 2))
