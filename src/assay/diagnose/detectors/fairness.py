"""Groups of protected columns that the model serves worse than the others, or otherwise."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace
from functools import partial

import numpy as np
import polars as pl

from assay.diagnose.case import Case, Floats
from assay.diagnose.excess import excess_loss
from assay.diagnose.spec import Remedy, Search, Suspicion
from assay.evidence import Evidence
from assay.tables.counts import value_counts
from assay.tables.predicate import Condition, Predicate

ERROR, SELECTION, RECALL = "AS801", "AS802", "AS803"
FEWEST = 30
"""Rows of a group in the discovery part; smaller ones are named, and not judged."""
MOST_GROUPS = 20
LEVEL = 0.2
"""One-sided level at which the discovery part suggests a difference."""


@dataclass(frozen=True)
class FairnessDetector:
    """Compares each group with all others: losses, and of two classes selection and recall.

    Demographic parity and equal opportunity (Hardt, Price and Srebro 2016), as differences.
    """

    name: str = "fairness"
    codes: Mapping[str, str] = field(
        default_factory=lambda: {
            ERROR: "a protected group on which the model does worse",
            SELECTION: "a protected group that is given a class more, or less, often",
            RECALL: "a protected group whose true members of a class are missed more often",
        }
    )

    def detect(self, part: Case) -> Search:
        """Return the differences that the discovery part suggests."""
        what = "each group of the protected columns against the others"
        if not part.protected:
            return Search(0, what, skipped="no column was named as protected")
        suspicions, looked, small = [], 0, []
        for column in part.protected:
            for value in _groups(part, column):
                group = Condition(column, "=", value)
                mask = group.select(part.rows)
                if min(mask.sum(), (~mask).sum()) < FEWEST:
                    small.append(f"{column} = {value}")
                    continue
                for suspicion in _questions(part, group):
                    looked += 1
                    found = suspicion.confirm(part)
                    if found is not None and found.p_value is not None and found.p_value < LEVEL:
                        suspicions.append(suspicion)
        return Search(looked, what, tuple(suspicions), skipped=_told(small))


def _told(small: list[str]) -> str:
    if not small:
        return ""
    more = f" and {len(small) - 5} more" if len(small) > 5 else ""
    return f"too small to judge (under {FEWEST} rows): {', '.join(small[:5])}{more}"


def _groups(part: Case, column: str) -> list[str]:
    counts = value_counts(part.rows[column].cast(pl.String).drop_nulls())
    values: list[str] = counts["value"].head(MOST_GROUPS).to_list()
    return values


def _questions(part: Case, group: Condition) -> list[Suspicion]:
    found = [_question(ERROR, "the model does worse", group, 1.0, None)]
    if part.task.kind == "regression" or len(part.task.class_names) != 2:
        return found
    second = part.task.class_names[1]
    rates: list[tuple[str, str, Callable[[Case], Case]]] = [
        (SELECTION, f"{second!r} is said", partial(_selection, second)),
        (RECALL, f"true {second!r} are found", partial(_recall, second)),
    ]
    for code, words, changed in rates:
        side = _side(changed(part), group)
        title = f"{words} {'more' if side > 0 else 'less'} often"
        found.append(_question(code, title, group, side, changed))
    return found


def _question(
    code: str,
    title: str,
    group: Condition,
    side: float,
    changed: Callable[[Case], Case] | None,
) -> Suspicion:
    def confirm(unseen: Case) -> Evidence | None:
        asked = unseen if changed is None else changed(unseen)
        asked = replace(asked, losses=asked.losses if side > 0 else 1.0 - asked.losses)
        named = "loss" if changed is None else "rate"
        return excess_loss(
            asked, group.select(asked.rows), name=f"{named} of the group, less that of the others"
        )

    return Suspicion(
        code=code,
        title=f"{title} for {group.column} = {group.value}",
        cause="the group is rare in training, labelled otherwise, or read through a stand-in",
        confirm=confirm,
        select=lambda case: group.select(case.rows),
        predicate=Predicate((group,)),
        remedies=(
            Remedy("check", "see whether the difference has a ground that may count"),
            Remedy("collect", f"collect or label more rows with {group.column} = {group.value}"),
            Remedy("reweight", "weigh these rows more in training"),
        ),
        judged=changed is None,
    )


def _selection(second: str, case: Case) -> Case:
    said: Floats = (case.predictions == second).astype(np.float64)
    return replace(case, losses=said)


def _recall(second: str, case: Case) -> Case:
    true = case.take(np.flatnonzero(case.truth == second))
    return _selection(second, true)


def _side(case: Case, group: Condition) -> float:
    mask = group.select(case.rows)
    if not mask.any() or mask.all():
        return 1.0
    return 1.0 if case.losses[mask].mean() >= case.losses[~mask].mean() else -1.0
