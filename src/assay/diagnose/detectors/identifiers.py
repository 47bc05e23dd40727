"""Ids that predict: numbers that merely name a row, and yet tell its class."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

import numpy as np
import polars as pl

from assay.diagnose.case import Case
from assay.diagnose.spec import Remedy, Search, Suspicion
from assay.evidence import Evidence, Interval
from assay.evidence.proportions import share_interval

CODE = "AS404"
FEWEST = 50
LEAVES = 16
LEAST_IN_LEAF = 10
NAMED = re.compile(r"(^|[ _.-])(id|ids|key|index|number|nr|no)$", re.IGNORECASE)


@dataclass(frozen=True)
class IdentifierDetector:
    """Gives each column of ids alone to a small tree, which should learn nothing from it.

    A column counts as ids where its name says so (``id``, ``row_number``, ``case no``...) and its
    whole numbers are all distinct: by its values alone an id is no different from a measurement.
    """

    name: str = "ids"
    codes: Mapping[str, str] = field(
        default_factory=lambda: {CODE: "an id that predicts the target"}
    )

    def detect(self, part: Case) -> Search:
        """Return the ids that tell the class of rows of the discovery part held back."""
        what = "whole numbers that name a row against the target"
        if part.task.kind == "regression":
            return Search(0, what, skipped="only classes are looked at")
        ids = [name for name in part.columns if _names_rows(part.rows[name])]
        if not ids:
            return Search(0, what, skipped="no column of distinct whole numbers is named as an id")
        if part.n < FEWEST:
            return Search(0, what, skipped=f"{part.n} rows to look at are too few")
        first, second = part.halves
        suspicions = tuple(
            _suspicion(part, name)
            for name in ids
            if (found := _alone(first, second, name)).estimate > 0 and (found.p_value or 0) < 0.2
        )
        return Search(len(ids), what, suspicions)


def _names_rows(column: pl.Series) -> bool:
    whole = column.dtype.is_integer() and column.null_count() == 0
    return bool(whole and NAMED.search(column.name) and column.n_unique() == len(column))


def _suspicion(part: Case, column: str) -> Suspicion:
    def confirm(unseen: Case) -> Evidence | None:
        return _alone(part, unseen, column) if unseen.n else None

    return Suspicion(
        code=CODE,
        title=f"the id {column!r} predicts the target",
        cause="rows were numbered, or sorted, by their outcome or by when they were collected",
        confirm=confirm,
        remedies=(
            Remedy("drop", f"leave {column!r} out of the features and measure again", column),
            Remedy("check", "ask in which order the rows were collected"),
        ),
        judged=False,
    )


def _alone(known: Case, unseen: Case, column: str) -> Evidence:
    """Return how much oftener than the commonest class a tree of the id alone is right."""
    from scipy import stats
    from sklearn.tree import DecisionTreeClassifier

    def numbers(case: Case) -> Any:
        return case.rows[column].cast(pl.Float64).to_numpy().reshape(-1, 1)

    tree = DecisionTreeClassifier(
        max_leaf_nodes=LEAVES, min_samples_leaf=LEAST_IN_LEAF, random_state=0
    ).fit(numbers(known), known.truth)
    right = int((tree.predict(numbers(unseen)) == unseen.truth).sum())
    _, counts = np.unique(unseen.truth, return_counts=True)
    bar = float(counts.max() / unseen.n)
    p_value = stats.binomtest(right, unseen.n, bar, alternative="greater").pvalue if bar < 1 else 1
    both = share_interval(right, unseen.n)
    return Evidence(
        name=f"share right by the id alone, above the commonest class ({bar:.2f})",
        estimate=right / unseen.n - bar,
        interval=Interval(both.low - bar, both.high - bar),
        n=unseen.n,
        method="binomial test; a tree of the id alone, taught on the discovery part",
        p_value=float(p_value),
    )
