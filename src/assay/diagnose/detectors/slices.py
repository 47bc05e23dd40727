"""Failure slices over columns, traits of texts, and their conjunctions up to three."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from functools import partial

import numpy as np

from assay.diagnose.atoms import Atom, atoms, no_atoms
from assay.diagnose.case import Case, Floats
from assay.diagnose.commonest import left_aside
from assay.diagnose.conjunctions import Slice, conjunction, strongest, worst_slices
from assay.diagnose.excess import SliceTest, excess_loss
from assay.diagnose.spec import Remedy, Search, Suspicion
from assay.evidence import Evidence
from assay.tables.predicate import Mask, Predicate

CODE = "AS101"
FEWEST = 8
SHARE = 0.005
SCORE = 2.5
MOST = 10
ALONE, JOINT = "single conditions", "conjunctions"
REMEDIES = (
    Remedy("collect", "collect or label more such rows"),
    Remedy("feature", "tell the model: add the slice as a feature"),
    Remedy("reweight", "weigh these rows more in training"),
    Remedy("synthesise", "write synthetic rows of this kind"),
)


@dataclass(frozen=True)
class SliceDetector:
    """Finds conditions under which the loss is higher than elsewhere.

    Single conditions are a family of their own: there are so few of them that a weak one is worth
    a test which would be lost among the best of very many conjunctions.

    Attributes
    ----------
    test
        What slices are confirmed by.
    """

    name: str = "slices"
    both_ways: bool = True
    test: SliceTest = excess_loss
    codes: Mapping[str, str] = field(
        default_factory=lambda: {CODE: "a slice of the rows on which the model does worse"}
    )

    def detect(self, part: Case) -> Search:
        """Return the worst slices of the discovery part."""
        what = "conjunctions of up to three conditions"
        if part.n < 2 * FEWEST:
            return Search(0, what, skipped=f"{part.n} rows to look at are too few")
        fewest = max(FEWEST, round(SHARE * part.n))
        losses = _counting(part)
        found, single = strongest(atoms(part, fewest=fewest), losses)
        search = partial(worst_slices, found, losses, fewest=fewest, most=MOST, score=SCORE)
        alone, _ = search(longest=1)
        joint, weighed = search()
        alone, joint = (
            [each for each in some if _costs(part, found, each)] for some in (alone, joint)
        )
        suspicions = *self._suspected(found, alone, ALONE), *self._suspected(found, joint, JOINT)
        aside = no_atoms(part, fewest=fewest)
        if single > len(found):
            aside.append(f"{single - len(found):,} weaker conditions, which were not combined")
        return Search(weighed + single - len(found), what, suspicions, left_aside(aside))

    def _suspected(
        self, found: Sequence[Atom], slices: Sequence[Slice], family: str
    ) -> list[Suspicion]:
        predicates = [Predicate(tuple(found[i].condition for i in each.atoms)) for each in slices]
        return [
            slice_suspicion(each, before=predicates[:number], family=family, test=self.test)
            for number, each in enumerate(predicates)
        ]


def _costs(part: Case, found: Sequence[Atom], each: Slice) -> bool:
    """Return whether a slice costs at all: where losses are changes, it may save as much."""
    weights = np.ones(part.n) if part.weights is None else part.weights
    return bool((weights * part.losses)[conjunction(found, each.atoms)].sum() > 0)


def _counting(part: Case) -> Floats:
    """Return (n,) losses that differ from their mean by as much more as their row counts more.

    Where losses are changes, what was saved counts as nothing: where much was, rows that stayed as
    they were would be the worst, and hide those that got worse.
    """
    losses = np.maximum(part.losses, 0.0)
    if part.weights is None:
        return losses
    mean = np.average(losses, weights=part.weights)
    return np.asarray(mean + part.weights / part.weights.mean() * (losses - mean))


def slice_suspicion(
    predicate: Predicate,
    *,
    before: Sequence[Predicate] = (),
    family: str = "",
    test: SliceTest = excess_loss,
) -> Suspicion:
    """Return the suspicion that the rows of a predicate cost more than the others.

    Rows of the worse slices ``before`` it are left out of the test: what a slice shares with a
    worse one is the worse one's doing.
    """

    def select(case: Case) -> Mask:
        return predicate.select(case.rows)

    def confirm(part: Case) -> Evidence | None:
        others = [each.select(part.rows) for each in before]
        rest = ~np.any(others, axis=0) if others else np.ones(part.n, dtype=np.bool_)
        left = part.take(np.flatnonzero(rest))
        return test(left, select(left), name=f"excess loss where {predicate.words}")

    return Suspicion(
        code=CODE,
        title=f"worse where {predicate.words}",
        cause="the model is worse on these rows than on the others",
        confirm=confirm,
        select=select,
        predicate=predicate,
        remedies=REMEDIES,
        family=family,
    )
