"""Groups that nobody named: rows of one customer, or patient, that tell of each other."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from typing import Any

import numpy as np
import polars as pl

from assay.diagnose.case import Case, Floats
from assay.diagnose.means import mean_above
from assay.diagnose.numbers import Numbers
from assay.diagnose.spec import Remedy, Search, Suspicion
from assay.evidence import Evidence
from assay.seeds import derive_seed
from assay.tables.counts import value_counts

CODE = "AS408"
FEWEST_ROWS, FEWEST_GROUPS = 100, 20
"""Of the part that is looked at; a group counts from two rows on."""
FEWEST_A_GROUP = 1.2
"""Rows a group in the mean."""
MOST_ROWS = 3_000
LEAST = 0.02
"""Share of errors, or of a number's mean deviation, from which a group is suspected to tell."""
SUGGESTED = 0.2
"""One-sided level at which the discovery part suggests it."""
FOLDS, DRAWS, TREES = 5, 2, 25
OF_SOMEONE = (
    "account|animal|applicant|author|batch|borrower|client|customer|device|document|donor|driver|"
    "employee|family|household|image|machine|member|owner|participant|patient|person|plate|player|"
    "recording|respondent|seller|sensor|session|slide|speaker|student|subject|thread|user|vehicle|"
    "video|writer"
)
NAMED = re.compile(
    rf"(^|[ _.-])(id|ids|key|{OF_SOMEONE})([ _.-]?(id|key|nr|no|number|name))?$", re.IGNORECASE
)
"""Names by which a column may say whose a row is."""
NUMBERED = r"^[A-Za-z]{1,8}[-_ #]?\d{2,}$"
"""Values that read like the number of someone: P0042."""


@dataclass(frozen=True)
class GroupDetector:
    """Asks whether rows that share a number or a name tell of each other.

    A plain model judges each row twice, taught on as many others: once with rows of its group among
    them, once without. Where it errs more without, a split by rows measures something else than
    rows of new groups will meet. Which columns may be such groups is read off their names and the
    shape of their values: by its values alone a group is no different from a category.
    """

    name: str = "groups"
    codes: Mapping[str, str] = field(
        default_factory=lambda: {CODE: "rows of a group, not named as one, that tell of each other"}
    )

    def detect(self, part: Case) -> Search:
        """Return the columns whose groups tell of their rows on the discovery part."""
        what = "errors on rows with and without others of their group among those learned from"
        if part.task.group is not None:
            return Search(0, what, skipped="the group is named")
        columns = [name for name in part.columns if _may_name_groups(part, name)]
        if not columns:
            return Search(0, what, skipped="no column reads like the number of someone")
        suspicions = tuple(
            _suspicion(name)
            for name in columns
            if (found := _told(part, name)) is not None
            and found.estimate >= LEAST
            and (found.p_value or 0.0) <= SUGGESTED
        )
        return Search(len(columns), what, suspicions)


def _may_name_groups(part: Case, name: str) -> bool:
    column = part.rows[name].drop_nulls()
    if name == part.task.text or not _reads_like_someone(column):
        return False
    rows_of_each = value_counts(column)["count"]
    if len(column) < max(FEWEST_ROWS, FEWEST_A_GROUP * len(rows_of_each)):
        return False
    return bool((rows_of_each > 1).sum() >= FEWEST_GROUPS)


def _reads_like_someone(column: pl.Series) -> bool:
    """Return whether the name of a column, or the shape of its values, may say whose a row is."""
    words = column.dtype == pl.String
    if NAMED.search(column.name):
        return words or column.dtype.is_integer()
    return words and bool(column.str.contains(NUMBERED).all())


def _suspicion(column: str) -> Suspicion:
    return Suspicion(
        code=CODE,
        title=f"rows of one {column!r} tell of each other, and it is not named as the group",
        cause="rows of a group are alike, and stand on both sides of the split",
        confirm=lambda unseen: _told(unseen, column),
        remedies=(
            Remedy(
                "split by group",
                f"where later rows are of others, name {column!r} as group, and measure again",
                column,
            ),
        ),
        judged=False,
        about=(column,),
    )


def _told(part: Case, column: str) -> Evidence | None:
    """Return how much more a plain model errs on rows of groups that it does not know."""
    some = _drawn(part, column)
    if len(np.unique(some.units)) < FEWEST_GROUPS:
        return None
    matrix = _matrix(some)
    if matrix is None:
        return None
    number = part.task.kind == "regression"
    what = "error, in mean deviations," if number else "share of errors"
    alone = replace(some, task=some.task.model_copy(update={"group": None})).units
    difference = np.mean([_difference(some, matrix, alone, draw) for draw in range(DRAWS)], axis=0)
    name = f"{what} on rows of others, less that on rows of known {column!r}"
    return mean_above(some, difference, name=name)


def _drawn(part: Case, column: str) -> Case:
    """Return whole groups, up to the most rows, as rows of inputs and that group alone."""
    inputs = [name for name in part.task.inputs if name in part.rows.columns]
    rows = part.rows.select([*dict.fromkeys(["row_id", *inputs, column])])
    task = part.task.model_copy(update={"group": column})
    known = rows[column].is_not_null().to_numpy()
    case = replace(part, rows=rows, task=task).take(np.flatnonzero(known))
    members = case.groups
    if members is None or case.n <= MOST_ROWS:
        return case
    random = np.random.default_rng(derive_seed(part.seed, "groups", column))
    order = random.permutation(members.max() + 1)[members]
    return case.take(np.sort(np.argsort(order, kind="stable")[:MOST_ROWS]))


def _difference(case: Case, matrix: Any, alone: np.ndarray, draw: int) -> Floats:
    """Return (n,) the error of a model that knows no row of the group, less that of one that may.

    ``alone`` are the units without the group: copies of a row stay together both times.
    """
    missed = [
        _missed(case, matrix, _folds(units, derive_seed(case.seed, "groups", draw)), draw)
        for units in (alone, case.units)
    ]
    return missed[1] - missed[0]


def _folds(units: np.ndarray, seed: int) -> np.ndarray:
    """Return (n,) the fold of each row: units are whole, and drawn at random."""
    _, places = np.unique(units, return_inverse=True)
    random = np.random.default_rng(seed)
    folds: np.ndarray = (random.permutation(places.max() + 1) % FOLDS)[places]
    return folds


def _matrix(case: Case) -> Any:
    """Return (n, d) what a model reads; None where that is no column and no word."""
    if case.task.text is not None:
        from sklearn.feature_extraction.text import TfidfVectorizer

        try:
            return TfidfVectorizer(sublinear_tf=True, max_features=20_000).fit_transform(case.texts)
        except ValueError:  # no text holds a word
            return None
    numbers = Numbers(case, codes=True).of(case)
    return numbers if numbers.shape[1] else None


def _missed(case: Case, matrix: Any, folds: np.ndarray, draw: int) -> Floats:
    """Return (n,) 1 for each wrong class, or the error in mean deviations of the target."""
    number = case.task.kind == "regression"
    said = np.empty(case.n, dtype=np.float64 if number else object)
    for fold in np.unique(folds):
        held = folds == fold
        model = _model(case, case.truth[~held], derive_seed(case.seed, "trees", draw, int(fold)))
        said[held] = model.fit(matrix[~held], case.truth[~held]).predict(matrix[held])
    if not number:
        return np.asarray(said != case.truth, dtype=np.float64)
    deviations = np.abs(case.truth - np.median(case.truth))
    return np.asarray(np.abs(said - case.truth) / max(float(deviations.mean()), 1e-12))


def _model(case: Case, truth: np.ndarray, seed: int) -> Any:
    from sklearn.dummy import DummyClassifier
    from sklearn.ensemble import ExtraTreesClassifier, ExtraTreesRegressor
    from sklearn.linear_model import LogisticRegression, Ridge

    text = case.task.text is not None
    trees = {"n_estimators": TREES, "min_samples_leaf": 2, "random_state": seed % 2**32}
    if case.task.kind == "regression":
        return Ridge() if text else ExtraTreesRegressor(**trees)
    if len(set(truth.tolist())) < 2:
        return DummyClassifier()
    if text:
        return LogisticRegression(C=10.0, max_iter=300)
    return ExtraTreesClassifier(**trees)
