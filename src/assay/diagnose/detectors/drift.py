"""Rows that are unlike those the model was taught on."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from typing import Any

import numpy as np
import polars as pl

from assay.diagnose.case import Case
from assay.diagnose.forests import share_of_a_tree
from assay.diagnose.numbers import counted
from assay.diagnose.sampling import halved
from assay.diagnose.spec import Remedy, Search, Suspicion
from assay.evidence import Evidence, Interval, estimate
from assay.seeds import derive_seed

CODE = "AS501"
FEWEST = 50
MOST_ROWS = 10_000
WORDS = 512
LEAST = 0.55
"""Out-of-bag AUC on the discovery part from which rows seem to differ."""


@dataclass(frozen=True)
class DriftDetector:
    """Has a forest tell judged rows from training rows; told apart, they differ.

    The classifier two-sample test (Lopez-Paz and Oquab 2017): where both come from one
    distribution, no classifier tells unseen ones apart better than by a coin.
    """

    name: str = "drift"
    codes: Mapping[str, str] = field(
        default_factory=lambda: {CODE: "rows unlike those the model was taught on"}
    )

    def detect(self, part: Case) -> Search:
        """Return one suspicion where the rows of the discovery part are told apart."""
        what = "the judged rows against the training rows"
        training = part.training
        if training is None:
            return Search(0, what, skipped="the training rows are not known")
        if part.groups is not None:
            return Search(0, what, skipped="rows come in groups, which the test cannot count")
        if min(part.n, training.height) < 2 * FEWEST:
            return Search(0, what, skipped="there are too few rows of either kind")
        shared = [name for name in part.columns if name in training.columns]
        apart = [name for name in shared if not _go_together(part.rows[name], training[name])]
        shared = [name for name in shared if name not in apart]
        if not shared:
            return Search(0, what, skipped="training and judged rows share no column")
        skipped = f"of another type in training: {', '.join(apart)}" if apart else ""
        forest, named, scored = _taught(part, training, shared)
        if scored < LEAST:
            return Search(1, what, skipped=skipped)
        words = f", most of all in {named!r}" if named else ""
        suspicion = Suspicion(
            code=CODE,
            title=f"the rows are unlike the training rows{words}",
            about=("all columns",),
            cause="they were collected later, elsewhere or otherwise",
            confirm=lambda unseen: _told_apart(forest, part, unseen, training, shared),
            remedies=(
                Remedy("collect", "label some of the newer rows and train on them"),
                Remedy("check", "see whether the column changed its meaning, unit or source"),
            ),
            judged=False,
        )
        return Search(1, what, (suspicion,), skipped)


def _go_together(one: pl.Series, other: pl.Series) -> bool:
    """Return whether two columns can be one: not so are times of different zones."""
    try:
        pl.concat([one.head(0).to_frame(), other.head(0).to_frame()], how="vertical_relaxed")
    except pl.exceptions.PolarsError:
        return False
    return True


def _halves(training: pl.DataFrame, seed: int) -> tuple[pl.DataFrame, pl.DataFrame]:
    first, second = halved(training, derive_seed(seed, "drift"))
    return first.head(MOST_ROWS), second.tail(MOST_ROWS)


def _both(part: Case, training: pl.DataFrame, shared: list[str]) -> tuple[Case, np.ndarray]:
    """Return the judged and the training rows as one case, and which are judged."""
    judged = part.rows.select(shared).head(MOST_ROWS)
    rows = pl.concat([judged, training.select(shared)], how="vertical_relaxed")
    origin = np.arange(rows.height) < judged.height
    return replace(part, rows=rows, weights=None), origin


def _taught(part: Case, training: pl.DataFrame, shared: list[str]) -> tuple[Any, str, float]:
    """Return a forest that tells the rows apart, the column it uses most, and how well it does."""
    from sklearn.ensemble import RandomForestClassifier
    from sklearn.metrics import roc_auc_score

    both, origin = _both(part, _halves(training, part.seed)[0], shared)
    forest = RandomForestClassifier(
        100,
        min_samples_leaf=5,
        max_samples=share_of_a_tree(both.n),
        class_weight="balanced",
        oob_score=True,
        random_state=part.seed,
    ).fit(_numbers(both), origin)
    scored = float(
        roc_auc_score(origin, np.nan_to_num(forest.oob_decision_function_[:, 1], nan=0.5))
    )
    named = ""
    if part.task.text is None:
        named = shared[int(forest.feature_importances_.argmax())]
    return forest, named, scored


def _told_apart(
    forest: Any, part: Case, unseen: Case, training: pl.DataFrame, shared: list[str]
) -> Evidence | None:
    from scipy import stats

    both, origin = _both(unseen, _halves(training, part.seed)[1], shared)
    shares = forest.predict_proba(_numbers(both))
    names = np.array(["training", "judged"], dtype=object)
    found = estimate(
        names[origin.astype(int)], shares, metric="auc", classes=("training", "judged")
    )
    test = stats.mannwhitneyu(shares[origin, 1], shares[~origin, 1], alternative="greater")
    low, high = found.interval.low - 0.5, found.interval.high - 0.5
    return Evidence(
        name="AUC of telling judged from training rows, above one half",
        estimate=found.estimate - 0.5,
        interval=Interval(low, high),
        n=found.n,
        method="a forest taught on the discovery part; Mann-Whitney on the confirmation part",
        p_value=float(test.pvalue),
    )


def _numbers(case: Case) -> np.ndarray:
    """Return (n, d): one number a column for a table, counts of hashed words for texts."""
    if case.task.text is not None and case.task.text in case.rows.columns:
        return counted(case.texts, WORDS)
    columns = []
    for column in case.rows.iter_columns():
        if column.dtype.is_numeric() or column.dtype == pl.Boolean:
            columns.append(column.cast(pl.Float64).fill_null(float("nan")).to_numpy())
        else:
            columns.append(column.cast(pl.String).fill_null("").hash(0).to_numpy() % 997.0)
    filled: np.ndarray = np.nan_to_num(np.column_stack(columns), nan=-1e9)
    return filled
