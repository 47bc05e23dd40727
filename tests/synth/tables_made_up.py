"""Small tables of every type, for the tests of synthetic rows."""

from __future__ import annotations

from datetime import date, timedelta

import numpy as np
import polars as pl

from assay.task import ClassDescription, Task

FEATURES = ("age", "income", "opened", "region", "member")
TASK = Task(
    kind="binary",
    modality="tabular",
    target="class",
    features=FEATURES,
    classes=(ClassDescription(name="common"), ClassDescription(name="rare")),
    metric="auc",
)


def customers(n: int = 300, seed: int = 0, *, gaps: bool = True) -> pl.DataFrame:
    """Whole numbers, money to the cent, dates, words, truth values; a rare class; gaps."""
    random = np.random.default_rng(seed)
    rare = random.random(n) < 0.15
    age = np.clip(random.normal(40 + 12 * rare, 10, n), 18, 90).round().astype(int)
    income = (age * 900 + random.normal(0, 8_000, n) + 9_000 * rare).round(2)
    table = pl.DataFrame(
        {
            "row_id": [f"r{number}" for number in range(n)],
            "age": age,
            "income": income,
            "opened": [date(2015, 1, 1) + timedelta(days=int(d)) for d in age * 30],
            "region": random.choice(["north", "south", "west"], n, p=[0.6, 0.3, 0.1]),
            "member": random.random(n) < 0.3 + 0.4 * rare,
            "class": np.where(rare, "rare", "common"),
        }
    )
    if not gaps:
        return table
    blank = pl.Series(random.random(n) < 0.1)
    return table.with_columns(
        pl.when(~blank).then("income").alias("income"),
        pl.when(~blank).then("region").alias("region"),
    )
