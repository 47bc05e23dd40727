"""Texts that are about one thing and fail: an error-aware mixture, in the manner of Domino.

Eyuboglu et al. (2022), "Domino: Discovering systematic errors with cross-modal embeddings". The
mixture is fitted on what the texts say and on their losses; a row is then placed by its text
alone, so that rows are not chosen by the very errors that are counted.
"""

from __future__ import annotations

import warnings
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

import numpy as np

from assay.diagnose.case import Case
from assay.diagnose.conjunctions import slice_scores
from assay.diagnose.detectors.slices import REMEDIES
from assay.diagnose.excess import excess_loss
from assay.diagnose.spec import Search, Suspicion
from assay.evidence import Evidence
from assay.seeds import derive_seed
from assay.tables.predicate import Mask

CODE = "AS102"
COMPONENTS = 8
DIMENSIONS = 20
FEWEST = 100
MOST_FITTED = 20_000
LOSS_WEIGHT = 1.0
"""How far a standard deviation of the loss parts two rows, in deviations of a text's position."""
SCORE = 2.0
TERMS = 4


@dataclass(frozen=True)
class MixtureDetector:
    """Finds groups of like texts on which the loss is higher than elsewhere."""

    name: str = "like texts"
    codes: Mapping[str, str] = field(
        default_factory=lambda: {CODE: "a group of like texts on which the model does worse"}
    )

    def detect(self, part: Case) -> Search:
        """Return the groups of the discovery part that fail."""
        what = "groups of like texts, by an error-aware mixture"
        if not part.texts:
            return Search(0, what, skipped="the rows hold no text column")
        if part.n < FEWEST or part.losses.std() == 0:
            return Search(0, what, skipped="too few rows or errors to look at")
        with warnings.catch_warnings():
            warnings.filterwarnings("ignore")  # mixtures that converge slowly still place rows
            mixture = _Mixture.fitted(part)
        if mixture is None:
            return Search(0, what, skipped="the texts share too few words")
        places = mixture.places(part)
        failing = [
            number for number in range(mixture.size) if _score(part, places == number) >= SCORE
        ]
        return Search(
            mixture.size, what, tuple(_suspicion(mixture, part, each) for each in failing)
        )


@dataclass(frozen=True, eq=False)
class _Mixture:
    """Term counts, their main directions, and components over these."""

    terms: Any
    directions: Any
    means: np.ndarray
    variances: np.ndarray
    weights: np.ndarray

    @property
    def size(self) -> int:
        return len(self.weights)

    @classmethod
    def fitted(cls, part: Case) -> _Mixture | None:
        from sklearn.decomposition import TruncatedSVD
        from sklearn.feature_extraction.text import TfidfVectorizer
        from sklearn.mixture import GaussianMixture

        seed = derive_seed(part.seed, "diagnose", "mixture") % 2**32
        random = np.random.default_rng(seed)
        chosen = part
        if part.n > MOST_FITTED:
            chosen = part.take(np.sort(random.choice(part.n, MOST_FITTED, replace=False)))
        try:
            terms = TfidfVectorizer(sublinear_tf=True, min_df=3, max_features=20_000)
            counts = terms.fit_transform(chosen.texts)
        except ValueError:  # no word is in three texts
            return None
        dimensions = min(DIMENSIONS, counts.shape[1] - 1)
        if dimensions < 2:
            return None
        directions = TruncatedSVD(dimensions, random_state=seed)
        positions = directions.fit_transform(counts)
        losses = chosen.losses - chosen.losses.mean()
        scale = LOSS_WEIGHT * positions.std() / losses.std() if losses.std() > 0 else 0.0
        # Right and wrong are two points: without spread the mixture would part only them.
        losses = losses + random.normal(scale=losses.std(), size=chosen.n)
        components = min(COMPONENTS, chosen.n // 25)
        mixture = GaussianMixture(
            components, covariance_type="diag", random_state=seed, reg_covar=1e-5
        ).fit(np.column_stack([positions, losses * scale]))
        return cls(
            terms, directions, mixture.means_[:, :-1], mixture.covariances_[:, :-1],
            mixture.weights_,
        )  # fmt: skip

    def places(self, case: Case) -> np.ndarray:
        """Return (n,) the component of each row, by its text alone."""
        positions = self.directions.transform(self.terms.transform(case.texts))
        logs = np.log(self.weights) - 0.5 * np.log(self.variances).sum(axis=1)
        shares = np.column_stack([
            logs[each] - 0.5 * ((positions - self.means[each]) ** 2 / self.variances[each]).sum(1)
            for each in range(self.size)
        ])  # fmt: skip
        return np.asarray(shares.argmax(axis=1))

    def words(self, part: Case, mask: Mask) -> list[str]:
        """Return the terms that tell the rows from the others."""
        counts = self.terms.transform(part.texts)
        gap = np.asarray(counts[mask].mean(axis=0) - counts[~mask].mean(axis=0)).ravel()
        names = self.terms.get_feature_names_out()
        return [str(names[each]) for each in np.argsort(-gap, kind="stable")[:TERMS]]


def _score(part: Case, mask: Mask) -> float:
    if min(mask.sum(), (~mask).sum()) < 8:
        return -np.inf
    return float(slice_scores(mask.sum(), part.losses, part.losses[mask].sum()))


def _suspicion(mixture: _Mixture, part: Case, number: int) -> Suspicion:
    def select(case: Case) -> Mask:
        return np.asarray(mixture.places(case) == number)

    def confirm(held: Case) -> Evidence | None:
        return excess_loss(held, select(held), name=f"excess loss of texts with {words}")

    words = ", ".join(mixture.words(part, select(part)))
    return Suspicion(
        code=CODE,
        title=f"worse on texts with words such as {words}",
        cause="the model is worse on these like texts than on the others",
        confirm=confirm,
        select=select,
        remedies=REMEDIES,
    )
