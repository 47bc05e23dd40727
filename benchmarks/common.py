"""What the benchmarks share: arguments, the text sets, and the closing line of JSON."""

from __future__ import annotations

import argparse
import json
import os
import sys
from pathlib import Path
from typing import Any

import polars as pl


def arguments(description: str | None) -> argparse.Namespace:
    """Parse ``--quick`` and nothing else."""
    parser = argparse.ArgumentParser(description=description)
    parser.add_argument("--quick", action="store_true", help="fewer repeats; a smoke test")
    return parser.parse_args()


def print_result(**figures: Any) -> None:
    """Print the figures as one JSON object on the last line."""
    print(json.dumps(figures, sort_keys=True), flush=True)


def peak_mebibytes() -> float:
    """Return the most memory that this process has held.

    Linux lets ``ru_maxrss`` of a child begin at its parent's size, so it is not asked there.
    """
    status = Path("/proc/self/status")
    if status.exists():
        lines = status.read_text().splitlines()
        return int(next(each for each in lines if each.startswith("VmHWM")).split()[1]) / 2**10
    import resource

    scale = 2**20 if sys.platform == "darwin" else 2**10
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / scale


def text_set(name: str) -> pl.DataFrame | None:
    """Return a set of ``ASSAY_DATA`` (columns ``text`` and ``label``), or None when absent."""
    folder = Path(os.environ.get("ASSAY_DATA", "../shared/data"))
    path = folder / f"{name}.csv.gz"
    return pl.read_csv(path, schema_overrides={"label": pl.String}) if path.exists() else None
