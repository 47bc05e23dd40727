"""The aims, held against what was measured."""

from __future__ import annotations

from typing import Any

from scipy import stats


def summary(result: dict[str, Any], runs: int) -> dict[str, Any]:
    """Hold the aims against what was measured; cells with under ten minority units apart."""
    measured = [cell for cell in result["methods"] if "null_kept" in cell]
    cells = [cell for cell in measured if cell["minority_units"] >= 10]
    thin = [cell for cell in measured if cell["minority_units"] < 10]
    # One chance in a thousand that any cell of a test of exactly 5 % exceeds it.
    noise = float(stats.binom.ppf(1 - 1e-3 / len(measured), runs, 0.05)) / runs
    alone = {(row["rule"], row["n"]): row for row in result["rules"]}
    n = 2000 if ("assay", 2000) in alone else max(each for _, each in alone)
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
        "claims": [
            {name: row[name] for name in ("rule", "search", "world", "claimed", "true")}
            | {"claimed_over_true": _ratio(row), "excess_error": row["excess_error"]}
            for row in result["adaptive"]
            if row["rule"] in ("one_split", "cv_mean", "assay")
        ],
        "largest_strict_fdr": max(
            row["false_discovery_rate"] for row in result["strict"] if row["procedure"] == "strict"
        ),
    }


def _ratio(row: dict[str, Any]) -> float | None:
    """None where the true gain is not one, or too small to be told from none."""
    error = row["excess_error"]
    if row["true"] is None or error is None or row["true"] <= 2 * error:
        return None
    return float(row["claimed"] / row["true"])
