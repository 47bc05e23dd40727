"""Draw what ``benchmarks/evidence.py`` measured, and write the tables of ``docs/evidence.md``.

python benchmarks/evidence_plots.py RESULT.json docs/evidence
"""

from __future__ import annotations

import argparse
import json
from pathlib import Path
from typing import Any

NAMES = {
    "one_split": "better on one split",
    "cv_mean": "better CV mean",
    "naive_t": "naive t-test",
    "thresholdout": "Thresholdout",
    "nadeau_bengio": "Nadeau-Bengio",
    "assay": "Assay",
    "assay_strict": "Assay, strict",
}
STYLE = (
    "<style>text{font:13px system-ui,sans-serif;fill:#333}.m{fill:#777}.a{fill:#0b6bcb}"
    ".o{fill:#b9bec6}.t{stroke:#333;stroke-width:2}.l{stroke:#ccc}"
    "@media(prefers-color-scheme:dark){text{fill:#ddd}.m{fill:#999}.o{fill:#5b616b}"
    ".a{fill:#5aa7f0}.t{stroke:#ddd}.l{stroke:#444}}</style>"
)
LEFT, WIDTH, ROW = 150, 310, 24


def bars(
    title: str, rows: list[tuple[str, float, float | None]], unit: str, guide: float | None = None
) -> str:
    """One bar a row; a tick where the truth is, and a dashed guide."""
    low = min(0.0, *(min(v, t if t is not None else v) for _, v, t in rows))
    high = max(0.01, *(max(v, t if t is not None else v) for _, v, t in rows))
    scale = WIDTH / (high - low)

    def x(value: float) -> float:
        return LEFT + (value - low) * scale

    height = 44 + ROW * len(rows)
    parts = [
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 620 {height}" role="img">',
        f"<title>{title}</title>{STYLE}",
        f'<text x="0" y="16" font-weight="600">{title}</text>',
        f'<line class="l" x1="{x(0):.1f}" x2="{x(0):.1f}" y1="28" y2="{height - 8}"/>',
    ]
    if guide is not None:
        parts.append(
            f'<line class="l" stroke-dasharray="4 3" x1="{x(guide):.1f}" x2="{x(guide):.1f}" '
            f'y1="28" y2="{height - 8}"/>'
        )
    for i, (name, value, true) in enumerate(rows):
        y = 34 + i * ROW
        kind = "a" if name.startswith("Assay") else "o"
        start, length = min(x(0), x(value)), abs(x(value) - x(0))
        parts.append(f'<text x="0" y="{y + 13}">{name}</text>')
        parts.append(
            f'<rect class="{kind}" x="{start:.1f}" y="{y}" width="{length:.1f}" height="16"/>'
        )
        label = f"{100 * value:.1f} {unit}"
        if true is not None:
            parts.append(
                f'<line class="t" x1="{x(true):.1f}" x2="{x(true):.1f}" '
                f'y1="{y - 2}" y2="{y + 18}"/>'
            )
            label += f" (true {100 * true:.1f})"
        end = max(x(value), x(true if true is not None else value), x(0)) + 6
        parts.append(f'<text class="m" x="{end:.1f}" y="{y + 13}">{label}</text>')
    return "\n".join([*parts, "</svg>", ""])


def figures(result: dict[str, Any]) -> dict[str, str]:
    n = result["summary"]["power_at_n"]
    alone = [row for row in result["rules"] if row["n"] == n]
    drawn = {
        "false-keeps": bars(
            f"A useless proposal is kept, {n} rows",
            [(NAMES[row["rule"]], row["false_keep"], None) for row in alone],
            "%",
            0.05,
        ),
        "power": bars(
            f"A useful proposal (+{100 * alone[0]['effect']:.1f} points) is kept, {n} rows",
            [(NAMES[row["rule"]], row["power"], None) for row in alone],
            "%",
            0.8,
        ),
    }
    for name, useful in (("all-useless", False), ("mixed", True)):
        rows = [row for row in result["adaptive"] if (row["useful_share"] > 0) is useful]
        kind = "one in ten useful" if useful else "all useless"
        drawn[name] = bars(
            f"Gain claimed after 60 proposals, {kind}",
            [(NAMES[row["rule"]], row["claimed"], row["true"]) for row in rows],
            "points",
        )
    return drawn


def table(result: dict[str, Any]) -> str:
    """Return false keeps and coverage, the worst over class balance and groups."""
    lines = [
        "| metric | rows | useless kept, most | covered, least | least, if under ten rare |",
        "|---|---:|---:|---:|---:|",
    ]
    cells = result["methods"]
    for metric in dict.fromkeys(cell["metric"] for cell in cells):
        for n in dict.fromkeys(cell["n"] for cell in cells):
            own = [c for c in cells if (c["metric"], c["n"]) == (metric, n) and "null_kept" in c]
            full = [c for c in own if c["minority_units"] >= 10]
            thin = [c for c in own if c["minority_units"] < 10]
            covered = min(min(c["null_covered"], c["effect_covered"]) for c in full)
            short = min((min(c["null_covered"], c["effect_covered"]) for c in thin), default=None)
            lines.append(
                f"| {metric} | {n:,} | {max(c['null_kept'] for c in own):.1%} | {covered:.1%} "
                f"| {'' if short is None else f'{short:.1%}'} |"
            )
    return "\n".join(lines) + "\n"


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("result", type=Path)
    parser.add_argument("folder", type=Path)
    options = parser.parse_args()
    result = json.loads(options.result.read_text(encoding="utf-8"))
    options.folder.mkdir(parents=True, exist_ok=True)
    for name, drawing in figures(result).items():
        (options.folder / f"{name}.svg").write_text(drawing, encoding="utf-8")
    (options.folder / "methods.md").write_text(table(result), encoding="utf-8")
    print(json.dumps({"written": len(figures(result)) + 1}))


if __name__ == "__main__":
    main()
