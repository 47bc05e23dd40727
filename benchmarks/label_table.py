"""Writes the tables of ``docs/labelling/results.md`` from the figures that ``label.py`` kept."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

from label_kept import redrawn, summaries

FOLDER = Path(__file__).parents[1] / "docs" / "labelling"
WHO = {
    "ours accuracy": "Assay",
    "ours macro_f1": "Assay, macro-F1",
    "plain accuracy": "asked plainly",
    "dawid_skene accuracy": "Dawid-Skene",
    "setfit accuracy": "SetFit",
    "logistic accuracy": "logistic regression",
    "coverage at_0.90": "accepted at 90 %",
    "coverage at_0.95": "accepted at 95 %",
}
REDRAWS = {
    "guarantee": "linear | the rows",
    "guarantee tuned": "fine-tuned | the rows",
    "guarantee split": "linear | another split",
}


def told(figure: dict[str, Any] | None) -> str:
    """Return a mean with its half-width, where there are several seeds."""
    if figure is None:
        return ""
    half = figure["half_width"]
    return f"{figure['mean']:.3f}" + ("" if half is None else f" ± {half:.3f}")


def draw(results: dict[str, Any]) -> str:
    """Return the document."""
    lines = [
        "# Labelling, measured",
        "",
        f"Up to {results['rows']:,} rows a set, the embedded models, by `label.py`; drawn",
        "by `label_table.py`, both in `benchmarks`. A mean without ± is of one seed.",
        *_setfit(results["sets"]),
        "",
        f"| set | student | seeds | gold | {' | '.join(WHO.values())} |",
        "|" + "---|" * (len(WHO) + 4),
    ]
    for name, found in summaries(results).items():
        for gold, summary in found.items():
            cells = [told(summary.get(each)) for each in WHO]
            seeds = max(each["n"] for each in summary.values())
            lines.append(
                f"| {' | '.join(name.split(', '))} | {seeds} | {gold} | {' | '.join(cells)} |"
            )
    lines += [
        "",
        "Redraws of 100 gold rows: how often rows were accepted, and how often fewer of them were",
        "right than guaranteed (at most one in twenty is promised, where gold is drawn from the",
        "rows themselves; another split may differ, as Reuters' does, which is earlier).",
        "",
        "| set | student | gold from | precision | redraws | accepted some | broke it |",
        "|---|---|---|---|---|---|---|",
    ]
    for name, found in sorted(results["sets"].items()):
        for key, how in REDRAWS.items():
            for precision, each in sorted(redrawn(found, key).items()):
                counts = f"{each['draws']} | {each['reached']} | {each['failed']}"
                of = name.split(", ")[0]
                lines.append(f"| {of} | {how} | {precision} | {counts} |")
    return "\n".join([*lines, *_rates(results["sets"])]) + "\n"


def _setfit(sets: dict[str, Any]) -> list[str]:
    """Return how long SetFit was taught, a line where it was measured."""
    steps = sorted({
        each["steps"]
        for found in sets.values()
        for by_seed in found.get("peers", {}).get("setfit", {}).values()
        for each in by_seed.values()
    })  # fmt: skip
    if not steps:
        return []
    told = " or ".join("all" if each < 0 else str(each) for each in steps)
    return [f"SetFit: {told} steps of 16 pairs, the first 128 tokens of a text."]


def _rates(sets: dict[str, Any]) -> list[str]:
    timed = {name: found["rate"] for name, found in sorted(sets.items()) if "rate" in found}
    if not timed:
        return []
    return [
        "",
        "Rows a second on two cores, once annotators are fitted on 100 gold rows, with nothing",
        "answered before.",
        "",
        "| set | student | rows timed | Assay | asked plainly |",
        "|---|---|---|---|---|",
        *(
            f"| {' | '.join(name.split(', '))} | {each['rows']} | {each['ours']:.2f} |"
            f" {each['plain']:.2f} |"
            for name, each in timed.items()
        ),
    ]


if __name__ == "__main__":
    (FOLDER / "results.md").write_text(draw(json.loads((FOLDER / "results.json").read_text())))
