"""Texts that are about one thing and fail, by their words and by what they mean."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

import numpy as np

from assay.diagnose.case import Case
from assay.diagnose.conjunctions import slice_scores
from assay.diagnose.detectors.slices import REMEDIES
from assay.diagnose.excess import SliceTest, excess_loss
from assay.diagnose.mixture import MOST_EMBEDDED, Mixture, by_meaning, by_words, counted_terms
from assay.diagnose.rules import Rule, near_rule, word_rule
from assay.diagnose.spec import Search, Suspicion
from assay.evidence import Evidence
from assay.tables.predicate import Mask

CODE = "AS102"
FEWEST = 100
SCORE = 2.0
TERMS = 4
NOT_KNOWN = f"what texts mean is not known: --embed MODEL tells it, of up to {MOST_EMBEDDED:,}"
SPACES = {"words": (by_words, word_rule), "meaning": (by_meaning, near_rule)}
"""Where texts may be alike, and what rule tells a group of it."""


@dataclass(frozen=True)
class MixtureDetector:
    """Finds groups of like texts on which the loss is higher than elsewhere.

    Texts are alike by their words and, where their sentence embeddings are known, by what they
    mean. A group is told by a rule of the discovery part; that rule is tested, and kept.

    Attributes
    ----------
    test
        What groups are confirmed by.
    """

    name: str = "like texts"
    test: SliceTest = excess_loss
    codes: Mapping[str, str] = field(
        default_factory=lambda: {CODE: "a group of like texts on which the model does worse"}
    )

    def detect(self, part: Case) -> Search:
        """Return the groups of the discovery part that fail."""
        what = "groups of like texts, by error-aware mixtures over their words"
        if not part.texts:
            return Search(0, what, skipped="the rows hold no text column")
        if part.n < FEWEST or part.losses.std() == 0:
            return Search(0, what, skipped="too few rows or errors to look at")
        mixtures = {name: Mixture.fitted(part, space) for name, (space, _) in SPACES.items()}
        found = {name: each for name, each in mixtures.items() if each is not None}
        if not found:
            return Search(0, what, skipped="the texts share too few words")
        rules = [
            rule
            for name, each in found.items()
            for places in [each.places(part)]
            for number in range(each.size)
            if _score(part, places == number) >= SCORE
            and (rule := SPACES[name][1](part, places == number)) is not None
        ]
        told = counted_terms(part) if rules else None
        suspicions = tuple(
            _suspicion(each, _words(told, each.select(part)), self.test) for each in rules
        )
        if "meaning" in found:
            what += " and over embeddings"
        skipped = "" if "meaning" in found else NOT_KNOWN
        return Search(sum(each.size for each in found.values()), what, suspicions, skipped)


def _score(part: Case, mask: Mask) -> float:
    if min(mask.sum(), (~mask).sum()) < 8:
        return -np.inf
    return float(slice_scores(mask.sum(), part.losses, part.losses[mask].sum()))


def _suspicion(rule: Rule, words: str, test: SliceTest) -> Suspicion:
    def confirm(held: Case) -> Evidence | None:
        return test(held, rule.select(held), name=f"excess loss of texts with {words}")

    return Suspicion(
        code=CODE,
        title=f"worse on texts with words such as {words}",
        cause="the model is worse on these like texts than on the others",
        confirm=confirm,
        select=rule.select,
        rule=rule,
        remedies=REMEDIES,
    )


def _words(told: tuple[Any, Any] | None, mask: Mask) -> str:
    """Return the terms that tell the rows from the others, the most telling first."""
    if told is None:
        return "(no word is in three of them)"
    terms, counts = told
    gap = np.asarray(counts[mask].mean(axis=0) - counts[~mask].mean(axis=0)).ravel()
    names = terms.get_feature_names_out()
    return ", ".join(str(names[each]) for each in np.argsort(-gap, kind="stable")[:TERMS])
