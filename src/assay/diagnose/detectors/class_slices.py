"""Slices within one class: where it is missed, or given wrongly, beyond what is usual for it."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from functools import lru_cache, partial

import numpy as np

from assay.diagnose.atoms import Atom, atoms, no_atoms
from assay.diagnose.case import Case, Floats
from assay.diagnose.commonest import commonest_classes, left_aside
from assay.diagnose.conjunctions import strongest, worst_slices
from assay.diagnose.excess import excess_beyond, excess_loss
from assay.diagnose.spec import Remedy, Search, Suspicion
from assay.diagnose.views import linear_view
from assay.evidence import Evidence
from assay.tables.predicate import Mask, Predicate

MISSED, GIVEN = "AS104", "AS105"
FEWEST = 8
SCORE = 2.5
MOST = 2
"""Slices of one class, each way."""
MOST_CLASSES = 20


Expected = Callable[[Case], Floats]
"""A case to (n, k) probabilities, calibrated on it by cross-fitting."""


@dataclass(frozen=True)
class ClassSliceDetector:
    """Searches for where one class is missed, or given wrongly, more than elsewhere.

    A slice has to fail more than the other rows of its class do, and by more than it fails among
    the rows of other classes: what is bad for all classes alike is a slice of its own (AS101), what
    is bad on the whole class is the class's (AS103). Members of a class are missed most where they
    look like another, which is no fault: so a class also has to be missed oftener there than the
    model's own probabilities, calibrated, lead to expect. Of bare answers these are the shares of
    each class among rows with the same answer.
    """

    name: str = "slices of classes"
    both_ways: bool = True
    codes: Mapping[str, str] = field(
        default_factory=lambda: {
            MISSED: "a slice within a true class that is missed more often",
            GIVEN: "a slice within a predicted class that is given wrongly more often",
        }
    )

    def detect(self, part: Case) -> Search:
        """Return the worst slices of each class of the discovery part."""
        what = "conjunctions of up to three conditions, by each true and predicted class"
        if part.task.kind == "regression":
            return Search(0, what, skipped="a regression has no classes")
        if part.n < 2 * FEWEST or len(np.unique(part.truth)) < 2:
            return Search(0, what, skipped=f"{part.n} rows of so few classes are too few")
        judged = bool(np.isin(part.losses, (0.0, 1.0)).all())  # then errors are the loss itself
        expected: Expected = lru_cache(maxsize=2)(linear_view)
        every = list(atoms(part, fewest=FEWEST))
        looked = 0
        suspicions: list[Suspicion] = []
        names, aside = commonest_classes(part, MOST_CLASSES)
        for name in names:
            given = part.take(np.flatnonzero(part.predictions == name))
            wrong = (given.truth != name).astype(np.float64)
            searched = (
                (MISSED, *_worst(every, _beyond(part, name, expected))),
                (GIVEN, *_worst(list(atoms(given, fewest=FEWEST)), wrong)),
            )
            for code, found, weighed in searched:
                looked += weighed
                suspicions += [
                    _suspicion(code, name, each, found[:number], expected, judged=judged)
                    for number, each in enumerate(found)
                ]
        aside += no_atoms(part, fewest=FEWEST)
        return Search(looked, what, tuple(suspicions), left_aside(aside))

    def again(
        self, case: Case, code: str, about: Sequence[str], predicate: Predicate | None
    ) -> Evidence | None:
        """Return how much oftener the class of a frozen finding fails in its slice."""
        if predicate is None:
            return None
        return _tested(case, partial(_within, code, about[0]), predicate)


def _beyond(case: Case, name: str, expected: Expected) -> Floats:
    """Return (n,) by how much oftener than expected each row is a member that is missed."""
    shares = expected(case)[:, case.task.class_names.index(name)]
    return np.asarray((case.predictions != name) * ((case.truth == name) - shares))


def _within(code: str, name: str, case: Case) -> Mask:
    """Return (n,) which rows are of the class, or are given it."""
    mask: Mask = (case.truth if code == MISSED else case.predictions) == name
    return mask


def _worst(every: list[Atom], losses: Floats) -> tuple[list[Predicate], int]:
    if len(losses) < 2 * FEWEST or not losses.any():
        return [], 0
    found, single = strongest(every, losses)
    slices, weighed = worst_slices(found, losses, fewest=FEWEST, most=MOST, score=SCORE)
    predicates = [Predicate(tuple(found[at].condition for at in each.atoms)) for each in slices]
    return predicates, weighed + single - len(found)


def _suspicion(
    code: str,
    name: str,
    predicate: Predicate,
    before: Sequence[Predicate],
    expected: Expected,
    *,
    judged: bool,
) -> Suspicion:
    within = partial(_within, code, name)

    def confirm(unseen: Case) -> Evidence | None:
        others = [each.select(unseen.rows) for each in before]
        rest = ~np.any(others, axis=0) if others else np.ones(unseen.n, dtype=np.bool_)
        left = unseen.take(np.flatnonzero(rest))
        fact = _tested(left, within, predicate)
        if fact is None or code == GIVEN or len(np.unique(unseen.truth)) < 2:
            return fact
        beyond = replace(left, losses=_beyond(unseen, name, expected)[rest])
        more = excess_loss(beyond, predicate.select(left.rows), name=fact.name)
        p_values = [each.p_value or 0.0 for each in (fact, more) if each is not None]
        return replace(fact, p_value=max(p_values)) if more is not None else None

    happens = f"{name!r} is missed" if code == MISSED else f"{name!r} is given wrongly"
    remedies = [
        Remedy("collect", f"collect or label rows where {predicate.words}, of {name!r} and others"),
        Remedy("feature", "tell the model: add the slice as a feature"),
    ]
    if code == MISSED:
        remedies.append(Remedy("reweight", "weigh these rows of the class more", value=name))
        remedies.append(Remedy("synthesise", "make more rows of the class there", value=name))
    return Suspicion(
        code=code,
        title=f"{happens} more often where {predicate.words}",
        cause="on these rows the inputs speak otherwise for the class than elsewhere",
        confirm=confirm,
        select=lambda case: within(case) & predicate.select(case.rows),
        predicate=predicate,
        remedies=tuple(remedies),
        judged=judged,
        about=(name, predicate.words),
    )


def _tested(left: Case, within: partial[Mask], predicate: Predicate) -> Evidence | None:
    """Return how much oftener the class's rows fail in the slice, where others fail less there."""
    wrong = replace(left, losses=(left.predictions != left.truth).astype(np.float64))
    own, inside = within(left), predicate.select(left.rows)
    rows = wrong.take(np.flatnonzero(own))
    excess = excess_loss(rows, inside[own], name="error in the slice less that of its class")
    beyond = excess_beyond(wrong, inside, own)
    if excess is None or beyond is None or excess.p_value is None:
        return None
    return replace(
        excess,
        method=f"{excess.method}; and t-tests against the slice's rows of other classes and, of "
        "what is missed, against what probabilities lead to expect: the largest p-value is told",
        p_value=max(excess.p_value, beyond.p_above(0.0) if beyond.se > 0 else 1.0),
    )
