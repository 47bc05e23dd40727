"""Do synthetic rows help, and does the gate keep those that do and no others?

Tables with a rare class: nothing, class weights, random oversampling, SMOTE, ungated adversarial
forests and copulas, and what the gate chooses; average precision and balanced accuracy on test
rows that nothing has seen. Tables of noise, where nothing can help, tell the false keeps.

With ``--out`` each finished run is kept, and the next call goes on from there.
"""

from __future__ import annotations

import argparse
import json
from collections import defaultdict
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np

from assay.config import write_text
from common import print_result
from synth_rules import kept
from synth_runs import METRICS, MODELS, MOVED, run
from synth_sets import NAMES, QUICK, load, noise

WORSE = 0.01
"""A loss beyond this counts as harm: smaller ones are within the noise of a second fit."""

NULL_SEEDS = 20


def jobs(quick: bool) -> Iterator[tuple[str, str, int]]:
    """Yield set, model and seed; every set once before any a second time."""
    for seed in range(1 if quick else 3):
        for name in QUICK if quick else NAMES:
            for model in MODELS:
                yield name, model, seed
    for seed in range(2 if quick else NULL_SEEDS):
        yield "noise", "linear", seed


def summary(runs: dict[str, Any]) -> dict[str, Any]:
    """Return each way's mean gain over doing nothing and its share of harm; and the false keeps."""
    gains: dict[str, dict[str, list[float]]] = {m: defaultdict(list) for m in METRICS}
    false: dict[str, list[bool]] = defaultdict(list)
    for key, found in runs.items():
        if key.startswith("noise"):
            for metric in METRICS:
                for rule, name in kept(found["screened"], metric).items():
                    false[f"{metric}, {rule}"].append(name is not None)
            continue
        for metric in METRICS:
            nothing = found["test"]["nothing"][metric]
            ways = {name: each[metric] for name, each in found["test"].items()}
            for other in METRICS:
                if other != metric:
                    name = kept(found["screened"], other)["ours"]
                    ways[f"ours, by {other}"] = ways[name or "nothing"]
            for rule, name in kept(found["screened"], metric).items():
                ways[rule] = ways[name or "nothing"]
            for way, value in ways.items():
                gains[metric][way].append(value - nothing)
    return {
        "ways": {
            metric: {way: _of(values) for way, values in found.items() if way != "nothing"}
            for metric, found in gains.items()
        },
        "false_keeps": {
            rule: {"kept": int(sum(each)), "of": len(each)} for rule, each in false.items()
        },
    }


def _of(gains: list[float]) -> dict[str, float]:
    values = np.array(gains)
    spread = values.std(ddof=1) / len(values) ** 0.5 if len(values) > 1 else float("nan")
    return {
        "mean_gain": float(values.mean()),
        "standard_error": float(spread),
        "worse": float((values < -WORSE).mean()),
        "worst": float(values.min()),
        "runs": len(values),
    }


def main() -> None:
    """Run, keep, sum up; print one JSON object."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--quick", action="store_true", help="two sets, one seed; a smoke test")
    parser.add_argument("--out", type=Path, help="a JSON file that keeps each finished run")
    options = parser.parse_args()
    runs: dict[str, Any] = {}
    if options.out is not None and options.out.exists():
        runs = json.loads(options.out.read_text())["runs"]
    for name, model, seed in jobs(options.quick):
        key = f"{name} {model} {seed}"
        if key in runs and MOVED in runs[key]["screened"]:
            continue
        given = noise(seed) if name == "noise" else load(name, seed)
        runs[key] = run(given, model, seed, runs.get(key))
        print(f"{key}: done", flush=True)
        if options.out is not None:
            written = {"runs": runs, "summary": summary(runs)}
            write_text(options.out, json.dumps(written, sort_keys=True) + "\n")
    print_result(**summary(runs))


if __name__ == "__main__":
    main()
