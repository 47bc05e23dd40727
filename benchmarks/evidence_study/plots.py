"""Draw what ``benchmarks/evidence.py`` measured, and write the tables of ``docs/evidence.md``."""

from __future__ import annotations

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
SHOWN = {
    "none-useful": "none useful",
    "small": "1 in 20 worth 1 point",
    "large": "1 in 10 worth 2 points",
}
LEFT, WIDTH, ROW = 150, 310, 24


def bars(
    title: str, rows: list[tuple[str, float, float | None]], unit: str, guide: float | None = None
) -> str:
    """One bar a row; a tick where the truth is, and a dashed guide."""
    low = min([0.0, *(min(v, t if t is not None else v) for _, v, t in rows)])
    high = max([0.01, *(max(v, t if t is not None else v) for _, v, t in rows)])
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
    for name, world in SHOWN.items():
        rows = [
            row
            for row in result["adaptive"]
            if row["world"] == world and row["search"] == 500 and row["claimed"] is not None
        ]
        drawn[name] = bars(
            f"Gain claimed after 60 proposals, {world}, 500 rows",
            [(NAMES[row["rule"]], row["claimed"], row["true"]) for row in rows],
            "points",
        )
    return drawn


def claims(result: dict[str, Any]) -> str:
    """Return what was kept and claimed in every world, for every number of rows."""
    lines = [
        "| proposals | rows | rule | kept | useless kept | claimed | true | over by "
        "| confirmed | then claimed | true |",
        "|---|---:|---|---:|---:|---:|---:|---:|---:|---:|---:|",
    ]
    for row in result["adaptive"]:
        error = 0.0 if row["excess_error"] is None else 100 * row["excess_error"]
        over = "" if row["excess"] is None else f"{100 * row['excess']:+.1f} ± {error:.1f}"
        own = row["rule"].startswith("assay")
        lines.append(
            f"| {row['world']} | {row['search']:,} | {NAMES[row['rule']]} | {row['kept']:.1f} "
            f"| {row['useless_kept']:.1f} | {_points(row['claimed'])} | {_points(row['true'])} "
            f"| {over} | {format(row['confirmed'], '.0%') if own else ''} "
            f"| {_points(row['claimed_if_confirmed'])} | {_points(row['true_if_confirmed'])} |"
        )
    return "\n".join(lines) + "\n"


def _points(value: float | None) -> str:
    return "" if value is None else f"{100 * value:+.1f}"


def strict(result: dict[str, Any]) -> str:
    """Return false discovery rates and power of the strict mode and of what stood before it."""
    names = {
        "strict": "strict",
        "one_calibrator_for_all": "e-LOND, one calibrator for all levels",
        "screen": "screen (p < .05)",
    }
    lines = [
        "| useful | procedure | false discovery rate | useful ones kept |",
        "|---:|---|---:|---:|",
    ]
    for row in result["strict"]:
        power = "" if row["power"] is None else f"{row['power']:.0%}"
        lines.append(
            f"| {row['useful_share']:.0%} | {names[row['procedure']]} "
            f"| {row['false_discovery_rate']:.1%} ± {row['error']:.1%} | {power} |"
        )
    return "\n".join(lines) + "\n"


def table(result: dict[str, Any]) -> str:
    """Return false keeps and coverage, the worst over class balance and groups."""
    lines = [
        "| metric | rows | useless kept, most | covered, least | least, if under ten rare |",
        "|---|---:|---:|---:|---:|",
    ]
    cells = result["methods"] + result.get("slow_methods", [])
    for metric in dict.fromkeys(cell["metric"] for cell in cells):
        for n in dict.fromkeys(cell["n"] for cell in cells):
            own = [c for c in cells if (c["metric"], c["n"]) == (metric, n) and "null_kept" in c]
            full = [c for c in own if c["minority_units"] >= 10]
            thin = [c for c in own if c["minority_units"] < 10]
            if not full:
                continue
            covered = min(min(c["null_covered"], c["effect_covered"]) for c in full)
            short = min((min(c["null_covered"], c["effect_covered"]) for c in thin), default=None)
            lines.append(
                f"| {metric} | {n:,} | {max(c['null_kept'] for c in own):.1%} | {covered:.1%} "
                f"| {'' if short is None else f'{short:.1%}'} |"
            )
    return "\n".join(lines) + "\n"


def promises(result: dict[str, Any]) -> str:
    """Return thresholds, estimates from few labels, and the seconds of a million rows."""
    lines = [
        "| accept_threshold, 1,000 draws | below the promised 90 % | allowed | found | coverage |",
        "|---|---:|---:|---:|---:|",
    ]
    for name, row in result["thresholds"].items():
        lines.append(
            f"| {name} rows | {row['violated']:.1%} | {row['allowed']:.0%} | {row['reached']:.0%} "
            f"| {row['coverage']:.0%} of {row['best_coverage']:.0%} |"
        )
    lines += [
        "",
        "| mean_from_few: checked rows | share | guesses right | covered | worth, times the rows |",
        "|---:|---:|---:|---:|---:|",
    ]
    lines += [
        f"| {row['checked']} | {row['share']:.0%} | {row['model_right']:.0%} "
        f"| {row['covered']:.1%} | {row['worth']:.1f} |"
        for row in result["few_labels"]
    ]
    lines += ["", "| comparing 1,000,000 rows | seconds | of processor time |", "|---|---:|---:|"]
    speed = result["speed_seconds_per_million_rows"]
    lines += [
        f"| {name.replace('_', ' ')} | {each['wall']:.2f} | {each['processor']:.2f} |"
        for name, each in speed.items()
    ]
    return "\n".join(lines) + "\n"


def draw(measured: Path) -> list[str]:
    """Write plots and tables beside the JSON file; return their names."""
    result = json.loads(measured.read_text(encoding="utf-8"))
    files = {f"{name}.svg": drawing for name, drawing in figures(result).items()}
    tables = {"methods": table, "claims": claims, "strict": strict, "promises": promises}
    files |= {f"{name}.md": write(result) for name, write in tables.items()}
    for name, text in files.items():
        (measured.parent / name).write_text(text, encoding="utf-8")
    return sorted(files)
