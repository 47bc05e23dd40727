"""Hypotheses without a language model that writes: what tells failing rows from the others."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np

from assay.diagnose.atoms import Atom, atoms
from assay.diagnose.conjunctions import strongest, worst_slices
from assay.diagnose.explain.exhibit import Exhibit
from assay.diagnose.explain.spec import Idea
from assay.label.drafting import telling_terms
from assay.tables.predicate import Condition, Predicate

FEWEST = 8
SHARE = 0.005
MOST = 2
TERMS = 12
SCORE = 2.0
FAILING, OTHER = "failing", "other"


def ideas(exhibit: Exhibit) -> list[Idea]:
    """Return conjunctions of values, traits and telling terms in which the finding's rows fail.

    Rows outside the finding count as if each had the mean loss: what is sought is what its
    failing rows have in common, not another fault.
    """
    part = exhibit.part
    fewest = max(FEWEST, round(SHARE * part.n))
    terms = _terms(exhibit)
    losses = np.where(exhibit.mask, part.losses, part.losses.mean())
    pool = [*atoms(part, fewest=fewest), *_holding(exhibit, terms, fewest)]
    found, _ = strongest(pool, losses)
    slices, _ = worst_slices(found, losses, fewest=fewest, most=MOST, score=SCORE)
    predicates = [
        Predicate(tuple(found[place].condition for place in each.atoms)) for each in slices
    ]
    return [_idea(each, terms) for each in predicates]


def _idea(predicate: Predicate, terms: list[str]) -> Idea:
    words = f"the model fails on rows of which all of this holds: {predicate.words}"
    if terms:
        words += f"; failing texts hold words such as {', '.join(terms[:4])} more often"
    return Idea(predicate.words, words, predicate)


def _terms(exhibit: Exhibit) -> list[str]:
    """Return the words that set the finding's failing texts apart, the most telling first."""
    part = exhibit.part
    if not part.texts:
        return []
    fails = exhibit.mask & (part.losses > part.losses.mean())
    labels = np.where(fails, FAILING, OTHER).tolist()
    return telling_terms((FAILING, OTHER), part.texts, labels, TERMS)[FAILING]


def _holding(exhibit: Exhibit, terms: list[str], fewest: int) -> Iterator[Atom]:
    part, column = exhibit.part, exhibit.part.task.text
    for term in terms if column is not None else ():
        condition = Condition(str(column), "contains", term)
        mask = condition.select(part.rows)
        if fewest <= mask.sum() <= part.n - fewest:
            yield Atom(condition, mask)
