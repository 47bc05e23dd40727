"""Models that learned their rows by heart, or less than the columns tell."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field

import numpy as np
import polars as pl

from assay.diagnose.answers import as_names, spelt
from assay.diagnose.case import Case
from assay.diagnose.forests import forest_answers
from assay.diagnose.means import mean_above
from assay.diagnose.spec import Remedy, Search, Suspicion
from assay.errors import InputError
from assay.evidence import Evidence, compare

OVER, UNDER = "AS901", "AS902"
FEWEST = 100
GAP = 0.1
"""How much lower the share of errors on training rows must be before it is told."""
MOST_ROWS = 20_000


@dataclass(frozen=True)
class FitDetector:
    """Compares with the training rows, and with a plain model taught on the discovery part."""

    name: str = "fit"
    codes: Mapping[str, str] = field(
        default_factory=lambda: {
            OVER: "overfitting: far fewer errors on the training rows than on these",
            UNDER: "underfitting: a plain model of the same columns does better",
        }
    )

    def detect(self, part: Case) -> Search:
        """Return what the discovery part suggests."""
        what = "the training rows, and a plain model taught on half of the judged ones"
        if part.task.kind == "regression":
            return Search(0, what, skipped="of a regression this is not looked for")
        if part.n < FEWEST:
            return Search(0, what, skipped=f"{part.n} rows to look at are too few")
        if part.groups is not None:
            return Search(0, what, skipped="rows come in groups, which this does not count")
        found, why = _memorised(part)
        better = _plain_model(part)
        suspicions = tuple(each for each in (found, better) if each is not None)
        return Search(1 + (not why), what, suspicions, skipped=why)


def _memorised(part: Case) -> tuple[Suspicion | None, str]:
    """Return the suspicion of overfitting, or why it cannot be looked for."""
    training, target = part.training, part.task.target
    if training is None or part.predict is None:
        return None, "overfitting needs the model and its training rows"
    if target not in training.columns:
        return None, f"the training rows lack their target {target!r}"
    some = training.filter(pl.col(target).is_not_null()).head(MOST_ROWS)
    truth = spelt(as_names(some[target]), part.task.class_names)
    try:
        said = part.predict(some.drop(target))
    except InputError as error:
        return None, f"overfitting cannot be looked for: {error}"
    wrong = float((said != truth).mean())
    bar = wrong + GAP
    if float((part.truth != part.predictions).mean()) <= bar:
        return None, ""

    def confirm(unseen: Case) -> Evidence | None:
        errors = (unseen.truth != unseen.predictions).astype(np.float64)
        name = f"share of errors, above that on the training rows ({wrong:.3f}) and {GAP}"
        return mean_above(unseen, errors, name=name, bar=bar)

    return Suspicion(
        code=OVER,
        title=f"the model errs on {wrong:.1%} of its training rows, and on far more of these",
        about=("overfitting",),
        cause="it learned its rows by heart, or these rows differ from them",
        confirm=confirm,
        remedies=(
            Remedy("regularise", "a simpler or more strongly regularised model"),
            Remedy("collect", "more training rows"),
        ),
        judged=False,
    ), ""


def _plain_model(part: Case) -> Suspicion | None:
    """Return the suspicion that the columns hold more than the model took from them."""
    some = part.head(MOST_ROWS)
    if len(set(some.truth.tolist())) < 2:
        return None
    predict = _taught(some)

    def confirm(unseen: Case) -> Evidence | None:
        return compare(
            unseen.truth, unseen.predictions, predict(unseen), metric="accuracy",
            classes=unseen.task.class_names, weights=unseen.weights, between_fits=False,
        )  # fmt: skip

    return Suspicion(
        code=UNDER,
        title=f"a plain model taught on {some.n:,} of these rows does better",
        about=("underfitting",),
        cause="the model leaves out what the columns tell, or was taught on other rows",
        confirm=confirm,
        remedies=(
            Remedy("feature", "let assay experiment search other models and preprocessing"),
            Remedy("regularise", "weaken the regularisation"),
        ),
        judged=False,
    )


def _taught(part: Case) -> Callable[[Case], np.ndarray]:
    """Return the answers of a model of words, or of a forest of the columns."""
    if part.task.text is not None:
        from sklearn.feature_extraction.text import TfidfVectorizer
        from sklearn.linear_model import LogisticRegression
        from sklearn.pipeline import make_pipeline

        words = TfidfVectorizer(sublinear_tf=True, max_features=20_000)
        model = make_pipeline(words, LogisticRegression(C=10.0, max_iter=300))
        model.fit(part.texts, part.truth)
        return lambda case: np.asarray(model.predict(case.texts), dtype=object)
    return forest_answers(part, draw="fit")
