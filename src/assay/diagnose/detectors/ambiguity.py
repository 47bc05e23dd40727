"""Rows that nobody can tell: the model is unsure of them, and no other view does better."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from functools import partial

import numpy as np

from assay.diagnose.case import Case, Floats
from assay.diagnose.excess import excess_loss
from assay.diagnose.means import mean_above
from assay.diagnose.spec import Remedy, Search, Suspicion
from assay.diagnose.views import codes, wrong_by_view
from assay.evidence import Evidence, Interval
from assay.tables.predicate import Mask

CODE = "AS202"
FEWEST = 50
BAR = 0.25
"""Share of the rows that even the best view must get wrong, before they count as ambiguous."""
PARTS = (0.05, 0.1, 0.2, 0.3, 0.5)
"""The least sure shares of the rows that are tried."""
MOST_ROWS = 5_000


@dataclass(frozen=True)
class AmbiguityDetector:
    """Looks whether what the model is unsure of can be told at all from these inputs.

    The rows are picked by what the model states, never by their labels. On them a linear model, a
    forest and the nearest rows are asked as well, each without the row's own label. An error that
    none of them lowers is as good as irreducible: the least error over several views estimates
    from above what the best possible model would get wrong (Renggli et al. 2023, "Automatic
    feasibility study via data quality analysis for ML"). Every view has to err beyond the bar, so
    that the largest p-value is told (Berger 1982), and the rows must be worse than the others:
    labels that are wrong everywhere alike, as AS201 finds them, are no ambiguity.
    """

    name: str = "ambiguity"
    codes: Mapping[str, str] = field(
        default_factory=lambda: {CODE: "rows whose class the inputs do not decide"}
    )

    def detect(self, part: Case) -> Search:
        """Return one suspicion where the least sure rows of the discovery part stay untold."""
        what = "the least sure rows, by the model and by three other views"
        why = _cannot(part)
        if why:
            return Search(0, what, skipped=why)
        some = part.head(MOST_ROWS)
        errors = list(_errors(some).values())
        cuts = np.unique(np.quantile(some.stated.max(axis=1), PARTS)).tolist()
        beyond = [
            min(float((wrong[unsure(cut, some)] - BAR).sum()) for wrong in errors) for cut in cuts
        ]
        place = int(np.argmax(beyond))
        if beyond[place] <= 0:
            return Search(len(cuts), what)
        return Search(len(cuts), what, (_suspicion(some, cuts[place]),))


def unsure(cut: float, case: Case) -> Mask:
    """Return (n,) which rows' likeliest class is stated with at most ``cut``."""
    mask: Mask = case.stated.max(axis=1) <= cut
    return mask


def _cannot(part: Case) -> str:
    if part.task.kind == "regression":
        return "a regression has no classes"
    if part.probabilities is None:
        return "the predictions hold no probabilities"
    if part.n < 2 * FEWEST:
        return f"{part.n} rows to look at are too few"
    return ""


def _errors(part: Case) -> dict[str, Floats]:
    """Return by view (n,) 1 where it takes a row for another class."""
    own = (part.predictions != part.truth).astype(np.float64)
    return {"model": own} | wrong_by_view(part)


def _suspicion(part: Case, cut: float) -> Suspicion:
    first, second = _commonest_pair(part, unsure(cut, part))
    return Suspicion(
        code=CODE,
        title=f"rows stated with at most {cut:.2f} cannot be told, most often {first!r} from "
        f"{second!r}",
        about=("the least sure rows",),
        cause="the inputs do not hold what decides, or the guidelines leave it open",
        confirm=partial(_confirm, cut),
        select=partial(unsure, cut),
        remedies=(
            Remedy("check", "have a few of them labelled twice: do people agree?"),
            Remedy("feature", "add what people look at to tell them apart"),
            Remedy("threshold", f"give no answer where the likeliest class has at most {cut:.2f}"),
        ),
        judged=False,
    )


def _commonest_pair(part: Case, mask: Mask) -> tuple[str, str]:
    ranked = np.sort(np.argsort(-part.stated[mask], axis=1)[:, :2], axis=1)
    (first, second), _ = Counter(map(tuple, ranked.tolist())).most_common(1)[0]
    return part.task.class_names[first], part.task.class_names[second]


def _confirm(cut: float, unseen: Case) -> Evidence | None:
    some = unseen.head(MOST_ROWS)
    mask = unsure(cut, some)
    given = codes(some)
    if mask.sum() < FEWEST // 2 or len(np.unique(given)) < 2:
        return None
    errors = _errors(some)
    rows = some.take(np.flatnonzero(mask))
    name = "share of these rows that even the best of four views gets wrong"
    by_view = {each: mean_above(rows, wrong[mask], name=name, bar=BAR)
               for each, wrong in errors.items()}  # fmt: skip
    beyond = excess_loss(replace(some, losses=errors["model"]), mask, name=name)
    known = {each: fact for each, fact in by_view.items() if fact is not None}
    if not known or beyond is None:
        return None
    best = min(known.values(), key=lambda fact: fact.estimate)
    p_values = [fact.p_value for fact in (*known.values(), beyond) if fact.p_value is not None]
    return replace(
        best,
        estimate=best.estimate + BAR,
        interval=Interval(best.interval.low + BAR, best.interval.high + BAR, best.interval.level),
        method="t-tests of each view's errors above a quarter, and of the model's against the "
        "other rows; the largest p-value is told",
        p_value=max(p_values),
        details={f"error_of_{each}": fact.estimate + BAR for each, fact in known.items()}
        | {"share_of_all_errors": float(errors["model"][mask].sum())
           / max(1.0, float(errors["model"].sum()))},
    )  # fmt: skip
