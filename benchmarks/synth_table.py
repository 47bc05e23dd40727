"""Writes ``docs/synthesis/results.md`` from the figures that ``synth.py`` kept."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

from synth import WORSE, summary

FOLDER = Path(__file__).parents[1] / "docs" / "synthesis"


def draw(runs: dict[str, Any]) -> str:
    """Return the document."""
    found = summary(runs)
    lines = [
        "# Synthetic rows of tables, measured",
        "",
        "Nine tables with a rare class, three splits, a linear model and a random forest; at most",
        "1,000 rows to learn from where these hold 15 of the rare class. By `synth.py --out",
        "docs/synthesis/results.json`; drawn by `synth_table.py`, both in `benchmarks`. Gains are",
        "over doing nothing, on test rows that nothing has seen; *worse* is the share of runs that",
        f"lost more than {WORSE}. *ours* is the gate at its default guard; at *guard .20* a class",
        "may lose a fifth of its recall, and at *no guard* all. It chooses among class weights, a",
        "moved threshold, copies, SMOTE and curated rows at 1x and 4x; doses of curated rows up to",
        "balance are not among them yet. A standard error takes runs as independent, which splits",
        "of one table are not.",
    ]
    for metric, ways in found["ways"].items():
        lines += [
            "",
            f"## {metric.replace('_', ' ').capitalize()}",
            "",
            "| way | mean gain | standard error | worse | worst | runs |",
            "|---|---|---|---|---|---|",
        ]
        for way, each in sorted(ways.items(), key=lambda pair: -pair[1]["mean_gain"]):
            told = way.replace("_", " ")
            lines.append(
                f"| {told} | {each['mean_gain']:+.3f} | {each['standard_error']:.3f} | "
                f"{each['worse']:.0%} | {each['worst']:+.3f} | {each['runs']} |"
            )
    lines += [
        "",
        "## Where nothing can help",
        "",
        "Tables of noise, 400 rows; how often anything was kept.",
        "",
        "| metric and rule | kept | of |",
        "|---|---|---|",
    ]
    for rule, each in found["false_keeps"].items():
        lines.append(f"| {rule.replace('_', ' ')} | {each['kept']} | {each['of']} |")
    return "\n".join(lines) + "\n"


if __name__ == "__main__":
    kept = json.loads((FOLDER / "results.json").read_text())
    (FOLDER / "results.md").write_text(draw(kept["runs"]))
