"""Do synthetic rows help, and does the gate keep those that do and no others?

Tables with a rare class: nothing, class weights, a moved threshold, random oversampling, SMOTE,
ungated adversarial forests and copulas, and what the product's gate chooses; average precision and
balanced accuracy on test rows that nothing has seen. Tables of noise, where nothing can help, tell
the false keeps. The gate is cross-validation alone: with some twenty rare rows a vault could
confirm nothing, so none is locked.

With ``--out`` each finished run is kept, and the next call goes on from there. ``--seeds`` names
the splits: those on which a choice was made are not those to report. ``--sets`` and ``--metrics``
name some of the tables, and other metrics (``macro_f1``).
"""

from __future__ import annotations

import argparse
import json
from collections import defaultdict
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

import numpy as np

from assay.config import write_text
from common import print_result
from synth_runs import METRICS, MODELS, OURS, RISEN, run
from synth_sets import NAMES, QUICK, load, noise

WORSE = 0.01
"""A loss beyond this counts as harm: smaller ones are within the noise of a second fit."""

SEEDS = (3, 4, 5)
NULL_SEEDS = 20


def jobs(seeds: Sequence[int], names: Sequence[str], quick: bool) -> Iterator[tuple[str, str, int]]:
    """Yield set, model and seed; every set once before any a second time, then the noise."""
    for seed in seeds[: 1 if quick else None]:
        for name in names:
            for model in MODELS:
                yield name, model, seed
    for seed in range(2 if quick else NULL_SEEDS):
        yield "noise", "linear", seed


def summary(runs: dict[str, Any], metrics: Sequence[str] = METRICS) -> dict[str, Any]:
    """Return each way's mean gain over doing nothing and its share of harm; and the false keeps."""
    gains: dict[str, dict[str, list[float]]] = {metric: defaultdict(list) for metric in metrics}
    kept: dict[str, list[bool]] = defaultdict(list)
    for key, found in runs.items():
        for metric in metrics:
            chosen = found["chosen"]
            if key.startswith("noise"):
                for rule in (OURS, RISEN):
                    kept[f"{metric}, {rule}"].append(chosen[metric][rule] is not None)
                continue
            nothing = found["test"]["nothing"]
            ways = {way: each[metric] for way, each in found["test"].items() if way != "nothing"}
            for rule in (OURS, RISEN):
                ways[rule] = _figures(chosen[metric][rule], nothing)[metric]
            for other in metrics:
                if other != metric:
                    by = _figures(chosen[other][OURS], nothing)
                    ways[f"{OURS}, by {other}"] = by[metric]
            for way, value in ways.items():
                gains[metric][way].append(value - nothing[metric])
    return {
        "ways": {
            metric: {way: _of(values, found[OURS]) for way, values in found.items()}
            for metric, found in gains.items()
        },
        "false_keeps": {
            rule: {"kept": int(sum(each)), "of": len(each)} for rule, each in kept.items()
        },
    }


def _figures(chosen: dict[str, Any] | None, nothing: dict[str, float]) -> dict[str, float]:
    figures: dict[str, float] = nothing if chosen is None else chosen["test"]
    return figures


def _of(gains: list[float], ours: list[float]) -> dict[str, float]:
    """Return a way's figures; ``behind_ours`` is what ours gains beyond it, run by run."""
    values, behind = np.array(gains), np.array(ours) - np.array(gains)
    root = len(values) ** 0.5
    many = len(values) > 1
    return {
        "mean_gain": float(values.mean()),
        "standard_error": float(values.std(ddof=1) / root) if many else float("nan"),
        "behind_ours": float(behind.mean()),
        "behind_ours_standard_error": float(behind.std(ddof=1) / root) if many else float("nan"),
        "worse": float((values < -WORSE).mean()),
        "worst": float(values.min()),
        "runs": len(values),
    }


def main() -> None:
    """Run, keep, sum up; print one JSON object."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--quick", action="store_true", help="two sets, one seed; a smoke test")
    parser.add_argument("--seeds", type=int, nargs="+", default=SEEDS, help="which splits")
    parser.add_argument("--sets", nargs="+", choices=NAMES, help="which tables; all by default")
    parser.add_argument("--metrics", nargs="+", default=METRICS, help="what the gate decides by")
    parser.add_argument("--out", type=Path, help="a JSON file that keeps each finished run")
    options = parser.parse_args()
    runs: dict[str, Any] = {}
    if options.out is not None and options.out.exists():
        runs = json.loads(options.out.read_text())["runs"]
    names = options.sets or (QUICK if options.quick else NAMES)
    for name, model, seed in jobs(options.seeds, names, options.quick):
        key = f"{name} {model} {seed}"
        if key in runs:
            continue
        given = noise(seed) if name == "noise" else load(name, seed)
        runs[key] = run(given, model, seed, options.metrics)
        print(f"{key}: done", flush=True)
        if options.out is not None:
            written = {"runs": runs, "summary": summary(runs, options.metrics)}
            write_text(options.out, json.dumps(written, sort_keys=True) + "\n")
    print_result(**summary(runs, options.metrics))


if __name__ == "__main__":
    main()
