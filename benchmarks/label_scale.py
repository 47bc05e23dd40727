"""Labelling files of growing size against a stub HTTP server: time, memory, cost.

    python benchmarks/label_scale.py [--quick] [--million] [--copies]

A server in a process of its own answers each question after 50 ms, 256 of them at a time. Each
size is a Parquet file labelled piece by piece, in a process of its own with an empty ledger; a
log-log line through the sizes tells whether time, cost and memory grow in proportion.
``--copies`` instead counts copies in the text sets of ``ASSAY_DATA``, and how often a copy bears
another label.
"""

from __future__ import annotations

import argparse
import json
import math
import os
import resource
import subprocess
import sys
import tempfile
import time
from pathlib import Path
from typing import Any

import polars as pl

import gateway_server as stub
from common import peak_mebibytes, print_result, text_set

SETS = ("agnews_test", "banking77_test", "banking77_train", "sst2_test", "sst2_train")
CLASSES = ("sport", "money")
GOLD = 100
PRICE = 1_000_000
"""Of one token read, in 1e-12 US dollars."""

RULES: tuple[tuple[Any, float], ...] = (
    ("exact", 1.0),
    ("near", 0.95),
    ("near", 0.9),
    ("near", 0.8),
)


def write_rows(path: Path, rows: int) -> None:
    """Write rows of some 50 words, no two alike, in portions."""
    filler = "a report on matches and markets, written without much of a point " * 4
    lazy = pl.LazyFrame({"n": range(rows)}).select(
        text=pl.col("n").cast(pl.String) + ": " + pl.lit(filler)
    )
    lazy.sink_parquet(path)


def label_once(path: Path, url: str) -> dict[str, Any]:
    """Label one file; return seconds, mebibytes and what it cost."""
    from assay.label.door import Door
    from assay.label.open import Desk
    from assay.label.run import Order
    from assay.label.spec import LabelSettings
    from assay.label.stream import stream_file
    from assay.ledger import Ledger
    from assay.llm import Gateway, ScriptedModel
    from assay.llm.model import Capabilities, Limits, Price
    from assay.llm.providers import connect

    model = connect(f"{url}#m")
    model.capabilities = Capabilities(choose="log-probabilities", parts=1, generate=True)
    embedder = ScriptedModel(name="vectors")
    settings = LabelSettings(models=(model.name,), embed=embedder.name, fit_rows=1000,
                             examples=0)  # fmt: skip
    gold = pl.DataFrame({"text": [f"checked row {n} {'match' * (n % 2)}" for n in range(GOLD)],
                         "label": [CLASSES[n % 2] for n in range(GOLD)]})  # fmt: skip
    began = time.perf_counter()
    with Ledger.open(path.parent / "ledger.sqlite") as ledger:
        run = ledger.start_run("label", {})
        door = Door(str(path.parent / "ledger.sqlite"), ledger.artefacts, run)
        models = {model.name: model, embedder.name: embedder}
        prices = {model.name: Price(PRICE, 0)}
        with Gateway(ledger, run=run, models=models, prices=prices,
                     limits=Limits(in_flight=256)) as made:  # fmt: skip
            found = stream_file(path, list(CLASSES), gold, out=path.with_name("out.parquet"),
                                desk=Desk(ledger, made, door),
                                order=Order(settings, 0.6, 0.9))  # fmt: skip
    seconds = time.perf_counter() - began
    if "failed" in found.status:
        raise SystemExit(f"rows failed: {found.status}")
    used = resource.getrusage(resource.RUSAGE_SELF)
    return {
        "rows": found.rows,
        "seconds": round(seconds, 1),
        "rows_per_second": round(found.rows / seconds),
        "cpu_seconds": round(used.ru_utime + used.ru_stime, 2),
        "mebibytes": round(peak_mebibytes()),
        "calls": found.spend.calls,
        "dollars": round(found.spend.money, 4),
    }


def measure(url: str, rows: int) -> dict[str, Any]:
    """Label ``rows`` rows in a process of their own."""
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "rows.parquet"
        write_rows(path, rows)
        done = subprocess.run(
            [sys.executable, __file__, "--label", str(path), url],
            stdout=subprocess.PIPE,
            text=True,
            check=True,
        )
    found: dict[str, Any] = json.loads(done.stdout.splitlines()[-1])
    print(found, flush=True)
    return found


def slope(found: list[dict[str, Any]], name: str) -> dict[str, float]:
    """Return the exponent of growth: 1 is linear. The interval is Student's, 95 %."""
    from scipy import stats

    x = [math.log(each["rows"]) for each in found]
    y = [math.log(each[name]) for each in found]
    fit = stats.linregress(x, y)
    free = len(found) - 2
    half = float(stats.t.ppf(0.975, free) * fit.stderr) if free > 0 else math.inf
    value = float(fit.slope)
    return {"slope": round(value, 3), "low": round(value - half, 3), "high": round(value + half, 3)}


def copies() -> dict[str, Any]:
    """Count copies in the text sets, and those that bear another label than the original."""
    from assay.label import copies as module

    counted: dict[str, Any] = {}
    for name in SETS:
        table = text_set(name)
        if table is None:
            continue
        texts, labels = table["text"].fill_null("").to_list(), table["label"].to_list()
        ids = [str(row) for row in range(len(texts))]
        for rule, alike in RULES:
            module.ALIKE = alike
            found = module.Copies(rule, most_bytes=2**30).originals(ids, texts)
            pairs = [(row, int(each.row_id)) for row, each in enumerate(found) if each.row_id]
            total = counted.setdefault(f"{rule} {alike}", {"copies": 0, "another_label": 0})
            total["copies"] += len(pairs)
            total["another_label"] += sum(labels[one] != labels[two] for one, two in pairs)
    return counted


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--quick", action="store_true")
    parser.add_argument("--million", action="store_true", help="a million rows too")
    parser.add_argument("--copies", action="store_true", help="count copies in the text sets")
    parser.add_argument("--label", nargs=2, help=argparse.SUPPRESS)
    options = parser.parse_args()
    if options.label:
        os.environ.pop("ASSAY_NO_REAL_MODELS", None)
        print(json.dumps(label_once(Path(options.label[0]), options.label[1])))
        return
    if options.copies:
        print_result(copies=copies())
        return
    sizes = [2_000, 5_000, 10_000] if options.quick else [10_000, 30_000, 100_000]
    sizes += [1_000_000] if options.million else []
    server = subprocess.Popen([sys.executable, stub.__file__], stdout=subprocess.PIPE, text=True)
    try:
        assert server.stdout is not None
        url = f"http://127.0.0.1:{int(server.stdout.readline())}/v1"
        found = [measure(url, rows) for rows in sizes]
    finally:
        server.kill()
        server.wait()
    names = ("seconds", "cpu_seconds", "mebibytes", "dollars")
    print_result(sizes=found, growth={name: slope(found, name) for name in names})


if __name__ == "__main__":
    main()
