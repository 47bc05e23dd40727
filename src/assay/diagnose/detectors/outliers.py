"""Rows that are like no others: the model was hardly taught on such."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

import numpy as np

from assay.diagnose.case import Case
from assay.diagnose.excess import excess_loss
from assay.diagnose.numbers import Numbers
from assay.diagnose.spec import Remedy, Search, Suspicion
from assay.evidence import Evidence
from assay.seeds import derive_seed
from assay.tables.predicate import Mask

CODE = "AS701"
EFFECT = "loss of outlying rows less that of the others"
FEWEST = 200
OUTER = 0.05
"""Share of the discovery part that counts as outlying."""
LEVEL = 0.2
MOST_TAUGHT = 10_000


@dataclass(frozen=True)
class OutlierDetector:
    """Asks whether outlying rows cost more: the outermost of an isolation forest.

    Liu, Ting and Zhou (2008). The forest sees no label, no prediction and no loss.
    """

    name: str = "outliers"
    codes: Mapping[str, str] = field(
        default_factory=lambda: {CODE: "rows like no others, on which the model does worse"}
    )

    def detect(self, part: Case) -> Search:
        """Return one suspicion where the outlying rows of the discovery part cost more."""
        from sklearn.ensemble import IsolationForest

        what = f"the outermost {OUTER:.0%} of the rows against the others"
        if part.n < FEWEST:
            return Search(0, what, skipped=f"{part.n} rows to look at are too few")
        as_numbers = Numbers(part)
        numbers = as_numbers.of(part)
        if numbers.shape[1] == 0:
            return Search(0, what, skipped="no column can be compared")
        seed = derive_seed(part.seed, "outliers") % 2**32
        forest = IsolationForest(n_estimators=100, random_state=seed).fit(numbers[:MOST_TAUGHT])
        limit = float(np.quantile(forest.score_samples(numbers), OUTER))

        def select(case: Case) -> Mask:
            outer: Mask = forest.score_samples(as_numbers.of(case)) <= limit
            return outer

        def confirm(unseen: Case) -> Evidence | None:
            return excess_loss(unseen, select(unseen), name=EFFECT)

        found = confirm(part)
        if found is None or found.p_value is None or found.p_value >= LEVEL:
            return Search(1, what)
        suspicion = Suspicion(
            code=CODE,
            title="rows like no others",
            cause="the model was taught on few such rows, or their values are mistakes",
            confirm=confirm,
            select=select,
            remedies=(
                Remedy("check", "look for mistakes of entry among these rows"),
                Remedy("collect", "collect or label more rows like these"),
            ),
        )
        return Search(1, what, (suspicion,))
