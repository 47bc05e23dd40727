"""Columns that give the target away."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, replace

import numpy as np
import polars as pl

from assay.diagnose.case import Case
from assay.diagnose.forests import forest_answers
from assay.diagnose.means import mean_above
from assay.diagnose.spec import Remedy, Search, Suspicion
from assay.evidence import Evidence, Interval
from assay.evidence.proportions import share_interval
from assay.experiment.leaks import LEAST_ROWS, NEARLY_ALL, leaks, named_alike
from assay.tables.predicate import Mask

CODE = "AS401"
LEAST_RIGHT = 0.9
"""Share of the confirming rows that the column alone must get right."""
MOST = 0.9
"""Share of a constant guess's errors that a column avoids which may be a copy with mistakes."""
TIMES = 3.0
"""How many times as often as such a column alone all the others together must err."""
MOST_ROWS = 5_000


@dataclass(frozen=True)
class LeakageDetector:
    """Gives each column alone to a small tree; see :mod:`assay.experiment.leaks`.

    A column that tells nearly the whole target is one that gives it away. A column that tells most
    of it may be a copy with mistakes or a good measurement: it is told where all other columns
    together, given to a forest, err more than three times as often. Of a regression the squared
    rank correlation is what a column tells, and only nearly the whole is told.
    """

    name: str = "leakage"
    codes: Mapping[str, str] = field(
        default_factory=lambda: {CODE: "a column that gives the target away"}
    )

    def detect(self, part: Case) -> Search:
        """Return the columns of the discovery part that nearly determine the target."""
        what = "each column alone against the target"
        features = tuple(name for name in part.task.features if name in part.rows.columns)
        if not features:
            return Search(0, what, skipped="there is no column beside the text")
        task = part.task.model_copy(update={"features": features})
        values = task.kind == "regression"
        truth = pl.Series(task.target, part.truth.tolist(), pl.Float64 if values else pl.String)
        least = NEARLY_ALL if values else MOST
        found = leaks(part.rows.with_columns(truth), task, seed=part.seed, least=least)
        strong = {each.column for each in found}
        suspicions = []
        for each in found:
            nearly = each.explained >= NEARLY_ALL or named_alike(each, task)
            rest = () if nearly else tuple(name for name in features if name not in strong)
            if nearly or rest:
                suspicions.append(_suspicion(part, each.column, rest))
        return Search(len(features), what, tuple(suspicions))


def _suspicion(part: Case, column: str, rest: tuple[str, ...]) -> Suspicion:
    """Return the suspicion of a column; ``rest`` are the others that must tell far less, if any."""

    def confirm(unseen: Case) -> Evidence | None:
        if unseen.task.kind == "regression":
            return _by_rank(unseen, column)
        right = _by_column(part, unseen, column) == unseen.truth
        alone = _alone(unseen, right)
        return _ahead(part, unseen, right, rest, alone) if rest else alone

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


def _alone(unseen: Case, right: Mask) -> Evidence:
    """Return how often the column alone is right on rows that the tree has not seen."""
    from scipy import stats

    hits = int(right.sum())
    _, counts = np.unique(unseen.truth, return_counts=True)
    bar = max(LEAST_RIGHT, float(counts.max() / unseen.n))
    test = stats.binomtest(hits, unseen.n, bar, alternative="greater")
    both = share_interval(hits, unseen.n)
    return Evidence(
        name=f"share right by the column alone, above {bar:.2f}",
        estimate=hits / unseen.n - bar,
        interval=Interval(both.low - bar, both.high - bar),
        n=unseen.n,
        method="binomial test; a tree of one column, taught on the discovery part",
        p_value=float(test.pvalue),
    )


def _by_rank(unseen: Case, column: str) -> Evidence | None:
    """Return the squared rank correlation with the target on unseen rows, by Fisher's z.

    Its standard error is that of Fieller, Hartley and Pearson (1957).
    """
    from scipy import stats

    values = _numbers(unseen.rows[column], unseen.rows[column])
    known = values[:, 1] == 0
    n = int(known.sum())
    if n < LEAST_ROWS:
        return None
    found = abs(float(stats.spearmanr(values[known, 0], unseen.truth[known]).statistic))
    if np.isnan(found):
        return None
    z, error = np.arctanh(min(found, 1 - 1e-12)), np.sqrt(1.06 / (n - 3))
    sides = np.tanh(np.maximum([z - 1.96 * error, z + 1.96 * error], 0.0)) ** 2
    return Evidence(
        name=f"squared rank correlation of the column alone, above {LEAST_RIGHT:.2f}",
        estimate=found**2 - LEAST_RIGHT,
        interval=Interval(float(sides[0]) - LEAST_RIGHT, float(sides[1]) - LEAST_RIGHT),
        n=n,
        method="Spearman's rank correlation by Fisher's z, on rows where the column is filled in",
        p_value=float(stats.norm.sf((z - np.arctanh(np.sqrt(LEAST_RIGHT))) / error)),
    )


def _ahead(
    part: Case, unseen: Case, right: Mask, rest: tuple[str, ...], alone: Evidence
) -> Evidence:
    """Return the evidence that the column is right on its own, and errs far less than the rest."""
    others = (_by_columns(part, unseen, rest) != unseen.truth).astype(np.float64)
    gap = mean_above(
        unseen, others - TIMES * ~right, name="errors of the others beyond three times"
    )
    return replace(
        alone,
        method=f"{alone.method}; and a t-test that a forest of the other columns errs more than "
        f"{TIMES:g} times as often: the larger p-value",
        p_value=1.0 if gap is None else max(alone.p_value or 0.0, gap.p_value or 0.0),
    )


def _by_column(part: Case, unseen: Case, column: str) -> np.ndarray:
    from sklearn.tree import DecisionTreeClassifier

    known, asked = (_numbers(each.rows[column], part.rows[column]) for each in (part, unseen))
    tree = DecisionTreeClassifier(max_leaf_nodes=32, random_state=0).fit(known, part.truth)
    return np.asarray(tree.predict(asked), dtype=object)


def _by_columns(part: Case, unseen: Case, columns: tuple[str, ...]) -> np.ndarray:
    def of(case: Case) -> Case:
        return replace(case, rows=case.rows.select(columns))

    return forest_answers(of(part.head(MOST_ROWS)), draw="leakage")(of(unseen))


def _numbers(column: pl.Series, known: pl.Series) -> np.ndarray:
    """Return (n, 2): the value as a number, and whether the cell is empty.

    Anything but a number is its place among the known values; one that is not among them lies
    between its neighbours.
    """
    if column.dtype.is_numeric() or column.dtype == pl.Boolean:
        values = column.cast(pl.Float64).fill_null(float("nan")).to_numpy()
        gaps = ~np.isfinite(values)
        return np.column_stack([np.where(gaps, 0.0, values), gaps])
    if isinstance(column.dtype, pl.Categorical | pl.Enum):
        column, known = column.cast(pl.String), known.cast(pl.String)
    order = known.drop_nulls().unique().sort()
    filled = column.drop_nulls()
    values = np.zeros(column.len())
    after, before = (order.search_sorted(filled, side=side) for side in ("right", "left"))
    places = after.cast(pl.Float64).to_numpy() + before.cast(pl.Float64).to_numpy()
    values[column.is_not_null().to_numpy()] = (places - 1) / 2
    return np.column_stack([values, column.is_null().to_numpy()])
