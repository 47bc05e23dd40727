"""Tables with a rare class, split into few rows to learn from and many to judge by."""

from __future__ import annotations

from dataclasses import dataclass
from math import ceil

import numpy as np
import polars as pl

from assay.tables.infer import infer_task
from assay.task import ClassDescription, Task
from experiment_sets import BY_NAME

NAMES = (
    "abalone19",
    "abalone9-18",
    "car-good",
    "page-blocks0",
    "winequality-red-4",
    "yeast4",
    "yeast5",
    "yeast6",
    "lending_club",
)
QUICK = ("yeast5", "car-good")
MOST_TRAINING = 1000
FEWEST_RARE = 15


@dataclass(frozen=True)
class RareSet:
    """A task whose second class is the rare one; ``train`` has a ``row_id``."""

    name: str
    task: Task
    train: pl.DataFrame
    test: pl.DataFrame

    @property
    def rare(self) -> str:
        """The rare class."""
        return self.task.class_names[1]

    @property
    def balance(self) -> float:
        """How many rows of the rare class are lacking, as a multiple of those there are."""
        rare = (self.train[self.task.target] == self.rare).sum()
        return min(self.train.height / int(rare) - 2, 100.0)


def load(name: str, seed: int) -> RareSet:
    """Return a set split at random, each class alike; at most 1,000 rows to learn from.

    Where these would hold fewer than 15 rows of the rare class, there are more, up to half.
    """
    which = BY_NAME[name]
    rows = which.rows(seed).with_columns(row_id=pl.int_range(pl.len()).cast(pl.String))
    task = infer_task(rows.drop("row_id"), which.target, kind="binary", metric="auc").task
    counts = rows[which.target].value_counts(sort=True)[which.target].to_list()
    task = task.model_copy(update={"classes": tuple(ClassDescription(name=n) for n in counts)})
    share = float((rows[which.target] == counts[1]).mean() or 0)
    wanted = max(min(rows.height // 2, MOST_TRAINING), ceil(FEWEST_RARE / share))
    train = _stratified(rows, which.target, min(wanted, rows.height // 2) / rows.height, seed)
    return RareSet(name, task, rows.filter(train), rows.filter(~train))


def noise(seed: int, n: int = 400, width: int = 6) -> RareSet:
    """Return a set of which nothing can be learned: no proposal can help."""
    random = np.random.default_rng(seed)
    table = pl.DataFrame(random.normal(size=(4 * n, width)), schema=list("abcdef"[:width]))
    rare = np.arange(4 * n) % 10 == 0
    rows = table.with_columns(
        pl.Series("row_id", [str(each) for each in range(4 * n)]),
        pl.Series("class", np.where(rare, "rare", "common")),
    )
    task = Task(
        kind="binary",
        modality="tabular",
        target="class",
        features=tuple(table.columns),
        classes=(ClassDescription(name="common"), ClassDescription(name="rare")),
        metric="auc",
    )
    train = _stratified(rows, "class", 0.25, seed)
    return RareSet("noise", task, rows.filter(train), rows.filter(~train))


def _stratified(rows: pl.DataFrame, target: str, share: float, seed: int) -> pl.Series:
    random = np.random.default_rng(seed)
    labels = rows[target].to_numpy()
    chosen = np.zeros(rows.height, dtype=np.bool_)
    for name in np.unique(labels):
        members = np.flatnonzero(labels == name)
        chosen[random.choice(members, round(share * len(members)), replace=False)] = True
    return pl.Series(chosen)
