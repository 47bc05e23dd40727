"""Do made rows give real ones away? The memorisation limits, and three attacks with their control.

    python benchmarks/synth_memory.py [--quick]

For each table with a rare class, and each text set at few rows, rows of the rare class are made by
every method that asks no model: as they come, sifted as in a fold, and as they are shown and
released. Real rows of
the class that the method never saw are the control. Tells for each way on how many sets a limit of
of ``assay.toml`` was exceeded at its default, so that no row would be released; and mean shares.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator
from typing import Any

import numpy as np
import polars as pl

from assay.project.settings import Synth
from assay.synth.curation import curated_rows
from assay.synth.curation.remembered import NotRemembered
from assay.synth.privacy import measure_privacy
from assay.synth.releasable import release_limits
from assay.synth.spec import Order
from assay.synth.tabular import made_rows
from assay.synth.text import curated_texts, made_texts
from assay.task import Task
from common import arguments, print_result
from synth_sets import NAMES
from synth_sets import load as load_table
from synth_text import SETS
from synth_text import load as load_texts

DOSE = 4
TABULAR = ("smote", "forest", "copula")
TEXTUAL = ("edit", "recombine")


def sets(quick: bool) -> Iterator[tuple[str, Task, pl.DataFrame, pl.DataFrame, str]]:
    """Yield name, task, rows to learn from, rows never seen, and the rare class."""
    for name in NAMES[:1] if quick else NAMES:
        given = load_table(name, 0)
        yield name, given.task, given.train, given.test, given.rare
    for name in SETS[:1] if quick else SETS:
        found = load_texts(name, 0)
        if found is not None:
            yield name, *found


def ways(
    task: Task, train: pl.DataFrame, rare: str, count: int
) -> Iterator[tuple[str, pl.DataFrame]]:
    """Yield each way's name and the rows it makes."""
    table = task.text is None
    raw, sift = (made_rows, curated_rows) if table else (made_texts, curated_texts)
    order = Order(task, train, rare, count, 0)
    for method in TABULAR if table else TEXTUAL:
        told: dict[str, Any] = {"method": method, "class_name": rare, "count": count, "seed": 0}
        yield f"{method}, as made", raw(train, task, **told)
        sifted = sift(train, task, **told)
        yield f"{method}, sifted", sifted
        if table:
            yield f"{method}, shown", NotRemembered().sift(sifted, order).kept


def main() -> None:
    exceeded: dict[str, list[bool]] = defaultdict(list)
    shares: dict[str, dict[str, list[float]]] = defaultdict(lambda: defaultdict(list))
    for name, task, train, unseen, rare in sets(arguments(__doc__).quick):
        own, control = (each.filter(pl.col(task.target) == rare) for each in (train, unseen))
        for way, made in ways(task, train, rare, DOSE * own.height):
            if made.is_empty():
                continue
            found = measure_privacy(made, own, task, control=control)
            exceeded[way].append(bool(found.exceeded(release_limits(Synth(), task))))
            for each in (*found.memory, *found.attacks):
                shares[way][each.name.split(" of ")[0]].append(each.estimate)
        print(f"{name}: done", flush=True)
    print_result(
        exceeded={way: {"sets": sum(each), "of": len(each)} for way, each in exceeded.items()},
        shares={
            way: {name: float(np.mean(each)) for name, each in found.items()}
            for way, found in shares.items()
        },
    )


if __name__ == "__main__":
    main()
