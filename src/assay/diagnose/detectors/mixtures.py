"""Texts that are about one thing and fail, by their words and by what they mean."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

import numpy as np

from assay.diagnose.case import Case
from assay.diagnose.conjunctions import slice_scores
from assay.diagnose.detectors.slices import REMEDIES
from assay.diagnose.excess import excess_loss
from assay.diagnose.mixture import Mixture, by_meaning, by_words
from assay.diagnose.spec import Search, Suspicion
from assay.evidence import Evidence
from assay.tables.predicate import Mask

CODE = "AS102"
FEWEST = 100
SCORE = 2.0
TERMS = 4
NOT_KNOWN = "what texts mean is not known: --embed MODEL tells it, of up to 20,000"
SPACES = {"words": by_words, "meaning": by_meaning}


@dataclass(frozen=True)
class MixtureDetector:
    """Finds groups of like texts on which the loss is higher than elsewhere.

    Texts are alike by their words and, where their sentence embeddings are known, by what they
    mean.
    """

    name: str = "like texts"
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
        mixtures = {name: Mixture.fitted(part, space) for name, space in SPACES.items()}
        found = {name: each for name, each in mixtures.items() if each is not None}
        if not found:
            return Search(0, what, skipped="the texts share too few words")
        suspicions = tuple(
            _suspicion(each, part, number)
            for each in found.values()
            for places in [each.places(part)]
            for number in range(each.size)
            if _score(part, places == number) >= SCORE
        )
        if "meaning" in found:
            what += " and over embeddings"
        skipped = "" if "meaning" in found else NOT_KNOWN
        return Search(sum(each.size for each in found.values()), what, suspicions, skipped)


def _score(part: Case, mask: Mask) -> float:
    if min(mask.sum(), (~mask).sum()) < 8:
        return -np.inf
    return float(slice_scores(mask.sum(), part.losses, part.losses[mask].sum()))


def _suspicion(mixture: Mixture, part: Case, number: int) -> Suspicion:
    def select(case: Case) -> Mask:
        return np.asarray(mixture.places(case) == number)

    def confirm(held: Case) -> Evidence | None:
        return excess_loss(held, select(held), name=f"excess loss of texts with {words}")

    words = ", ".join(_words(part, select(part)))
    return Suspicion(
        code=CODE,
        title=f"worse on texts with words such as {words}",
        cause="the model is worse on these like texts than on the others",
        confirm=confirm,
        select=select,
        remedies=REMEDIES,
    )


def _words(part: Case, mask: Mask) -> list[str]:
    """Return the terms that tell the rows from the others, the most telling first."""
    from sklearn.feature_extraction.text import TfidfVectorizer

    try:
        terms = TfidfVectorizer(sublinear_tf=True, min_df=3, max_features=20_000)
        counts = terms.fit_transform(part.texts)
    except ValueError:  # no word is in three texts
        return ["(no word is in three of them)"]
    gap = np.asarray(counts[mask].mean(axis=0) - counts[~mask].mean(axis=0)).ravel()
    names = terms.get_feature_names_out()
    return [str(names[each]) for each in np.argsort(-gap, kind="stable")[:TERMS]]
