"""A search over a million rows: what it reads, what it builds on, how long and how much memory.

    python benchmarks/experiment_large.py [--quick]

A made table of 20 columns, four of them categories. The search draws its sample; what it chose is
built on all search rows and judged once on the vault.
"""

from __future__ import annotations

import tempfile
import time
from pathlib import Path

import numpy as np
import polars as pl

from assay import Project
from assay.experiment import experiment
from common import arguments, peak_mebibytes, print_result

ROWS, ROWS_QUICK = 1_000_000, 70_000
NUMBERS, CATEGORIES = 16, 4


def main() -> None:
    rows = ROWS_QUICK if arguments(__doc__).quick else ROWS
    table = made(rows)
    held = peak_mebibytes()
    with tempfile.TemporaryDirectory() as folder:
        began = time.perf_counter()
        project = Project.create(Path(folder) / "large", table, target="bought", metric="auc")
        created = time.perf_counter() - began
        result = experiment(project, minutes=2, families=("boosting",), most=3)
        ended = time.perf_counter() - began
    promised = result.promised
    print_result(
        rows=rows,
        columns=NUMBERS + CATEGORIES,
        read_by_the_search=result.sampled,
        told=next((each for each in result.notes if "sample" in each), None),
        built_on=result.rows,
        vault=result.vault,
        improved=result.improved,
        gain=None if promised is None else round(promised.verdict.main.estimate, 4),
        seconds_to_create=round(created, 1),
        seconds_to_search_and_confirm=round(ended - created, 1),
        mebibytes_of_the_table=round(table.estimated_size("mb"), 1),
        mebibytes_before=round(held),
        mebibytes_at_most=round(peak_mebibytes()),
    )


def made(rows: int) -> pl.DataFrame:
    """Return a table whose target depends on products of columns, which no line finds."""
    random = np.random.default_rng(0)
    numbers = random.normal(size=(rows, NUMBERS)).astype(np.float32)
    codes = random.integers(0, 12, size=(rows, CATEGORIES))
    pull = numbers[:, 0] * numbers[:, 1] + numbers[:, 2] + (codes[:, 0] < 4)
    names = np.array([f"town {each}" for each in range(12)])
    return pl.DataFrame(
        {
            **{f"number {each}": numbers[:, each] for each in range(NUMBERS)},
            **{f"place {each}": names[codes[:, each]] for each in range(CATEGORIES)},
            "bought": np.where(pull + random.normal(size=rows) > 0.3, "yes", "no"),
        }
    )


if __name__ == "__main__":
    main()
