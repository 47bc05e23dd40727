"""The aims, held against what was measured."""

from __future__ import annotations

from typing import Any

from scipy import stats


def summary(result: dict[str, Any]) -> dict[str, Any]:
    """Hold the aims against what was measured; cells with under ten minority units apart."""
    every = result["methods"] + result.get("slow_methods", [])
    measured = [cell for cell in every if "null_kept" in cell]
    cells = [cell for cell in measured if cell["minority_units"] >= 10]
    thin = [cell for cell in measured if cell["minority_units"] < 10]
    noise = {runs: _noise(runs, len(measured)) for runs in {cell["runs"] for cell in measured}}
    alone = {(row["rule"], row["n"]): row for row in result["rules"]}
    n = 2000 if ("assay", 2000) in alone else max(each for _, each in alone)
    return {
        "cells": len(cells),
        "largest_false_keep": max(cell["null_kept"] for cell in measured),
        "monte_carlo_bounds": noise,
        "cells_above_them": sum(cell["null_kept"] > noise[cell["runs"]] for cell in measured),
        "smallest_coverage_null": min(cell["null_covered"] for cell in cells),
        "smallest_coverage_effect": min(cell["effect_covered"] for cell in cells),
        "cells_covered_under_93_percent": sum(
            min(cell["null_covered"], cell["effect_covered"]) < 0.93 for cell in measured
        ),
        "thin_cells": len(thin),
        "smallest_coverage_thin": min(
            (min(cell["null_covered"], cell["effect_covered"]) for cell in thin), default=None
        ),
        "power_at_n": n,
        "power_assay": alone["assay", n]["power"],
        "power_nadeau_bengio": alone["nadeau_bengio", n]["power"],
        "claims": [
            {name: row[name] for name in ("rule", "search", "world", "claimed", "true")}
            | {"claimed_over_true": _ratio(row), "excess_error": row["excess_error"]}
            for row in result["adaptive"]
            if row["rule"] in ("one_split", "cv_mean", "assay")
        ],
        "where_naive_is_off_five_times": _where_naive_is_off(result["adaptive"]),
        "largest_strict_fdr": max(
            row["false_discovery_rate"] for row in result["strict"] if row["procedure"] == "strict"
        ),
    }


def _noise(runs: int, cells: int) -> float:
    """Return what a test of exactly 5 % exceeds in some cell with a chance of one in a thousand."""
    return float(stats.binom.ppf(1 - 1e-3 / cells, runs, 0.05)) / runs


def _where_naive_is_off(rows: list[dict[str, Any]]) -> list[dict[str, Any]]:
    """Return Assay's claim over the truth where "better on one split" claims five times it.

    Where its own kept proposals gain nothing, it claims something for nothing: that is more. Left
    out is where Assay's true gain itself is too small to divide by.
    """
    of = {(row["rule"], row["search"], row["world"]): row for row in rows}
    found = []
    for search, world in dict.fromkeys((row["search"], row["world"]) for row in rows):
        naive, ours = of["one_split", search, world], of["assay", search, world]
        ratio = _ratio(ours)
        off = naive["true"] <= 0 or naive["claimed"] / naive["true"] >= 5
        if off and ratio is not None:
            found.append(
                {
                    "search": search,
                    "world": world,
                    "naive_claimed": naive["claimed"],
                    "naive_true": naive["true"],
                    "assay_claimed_over_true": ratio,
                    "standard_error": ours["excess_error"] / ours["true"],
                }
            )
    return found


def _ratio(row: dict[str, Any]) -> float | None:
    """None where the true gain is not one, or too small to be told from none."""
    error = row["excess_error"]
    if row["true"] is None or error is None or row["true"] <= 2 * error:
        return None
    return float(row["claimed"] / row["true"])
