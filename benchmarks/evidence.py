"""What the statistics promise, measured by simulation; their speed on a million rows.

    python benchmarks/evidence.py [--quick] [--out docs/evidence/results.json]
    python benchmarks/evidence.py --only adaptive --out docs/evidence/results.json
    python benchmarks/evidence.py --draw docs/evidence/results.json

Prints one JSON object: false keeps, coverage and power of every method; the rules that others
use, on the same rows; sixty adaptive proposals; strict sequences; thresholds; few labels; speed.
"""

from __future__ import annotations

import argparse
import json
import time
from collections.abc import Callable
from functools import partial
from pathlib import Path
from typing import Any

from evidence_study.claims import WORLDS, adaptive, rules_alone, strict_sequences
from evidence_study.methods import SLOW_METRICS, sizes_and_coverage
from evidence_study.plots import draw
from evidence_study.promises import few_labels, speed, thresholds
from evidence_study.summary import summary
from evidence_study.world import REPEATS

SEQUENCES = {200: (400, 1600), 500: (400, 1600), 2000: (100, 400)}
"""Search rows; how often sixty proposals are simulated on them for the others, and for Assay: what
the others are wrong by shows in few runs, what Assay's claims are wrong by in many."""
SIZES = (200, 500, 2000, 10_000)


def parts(quick: bool, runs: int) -> dict[str, Callable[[], Any]]:
    """Return what is measured; every part has its own seeds."""
    sizes = (200, 500) if quick else SIZES
    sequences = {200: (30, 30), 500: (30, 30)} if quick else SEQUENCES
    return {
        "speed_seconds_per_million_rows": partial(speed, 1_000_000),
        "methods": partial(sizes_and_coverage, runs, sizes),
        "slow_methods": partial(sizes_and_coverage, 20 if quick else 100, sizes[:3], SLOW_METRICS),
        "rules": partial(rules_alone, runs, sizes),
        "adaptive": lambda: [
            row
            for search, (others, own) in sequences.items()
            for world in WORLDS
            for row in adaptive(others, own, search, world)
        ],
        "strict": partial(strict_sequences, 200 if quick else 2000),
        "thresholds": partial(thresholds, 1000),
        "few_labels": partial(few_labels, runs),
    }


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--quick", action="store_true", help="a minute in place of many")
    parser.add_argument("--out", type=Path, help="also write the JSON here")
    parser.add_argument("--only", help="measure one part anew; the rest is read from --out")
    parser.add_argument("--draw", type=Path, help="draw this JSON beside it; measure nothing")
    options = parser.parse_args()
    if options.draw is not None:
        print(json.dumps({"written": draw(options.draw)}))
        return
    runs = 100 if options.quick else 1000
    result: dict[str, Any] = {}
    if options.only is not None:
        if options.out is None:
            raise SystemExit("--only needs --out: the file that holds the other parts")
        result = json.loads(options.out.read_text(encoding="utf-8"))
    result |= {"benchmark": "evidence", "quick": options.quick, "runs": runs, "repeats": REPEATS}
    seconds = result.setdefault("seconds", {})
    for name, part in parts(options.quick, runs).items():
        if options.only in (None, name):
            started = time.perf_counter()
            result[name] = part()
            seconds[name] = round(time.perf_counter() - started, 1)
            keep(result, options.out)
    result["summary"] = summary(result)
    keep(result, options.out)
    print(json.dumps(result))


def keep(result: dict[str, Any], out: Path | None) -> None:
    """Write what there is so far: a part takes many minutes."""
    if out is not None:
        out.parent.mkdir(parents=True, exist_ok=True)
        out.write_text(json.dumps(result, indent=1) + "\n", encoding="utf-8")


if __name__ == "__main__":
    main()
