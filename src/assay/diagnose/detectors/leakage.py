"""Columns that give the target away."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

import numpy as np
import polars as pl

from assay.diagnose.case import Case
from assay.diagnose.spec import Remedy, Search, Suspicion
from assay.evidence import Evidence, Interval
from assay.evidence.proportions import share_interval
from assay.experiment.leaks import leaks

CODE = "AS401"
LEAST_RIGHT = 0.9
"""Share of the confirming rows that the column alone must get right."""


@dataclass(frozen=True)
class LeakageDetector:
    """Gives each column alone to a small tree; see :mod:`assay.experiment.leaks`."""

    name: str = "leakage"
    codes: Mapping[str, str] = field(
        default_factory=lambda: {CODE: "a column that gives the target away"}
    )

    def detect(self, part: Case) -> Search:
        """Return the columns of the discovery part that nearly determine the target."""
        what = "each column alone against the target"
        features = tuple(name for name in part.task.features if name in part.rows.columns)
        if part.task.kind == "regression":
            return Search(0, what, skipped="of a regression assay experiment looks for leaks")
        if not features:
            return Search(0, what, skipped="there is no column beside the text")
        task = part.task.model_copy(update={"features": features})
        truth = pl.Series(task.target, part.truth.tolist(), dtype=pl.String)
        found = leaks(part.rows.with_columns(truth), task, seed=part.seed)
        return Search(len(features), what, tuple(_suspicion(part, each.column) for each in found))


def _suspicion(part: Case, column: str) -> Suspicion:
    def confirm(unseen: Case) -> Evidence | None:
        return _alone(part, unseen, column)

    return Suspicion(
        code=CODE,
        title=f"column {column!r} gives the target away",
        cause="it was probably written down after the outcome, or is a copy of it",
        confirm=confirm,
        remedies=(
            Remedy("check", "ask when the column is filled in; a model in use may not have it"),
            Remedy("drop", f"leave {column!r} out of the features and measure again", column),
        ),
        judged=False,
    )


def _alone(part: Case, unseen: Case, column: str) -> Evidence | None:
    """Return how often the column alone is right on rows that the tree has not seen."""
    from scipy import stats
    from sklearn.tree import DecisionTreeClassifier

    known, asked = (_numbers(each.rows[column], part.rows[column]) for each in (part, unseen))
    tree = DecisionTreeClassifier(max_leaf_nodes=32, random_state=0).fit(known, part.truth)
    right = int((tree.predict(asked) == unseen.truth).sum())
    _, counts = np.unique(unseen.truth, return_counts=True)
    bar = max(LEAST_RIGHT, float(counts.max() / unseen.n))
    test = stats.binomtest(right, unseen.n, bar, alternative="greater")
    both = share_interval(right, unseen.n)
    return Evidence(
        name=f"share right by the column alone, above {bar:.2f}",
        estimate=right / unseen.n - bar,
        interval=Interval(both.low - bar, both.high - bar),
        n=unseen.n,
        method="binomial test; a tree of one column, taught on the discovery part",
        p_value=float(test.pvalue),
    )


def _numbers(column: pl.Series, known: pl.Series) -> np.ndarray:
    """Return (n, 2): the value as a number, words by their rank among known ones, and gaps."""
    if column.dtype.is_numeric() or column.dtype == pl.Boolean:
        values = column.cast(pl.Float64).to_numpy()
    else:
        words = {each: float(at) for at, each in enumerate(known.unique().sort().to_list())}
        values = np.array([words.get(each, np.nan) for each in column.to_list()])
    gaps = ~np.isfinite(values)
    return np.column_stack([np.where(gaps, 0.0, values), gaps])
