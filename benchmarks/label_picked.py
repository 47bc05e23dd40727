"""What checked rows are worth that were picked for what they teach, not drawn at random.

A review checks 120 rows: 40 drawn, which measure, and 80 picked, the least sure ones. Accuracy on
1,500 other rows where the picked ones teach, where they are left out, and where 120 were drawn.
Sets and kept answers are those of ``label.py``.
"""

from __future__ import annotations

from collections import defaultdict

import numpy as np
import polars as pl

from assay.config import cache_dir
from assay.label import LabelSettings
from assay.label.gold import read_gold
from assay.label.kinds import kind_of
from assay.label.rows import read_rows
from assay.label.single.fit import fit_label_free, weighed
from assay.ledger import Ledger
from assay.llm import Gateway
from common import arguments, print_result
from label_kept import spread
from label_sets import POOL, TextSet, draw_of, load

DRAWN, PICKED = 40, 80


def one_seed(data: TextSet, gateway: Gateway, seed: int, count: int) -> dict[str, float]:
    """Return the accuracy under each way to use the same checks."""
    rows, pool = draw_of(data, seed, count)
    asked, task = read_rows(rows.select("text"), data.task)
    truth, settings = rows[task.target].to_list(), LabelSettings(seed=seed, neighbours=0)
    everything = [*asked.texts, *pool["text"].to_list()]
    base, _ = fit_label_free(everything, task, gateway, settings)
    sure = base.answer(pool["text"].to_list(), gateway).probability
    picked = np.argsort(sure)[:PICKED].tolist()
    others = [row for row in range(POOL) if row not in set(picked)]
    drawn = pool[others[:DRAWN]].with_columns(weight=1.0)
    gold = {
        "picked teach": pl.concat([drawn, pool[picked].with_columns(weight=0.0)]),
        "drawn alone": drawn,
        "as many drawn": pool[others[: DRAWN + PICKED]],
    }
    found = {}
    for name, some in gold.items():
        known = read_gold(some, task, kind_of(task), asked)
        assert known is not None
        said = weighed(base, known, gateway, told=False).answer(asked.texts, gateway).labels
        found[name] = float(np.mean([one == two for one, two in zip(said, truth, strict=True)]))
    return found


def main() -> None:
    quick = arguments(__doc__).quick
    sets: dict[str, dict[str, dict[str, float | None]]] = {}
    for name in ("sst2",) if quick else ("sst2", "agnews", "r8", "banking77"):
        data = load(name)
        if data is None:
            continue
        folder = cache_dir() / "benchmarks"
        folder.mkdir(exist_ok=True)
        runs = defaultdict(list)
        with Ledger.open(folder / f"label-{name}.sqlite") as ledger, Gateway(ledger) as gateway:
            for seed in range(1 if quick else 3):
                for way, accuracy in one_seed(data, gateway, seed, 200 if quick else 1500).items():
                    runs[way].append(accuracy)
        sets[name] = {way: spread(each) for way, each in runs.items()}
        print(name, sets[name], flush=True)
    print_result(benchmark="label_picked", drawn=DRAWN, picked=PICKED, sets=sets)


if __name__ == "__main__":
    main()
