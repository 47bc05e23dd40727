"""Labels to check: wrong, or of rows that could be of either class."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

import numpy as np

from assay.diagnose.case import Case
from assay.diagnose.spec import Remedy, Search, Suspicion
from assay.diagnose.vectors import vectors
from assay.evidence import Evidence, Interval
from assay.evidence.proportions import share_interval
from assay.recipe.confident import by_neighbours, doubts, pooled
from assay.tables.predicate import Mask

CODE = "AS201"
FEWEST = 50
MOST_ROWS = 20_000


@dataclass(frozen=True)
class LabelErrorDetector:
    """Doubts labels by confident learning on the model's probabilities.

    On the confirmation part the doubted labels are put to the nearest other rows, which did not
    see the model: did they side with chance, they would prefer the suggested class to the given
    one for at most half of them. They read the same columns, so where classes overlap they side
    with it too although no label is wrong: this confirms labels worth a check, not errors.
    """

    name: str = "label errors"
    codes: Mapping[str, str] = field(
        default_factory=lambda: {CODE: "labels to check: wrong, or of rows that could be either"}
    )

    def detect(self, part: Case) -> Search:
        """Return one suspicion where labels of the discovery part are to be doubted."""
        what = "each label against the model's probabilities and the nearest rows"
        why = _cannot(part)
        if why:
            return Search(0, what, skipped=why)
        found = int(doubted(part).sum())
        if not found:
            return Search(part.n, what)
        suspicion = Suspicion(
            code=CODE,
            title="labels to check: wrong, or of rows that could be either",
            cause="the label is wrong, or the classes overlap there: the rows cannot say which",
            confirm=_confirm,
            select=doubted,
            remedies=(
                Remedy("relabel", "check these labels, the most doubtful first: assay suspects"),
                Remedy("drop", "leave out of training the rows whose label cannot be decided"),
            ),
            judged=False,
        )
        return Search(part.n, what, (suspicion,))


def doubt(case: Case) -> np.ndarray:
    """Return (n,) how far each label is to be doubted; the higher, the likelier it is wrong."""
    return doubts(_opinion(case), _codes(case)).doubt


def doubted(case: Case) -> Mask:
    """Return (n,) the labels that confident learning flags."""
    return doubts(_probabilities(case), _codes(case)).flagged


def _cannot(part: Case) -> str:
    if part.task.kind == "regression":
        return "a regression has no class labels"
    if part.probabilities is None:
        return "the predictions hold no probabilities"
    if part.n < FEWEST:
        return f"{part.n} rows to look at are too few"
    return ""


def _confirm(part: Case) -> Evidence | None:
    from scipy import stats

    given = _codes(part)
    found = doubts(_probabilities(part), given)
    places = np.flatnonzero(found.flagged)
    if part.n > MOST_ROWS or len(places) < 5:
        return None
    near = by_neighbours(vectors(part), given, len(part.task.classes))
    ahead = near[places, found.suggested[places]] - near[places, given[places]]
    sided, count = int((ahead > 0).sum()), int((ahead != 0).sum())
    if count == 0:
        return None
    test = stats.binomtest(sided, count, 0.5, alternative="greater")
    both = share_interval(sided, count)
    return Evidence(
        name="share of doubted labels against which the nearest rows side too, above one half",
        estimate=sided / count - 0.5,
        interval=Interval(both.low - 0.5, both.high - 0.5),
        n=len(places),
        method="sign test; doubts by confident learning (Northcutt et al. 2021)",
        p_value=float(test.pvalue),
        details={"labels_expected_wrong": found.expected, "decided": count, "rows": part.n},
    )


def _opinion(case: Case) -> Any:
    shares = _probabilities(case)
    if case.n > MOST_ROWS:
        return shares
    near = by_neighbours(vectors(case), _codes(case), len(case.task.classes))
    return pooled({"model": shares, "neighbours": near})


def _probabilities(case: Case) -> Any:
    if case.probabilities is None:
        raise ValueError("the case has no probabilities")
    return case.probabilities


def _codes(case: Case) -> Any:
    names = np.asarray(case.task.class_names, dtype=object)
    order = np.argsort(names)
    return order[np.searchsorted(names[order], case.truth)]
