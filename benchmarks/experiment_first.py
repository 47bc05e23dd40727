"""How long a search of 10,000 rows takes to its first usable model, from the command's start.

    python benchmarks/experiment_first.py [--quick] [--set NAME]

Usable is the first recipe that is judged on every fold. Each search is ``assay experiment`` in an
interpreter of its own, so imports and the start of workers count; ``in_the_search`` is without the
command's own start.
"""

from __future__ import annotations

import argparse
import json
import os
import subprocess
import sys
import tempfile
from datetime import UTC, datetime
from pathlib import Path
from statistics import median

import polars as pl

from assay import Project
from assay.experiment.record import TRIED
from common import print_result
from experiment_large import made
from experiment_sets import BY_NAME

ROWS = 10_000
RUN = "from assay.cli import main; main()"
WORDS = ("--minutes", "1", "--most", "1", "--no-confirm", "--json")


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--quick", action="store_true", help="one search in place of five")
    parser.add_argument("--set", choices=sorted(BY_NAME), help="a real set in place of a made one")
    options = parser.parse_args()
    rows, target, metric = _table(options.set)
    found = []
    for number in range(1 if options.quick else 5):
        with tempfile.TemporaryDirectory() as folder:
            project = Project.create(
                Path(folder) / "first", rows, target=target, metric=metric, seed=number
            )
            found.append(_first(project))
    print_result(
        set=options.set or "made",
        rows=rows.height,
        columns=rows.width - 1,
        searches=len(found),
        first_seconds=round(median(each for each, _ in found), 2),
        in_the_search=round(median(each for _, each in found), 2),
        slowest=round(max(each for each, _ in found), 2),
        load=round(os.getloadavg()[0], 1),
    )


def _table(name: str | None) -> tuple[pl.DataFrame, str, str]:
    """Return the rows, their target and their metric."""
    if name is None:
        return made(ROWS), "bought", "auc"
    which = BY_NAME[name]
    return which.rows(0)[:ROWS], which.target, which.metric


def _first(project: Project) -> tuple[float, float]:
    """Return the seconds to the first judged recipe, from the command's start and the search's."""
    began = datetime.now(UTC)
    done = subprocess.run(
        [sys.executable, "-c", RUN, "experiment", "--path", str(project.path), *WORDS],
        check=True,
        capture_output=True,
        text=True,
    )
    with project.ledger() as ledger:
        tried = [each for each in ledger.entries("event") if each.body.get("what") == TRIED]
    judged = next(each.time for each in tried if each.body["state"] == "finished")
    return (judged - began).total_seconds(), json.loads(done.stdout)["first_seconds"]


if __name__ == "__main__":
    main()
