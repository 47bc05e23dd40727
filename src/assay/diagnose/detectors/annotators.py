"""People whose labels depart from what the rows that they labelled explain."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field, replace
from functools import lru_cache, partial

import numpy as np
import polars as pl

from assay.diagnose.case import Case, Floats
from assay.diagnose.commonest import commonest, left_aside, named, rarer
from assay.diagnose.excess import excess_loss
from assay.diagnose.spec import Remedy, Search, Suspicion
from assay.diagnose.vectors import vectors
from assay.diagnose.views import codes, linear_view
from assay.evidence import Evidence
from assay.tables.predicate import Condition, Predicate

CLASS, CONTRADICTS = "AS204", "AS205"
FEWEST = 30
"""Rows of a person in the discovery part; those with fewer are named, and not judged."""
MOST_PEOPLE = 50
LEVEL = 0.2
"""One-sided level at which the discovery part suggests a departure."""
NAMED = re.compile(
    r"(^|[ _.-])(annotator|annotated_by|labell?er|labell?ed_by|rater|coder)([ _.-](id|name))?$",
    re.IGNORECASE,
)

MOST_ROUNDS = 10
CANDIDATES = 3
"""Of those who depart most, how many are tried as the one to leave out."""

People = tuple[str, ...]
Expected = Callable[[Case, People], tuple[Case, tuple[Floats, ...]]]
"""A case and people to the case without these people's rows, and what views expect of it."""


@dataclass(frozen=True)
class AnnotatorDetector:
    """Compares each person's labels with what is expected of the rows that they had.

    What is left of a label once the expected share of its class is taken off has the same mean for
    all who label alike, whatever rows they were given; each person's mean is set against that of
    all others. Two views say what is expected, the model's answers calibrated and a linear model
    of answers and rows, both without the row's own label, and both must say so (Berger 1982): a
    model that merely fails on the rows of one person shows in one of them only. Who departs most is
    left out before the others are compared, as those who label right depart from who does not.
    """

    name: str = "annotators"
    codes: Mapping[str, str] = field(
        default_factory=lambda: {
            CLASS: "someone who gives a class more, or less, often than the rows explain",
            CONTRADICTS: "someone whose labels contradict the rows more often than others' do",
        }
    )

    def detect(self, part: Case) -> Search:
        """Return who departs on the discovery part."""
        what = "the labels of each person against what their rows explain"
        if part.task.kind == "regression":
            return Search(0, what, skipped="a regression has no classes")
        column = _column(part)
        if column is None:
            return Search(0, what, skipped="no column says who labelled a row")
        expected: Expected = lru_cache(maxsize=8)(partial(_without, column))
        judged, aside = commonest(part.rows[column], MOST_PEOPLE, fewest=FEWEST)
        small = rarer(part.rows[column], FEWEST)
        asked = [Condition(column, "=", person) for person in judged]
        looked = len(asked) * len(list(_kinds(part)))
        several = len(judged) + len(small) > 1
        suspicions = list(_rounds(part, asked, expected)) if several else []
        told = named(f"too few rows to judge (under {FEWEST})", small), left_aside(aside)
        return Search(looked, what, tuple(suspicions), "; ".join(filter(None, told)))


def _column(part: Case) -> str | None:
    if part.annotator is not None:
        return part.annotator
    named = [name for name in part.columns if NAMED.search(name)]
    return named[0] if named else None


def _without(column: str, case: Case, people: People) -> tuple[Case, tuple[Floats, ...]]:
    """Return the case without some people's rows, and (n, k) shares expected of each row.

    The views are not told who labelled a row.
    """
    left = ~case.rows[column].cast(pl.String).is_in(people).fill_null(False).to_numpy()
    some = case.take(np.flatnonzero(left))
    if len(np.unique(some.truth)) < 2:
        return some, ()
    blind = replace(some, rows=some.rows.drop(column))
    return some, (linear_view(blind), linear_view(blind, vectors(blind)))


@dataclass(frozen=True, eq=False)
class _Question:
    """What is asked of one person: of a class, or where ``place`` is None of contradictions."""

    person: Condition
    before: People
    expected: Expected
    place: int | None
    side: float

    @property
    def code(self) -> str:
        """The code of what is asked."""
        return CONTRADICTS if self.place is None else CLASS

    def tested(self, case: Case) -> Evidence | None:
        """Return how far the person departs, by the view that shows it least."""
        some, views = self.expected(case, self.before)
        mask = self.person.select(some.rows)
        name = "labels beyond what the rows explain, less those of all others, as a share"
        found = [
            excess_loss(replace(some, losses=self._left(some, shares)), mask, name=name)
            for shares in views
        ]
        known = [fact for fact in found if fact is not None and fact.p_value is not None]
        if not known:
            return None
        weakest = max(known, key=lambda fact: fact.p_value or 0.0)
        return replace(weakest, method=f"{weakest.method}; two views of what the rows explain")

    def _left(self, case: Case, shares: Floats) -> Floats:
        given = codes(case)
        if self.place is None:
            other = (shares.argmax(axis=1) != given).astype(np.float64)
            return np.asarray(other - (1 - shares.max(axis=1)))
        return np.asarray(self.side * ((given == self.place) - shares[:, self.place]))


def _kinds(part: Case) -> Iterator[tuple[int | None, float]]:
    """Yield what is asked of each person: contradictions, then each class, either way."""
    yield None, 1.0
    places = range(len(part.task.classes))
    for place in places if len(places) > 2 else places[1:]:
        yield place, 1.0
        yield place, -1.0


def _rounds(part: Case, asked: list[Condition], expected: Expected) -> Iterator[Suspicion]:
    """Yield what the part suggests of one person, then of the others without that one."""
    before: People = ()
    every = _departures(part, asked, before, expected)
    while every and len(before) < MOST_ROUNDS:
        # Beside one who departs far, others seem to depart too: who is left out must explain them.
        strongest = list(dict.fromkeys(question.person for _, question in every))[:CANDIDATES]
        after = {
            each: _departures(
                part, [one for one in asked if one != each], (*before, str(each.value)), expected
            )
            for each in strongest
        }
        first = max(strongest, key=lambda each: after[each][0][0] if after[each] else 1.0)
        told: set[str] = set()
        for _, question in every:
            if question.person == first and question.code not in told:
                told.add(question.code)
                yield _suspicion(part, question)
        before, every = (*before, str(first.value)), after[first]
        asked = [each for each in asked if each != first]


def _departures(
    part: Case, asked: list[Condition], before: People, expected: Expected
) -> list[tuple[float, _Question]]:
    """Return what the part suggests, the smallest p-value first."""
    found = []
    for person in asked:
        for place, side in _kinds(part):
            question = _Question(person, before, expected, place, side)
            fact = question.tested(part)
            if fact is None or fact.p_value is None or fact.estimate <= 0:
                continue
            if fact.p_value <= LEVEL:
                found.append((fact.p_value, question))
    return sorted(found, key=lambda one: one[0])


def _suspicion(part: Case, question: _Question) -> Suspicion:
    person = question.person
    if question.place is None:
        told = f"labels of {person.value!r} contradict the rows more often than others' do"
    else:
        more = "more" if question.side > 0 else "less"
        name = part.task.class_names[question.place]
        told = f"{person.value!r} gives {name!r} {more} often than the rows explain"
    return Suspicion(
        code=question.code,
        title=told,
        cause="the guidelines are read otherwise, or labels slipped; or the model fails on the "
        "kind of rows that this person had",
        confirm=question.tested,
        select=lambda case: person.select(case.rows),
        predicate=Predicate((person,)),
        remedies=(
            Remedy("relabel", f"have someone else label some rows of {person.value!r} again"),
            Remedy("check", "go through the guidelines together, on rows where labels differ"),
        ),
        judged=False,
    )
