"""Wrong labels: more than rows that could be of either class explain."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

import numpy as np

from assay.diagnose.case import Case
from assay.diagnose.spec import Remedy, Search, Suspicion
from assay.diagnose.vectors import vectors
from assay.diagnose.views import codes, linear_view
from assay.evidence import Evidence
from assay.recipe.confident import by_neighbours, doubts, pooled
from assay.seeds import derive_seed
from assay.tables.predicate import Mask

CODE = "AS201"
FEWEST = 50
FEWEST_OF_A_CLASS = 5
MOST_ROWS = 20_000


@dataclass(frozen=True)
class LabelErrorDetector:
    """Doubts labels by confident learning on the model's probabilities.

    Labels that overlap explains are not reported. On the confirmation part more must contradict
    rows that one can be sure of than calibrated overlap leaves room for: by the model's own
    probabilities, and by a linear model of these and the columns, cross-fitted there. Both must
    say so, so that it is enough if either has the shape of the overlap right.
    """

    name: str = "label errors"
    codes: Mapping[str, str] = field(
        default_factory=lambda: {CODE: "labels that are wrong, beyond overlap"}
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
            title="wrong labels, among those to check",
            cause="more labels contradict their rows than the overlap of the classes explains; "
            "which of these are wrong, a look must tell",
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
    return doubts(_opinion(case), codes(case)).doubt


def doubted(case: Case) -> Mask:
    """Return (n,) the labels that confident learning flags."""
    return doubts(case.stated, codes(case)).flagged


def _cannot(part: Case) -> str:
    if part.task.kind == "regression":
        return "a regression has no class labels"
    if part.probabilities is None:
        return "the predictions hold no probabilities"
    if part.n < FEWEST:
        return f"{part.n} rows to look at are too few"
    return ""


def _confirm(part: Case) -> Evidence | None:
    from assay.diagnose.noise import label_noise

    single = _single(part)
    given = codes(single)
    if np.bincount(given, minlength=2).max() > single.n - FEWEST_OF_A_CLASS:
        return None
    views = single.stated, linear_view(single, vectors(single), draw="second view")
    noise = max((label_noise(each, given) for each in views), key=lambda each: each.p_value)
    return Evidence(
        name="share of labels that contradict their rows beyond what overlap explains",
        estimate=noise.rate,
        interval=noise.interval,
        n=single.n,
        method=(
            "likelihood-ratio test of mislabelling beyond logistic overlap (Copas 1988), by two "
            "views; the weaker is told"
        ),
        p_value=noise.p_value,
        details={"labels_expected_wrong": noise.rate * part.n, "rows": part.n},
    )


def _single(part: Case) -> Case:
    """Return rows that count as independent, at most 20,000: one of each group."""
    random = np.random.default_rng(derive_seed(part.seed, "diagnose", "label noise"))
    order = random.permutation(part.n)
    if part.groups is not None:
        order = order[np.unique(part.groups[order], return_index=True)[1]]
        random.shuffle(order)
    return part.take(np.sort(order[:MOST_ROWS]))


def _opinion(case: Case) -> Any:
    shares = case.stated
    if case.n > MOST_ROWS:
        return shares
    near = by_neighbours(vectors(case), codes(case), len(case.task.classes))
    return pooled({"model": shares, "neighbours": near})
