"""Writes ``docs/synthesis/results.md`` from the figures that the benchmarks of synthesis kept."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import synth
import synth_text
from synth_runs import OURS

FOLDER = Path(__file__).parents[1] / "docs" / "synthesis"


def tables(runs: dict[str, Any]) -> list[str]:
    """Return the part on tables."""
    found = synth.summary(runs)
    splits = sorted({key.rsplit(" ", 1)[1] for key in runs if not key.startswith("noise")})
    lines = [
        "# Synthetic rows, measured",
        "",
        f"Nine tables with a rare class, splits {', '.join(splits)}, a linear model and a random",
        "forest; at most 1,000 rows to learn from where these hold 15 of the rare class. By",
        "`synth.py --out docs/synthesis/results.json`; drawn by `synth_table.py`, both in",
        "`benchmarks`. Gains are over doing nothing, on rows that nothing has seen. *Worse* is",
        f"the share of runs that lost more than {synth.WORSE}, *ours beyond it* what the gate",
        "gained more, run by run. The gate is the product's, by cross-validation alone: it chooses",
        "among class weights, a moved threshold, and curated rows of three methods at 1x, 4x and",
        "up to balance. Standard errors take runs as independent; splits of one table are not.",
    ]
    for metric, ways in found["ways"].items():
        lines += [
            "",
            f"## {metric.replace('_', ' ').capitalize()}",
            "",
            "| way | mean gain | standard error | ours beyond it | worse | worst | runs |",
            "|---|---|---|---|---|---|---|",
        ]
        for way, each in sorted(ways.items(), key=lambda pair: -pair[1]["mean_gain"]):
            behind = f"{each['behind_ours']:+.3f} ± {each['behind_ours_standard_error']:.3f}"
            lines.append(
                f"| {way.replace('_', ' ')} | {each['mean_gain']:+.3f} "
                f"| {each['standard_error']:.3f} | {'' if way == OURS else behind} "
                f"| {each['worse']:.0%} | {each['worst']:+.3f} | {each['runs']} |"
            )
    lines += [
        "",
        "## Tables where nothing can help",
        "",
        "400 rows of noise; how often anything was kept.",
        "",
        "| metric and rule | kept | of |",
        "|---|---|---|",
    ]
    for rule, each in found["false_keeps"].items():
        lines.append(f"| {rule.replace('_', ' ')} | {each['kept']} | {each['of']} |")
    return lines


def texts(runs: dict[str, Any]) -> list[str]:
    """Return the part on texts."""
    found = synth_text.summary(runs)
    ours, false = found["kept"][OURS], found["false_keeps"][OURS]
    lines = [
        "",
        "## Texts",
        "",
        "Reuters R8 (60 rows a class), R52 (40) and AG News (20), one class cut to twelve; a",
        f"linear model on words. {found['runs']} runs by `synth_text.py --out",
        "docs/synthesis/texts.json`. The gate chose among class weights, a moved threshold, and",
        f"sifted texts up to balance, by macro-F1; it kept something in {ours['kept']} of",
        f"{ours['of']} runs, and under shuffled labels in {false['kept']} of {false['of']}.",
        "",
        "| way | macro-F1 | standard error | recall of the rare class | standard error "
        "| worse | worst |",
        "|---|---|---|---|---|---|---|",
    ]
    for way, each in sorted(found["ways"].items(), key=lambda pair: -pair[1]["macro_f1"]):
        lines.append(
            f"| {way} | {each['macro_f1']:+.3f} | {each['macro_f1_standard_error']:.3f} "
            f"| {each['rare_recall']:+.3f} | {each['rare_recall_standard_error']:.3f} "
            f"| {each['worse']:.0%} | {each['worst']:+.3f} |"
        )
    return lines


def main() -> None:
    """Draw what is there."""
    lines = tables(json.loads((FOLDER / "results.json").read_text())["runs"])
    kept = FOLDER / "texts.json"
    if kept.exists():
        lines += texts(json.loads(kept.read_text())["runs"])
    (FOLDER / "results.md").write_text("\n".join(lines) + "\n")


if __name__ == "__main__":
    main()
