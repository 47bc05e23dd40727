"""What the statistics promise, measured by simulation; their speed on a million rows.

    python benchmarks/evidence.py [--quick] [--out docs/evidence/results.json]
    python benchmarks/evidence.py --draw docs/evidence/results.json

Prints one JSON object: false keeps, coverage and power of every method; the rules that others
use, on the same rows; sixty adaptive proposals; strict sequences; thresholds; few labels; speed.
"""

from __future__ import annotations

import argparse
import json
import time
from pathlib import Path
from typing import Any

from evidence_study.claims import WORLDS, adaptive, rules_alone, strict_sequences
from evidence_study.methods import sizes_and_coverage
from evidence_study.plots import draw
from evidence_study.promises import few_labels, speed, thresholds
from evidence_study.summary import summary
from evidence_study.world import REPEATS

SEQUENCES = {200: 400, 500: 400, 2000: 100}
"""Search rows, and how often sixty proposals are simulated on them."""
SIZES = (200, 500, 2000, 10_000)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--quick", action="store_true", help="a minute in place of many")
    parser.add_argument("--out", type=Path, help="also write the JSON here")
    parser.add_argument("--draw", type=Path, help="draw this JSON beside it; measure nothing")
    options = parser.parse_args()
    if options.draw is not None:
        print(json.dumps({"written": draw(options.draw)}))
        return
    runs = 100 if options.quick else 1000
    sizes = (200, 500) if options.quick else SIZES
    started = time.perf_counter()
    result: dict[str, Any] = {"benchmark": "evidence", "quick": options.quick, "runs": runs}
    result["repeats"] = REPEATS
    result["methods"] = sizes_and_coverage(runs, sizes)
    result["rules"] = rules_alone(runs, sizes)
    result["adaptive"] = [
        row
        for search, times in ({200: 30, 500: 30} if options.quick else SEQUENCES).items()
        for world in WORLDS
        for row in adaptive(times, search, world)
    ]
    result["strict"] = strict_sequences(200 if options.quick else 2000)
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
