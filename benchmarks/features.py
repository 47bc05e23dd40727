"""Which families of derived features the gate keeps on real tables, and what the vault says."""

from __future__ import annotations

import argparse
import json
import tempfile
import time
from pathlib import Path
from typing import Any

from assay.experiment.features import DerivedFeatureSource
from assay.improve import improve
from assay.project import Project
from assay.sandbox import chosen
from experiment_sets import BY_NAME

SETS = ("credit_data", "HMDA", "ames", "page-blocks0", "yeast1", "diabetes")
QUICK = ("credit_data", "diabetes")
MOST_ROWS = 2000


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--quick", action="store_true", help="two sets, not six")
    quick = parser.parse_args().quick
    names = {name.lower(): each for name, each in BY_NAME.items()}
    sets = {name: tried(names[name.lower()]) for name in (QUICK if quick else SETS)}
    families = [each for found in sets.values() for each in found["families"].values()]
    figures = {
        "sandbox": chosen().name,
        "sets": sets,
        "proposed": len(families),
        "kept": sum(each["decision"] == "kept" for each in families),
        "confirmed": sum(found["confirmed"] == "kept" for found in sets.values()),
    }
    print(json.dumps(figures))


def tried(which: Any) -> dict[str, Any]:
    """Return what became of each family on one set."""
    began = time.perf_counter()
    with tempfile.TemporaryDirectory() as folder:
        table = which.rows(0).head(MOST_ROWS)
        project = Project.create(
            Path(folder) / "p", table, target=which.target, metric=which.metric
        )
        result = improve(project, sources=[DerivedFeatureSource()])
    families = {
        each.name: {
            "decision": each.verdict.decision,
            "gain": round(each.verdict.main.estimate, 4),
            "interval": [
                round(bound, 4)
                for bound in (each.verdict.main.interval.low, each.verdict.main.interval.high)
            ],
        }
        for each in result.attempts
    }
    confirmed = result.confirmed
    return {
        "rows": table.height,
        "metric": which.metric,
        "families": families,
        "passed_over": {each.name: each.reason for each in result.skipped},
        "confirmed": None if confirmed is None else confirmed.verdict.decision,
        "seconds": round(time.perf_counter() - began, 1),
    }


if __name__ == "__main__":
    main()
