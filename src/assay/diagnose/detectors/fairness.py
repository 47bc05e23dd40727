"""Groups of protected columns that the model serves worse than the others, or otherwise."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from functools import partial

import numpy as np

from assay.diagnose.case import Case, Floats
from assay.diagnose.commonest import commonest, commonest_classes, left_aside, named, rarer
from assay.diagnose.excess import excess_loss
from assay.diagnose.spec import Remedy, Search, Suspicion
from assay.evidence import Evidence
from assay.tables.predicate import Condition, Predicate

ERROR, SELECTION, RECALL = "AS801", "AS802", "AS803"
FEWEST = 30
"""Rows of a group in the discovery part; smaller ones are named, and not judged."""
MOST_GROUPS, MOST_CLASSES = 100, 20
"""Of a column, and of the task: the commonest."""
LEVEL = 0.2
"""One-sided level at which the discovery part suggests a difference."""
SIDES = {1.0: "more often", -1.0: "less often"}


@dataclass(frozen=True)
class FairnessDetector:
    """Compares each group with all others: losses, and selection and recall of each class.

    Of two classes the second stands for both.

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
        names, aside = commonest_classes(part, MOST_CLASSES)
        for column in part.protected:
            small += [f"{column} = {value}" for value in rarer(part.rows[column], FEWEST)]
            values, left = commonest(part.rows[column], MOST_GROUPS, fewest=FEWEST)
            aside += left
            for value in values:
                group = Condition(column, "=", value)
                if (~group.select(part.rows)).sum() < FEWEST:
                    small.append(f"all but {column} = {value}")
                    continue
                for suspicion in _questions(part, group, names[1:] if len(names) == 2 else names):
                    looked += 1
                    found = suspicion.confirm(part)
                    if found is not None and found.p_value is not None and found.p_value < LEVEL:
                        suspicions.append(suspicion)
        told = named(f"too small to judge (under {FEWEST} rows)", small), left_aside(aside)
        return Search(looked, what, tuple(suspicions), "; ".join(filter(None, told)))

    def again(
        self, case: Case, code: str, about: Sequence[str], predicate: Predicate | None
    ) -> Evidence | None:
        """Return the difference of the group that a frozen finding is about."""
        if predicate is None:
            return None
        (group,) = predicate.conditions
        if code == ERROR:
            return _compared(case, group, 1.0, None)
        for name in case.task.class_names:
            words, changed = _rates(name)[code]
            for side, often in SIDES.items():
                if about[0] == _title(f"{words} {often}", group):
                    return _compared(case, group, side, changed)
        return None


def _questions(part: Case, group: Condition, names: Sequence[str]) -> Iterator[Suspicion]:
    """Yield what is asked of a group: its losses, and how often it is given each class."""
    yield _question(ERROR, "the model does worse", group, 1.0, None)
    for name in names:
        for code, (words, changed) in _rates(name).items():
            side = _side(changed(part), group)
            yield _question(code, f"{words} {SIDES[side]}", group, side, changed)


def _rates(name: str) -> dict[str, tuple[str, Callable[[Case], Case]]]:
    """Return by code what is asked of a class: in words, and as cases whose mean loss it is."""
    return {
        SELECTION: (f"{name!r} is said", partial(_selection, name)),
        RECALL: (f"true {name!r} are found", partial(_recall, name)),
    }


def _title(words: str, group: Condition) -> str:
    return f"{words} for {group.column} = {group.value}"


def _question(
    code: str,
    title: str,
    group: Condition,
    side: float,
    changed: Callable[[Case], Case] | None,
) -> Suspicion:
    return Suspicion(
        code=code,
        title=_title(title, group),
        cause="the group is rare in training, labelled otherwise, or read through a stand-in",
        confirm=lambda unseen: _compared(unseen, group, side, changed),
        select=lambda case: group.select(case.rows),
        predicate=Predicate((group,)),
        remedies=(
            Remedy("check", "see whether the difference has a ground that may count"),
            Remedy("collect", f"collect or label more rows with {group.column} = {group.value}"),
            Remedy("reweight", "weigh these rows more in training"),
        ),
        judged=changed is None,
    )


def _compared(
    case: Case, group: Condition, side: float, changed: Callable[[Case], Case] | None
) -> Evidence | None:
    asked = case if changed is None else changed(case)
    asked = replace(asked, losses=asked.losses if side > 0 else 1.0 - asked.losses)
    named = "loss" if changed is None else "rate"
    return excess_loss(
        asked, group.select(asked.rows), name=f"{named} of the group, less that of the others"
    )


def _selection(name: str, case: Case) -> Case:
    said: Floats = (case.predictions == name).astype(np.float64)
    return replace(case, losses=said)


def _recall(name: str, case: Case) -> Case:
    true = case.take(np.flatnonzero(case.truth == name))
    return _selection(name, true)


def _side(case: Case, group: Condition) -> float:
    mask = group.select(case.rows)
    if not mask.any() or mask.all():
        return 1.0
    return 1.0 if case.losses[mask].mean() >= case.losses[~mask].mean() else -1.0
