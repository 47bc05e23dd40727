"""Rows of like texts, parted with an eye on their losses: an error-aware mixture.

Eyuboglu et al. (2022), "Domino: Discovering systematic errors with cross-modal embeddings". The
mixture is fitted on what the texts say and on their losses; a row is then placed by its text
alone, so that rows are not chosen by the very errors that are counted.
"""

from __future__ import annotations

import warnings
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np

from assay.diagnose.case import Case
from assay.seeds import derive_seed

COMPONENTS = 8
DIMENSIONS = 20
MOST_FITTED = MOST_EMBEDDED = 20_000
LOSS_WEIGHT = 1.0
"""How far a standard deviation of the loss parts two rows, in deviations of a text's position."""

Positions = Callable[[Case], np.ndarray]
"""A case to (n, d) positions of its texts."""


def by_words(part: Case) -> Positions | None:
    """Return positions by the main directions of the part's terms; None where it shares few."""
    from sklearn.decomposition import TruncatedSVD

    told = counted_terms(part)
    if told is None:
        return None
    terms, counts = told
    dimensions = min(DIMENSIONS, counts.shape[1] - 1)
    if dimensions < 2:
        return None
    directions = TruncatedSVD(dimensions, random_state=_seed(part)).fit(counts)
    return lambda case: np.asarray(directions.transform(terms.transform(case.texts)))


def counted_terms(part: Case) -> tuple[Any, Any] | None:
    """Return a fitted vectorizer and the part's (n, terms) counts; None where it shares no word."""
    from sklearn.feature_extraction.text import TfidfVectorizer

    try:
        terms = TfidfVectorizer(sublinear_tf=True, min_df=3, max_features=20_000)
        return terms, terms.fit_transform(part.texts)
    except ValueError:  # no word is in three texts
        return None


def by_meaning(part: Case) -> Positions | None:
    """Return positions by the main directions of the part's embeddings; None where it has none."""
    from sklearn.decomposition import PCA

    if part.meaning is None:
        return None
    dimensions = min(DIMENSIONS, part.meaning.shape[1], part.n - 1)
    directions = PCA(dimensions, random_state=_seed(part)).fit(part.meaning)
    return lambda case: np.asarray(directions.transform(case.meaning))


@dataclass(frozen=True, eq=False)
class Mixture:
    """Components over positions of texts.

    Attributes
    ----------
    means, variances
        (k, d) of each component.
    weights
        (k,) share of each.
    """

    positions: Positions
    means: np.ndarray
    variances: np.ndarray
    weights: np.ndarray

    @property
    def size(self) -> int:
        """How many components there are."""
        return len(self.weights)

    @classmethod
    def fitted(cls, part: Case, space: Callable[[Case], Positions | None]) -> Mixture | None:
        """Return the mixture of a part's texts and losses; None where the space has no room."""
        from sklearn.mixture import GaussianMixture

        random, chosen = np.random.default_rng(_seed(part)), part
        if part.n > MOST_FITTED:
            chosen = part.take(np.sort(random.choice(part.n, MOST_FITTED, replace=False)))
        positions = space(chosen)
        if positions is None:
            return None
        there = positions(chosen)
        losses = chosen.losses - chosen.losses.mean()
        scale = LOSS_WEIGHT * there.std() / losses.std() if losses.std() > 0 else 0.0
        # Right and wrong are two points: without spread the mixture would part only them.
        losses = losses + random.normal(scale=losses.std(), size=chosen.n)
        mixture = GaussianMixture(
            min(COMPONENTS, chosen.n // 25), covariance_type="diag", random_state=_seed(part),
            reg_covar=1e-5,
        )  # fmt: skip
        with warnings.catch_warnings():
            warnings.filterwarnings("ignore")  # mixtures that converge slowly still place rows
            found: Any = mixture.fit(np.column_stack([there, losses * scale]))
        return cls(positions, found.means_[:, :-1], found.covariances_[:, :-1], found.weights_)

    def places(self, case: Case) -> np.ndarray:
        """Return (n,) the component of each row, by its text alone."""
        there = self.positions(case)
        logs = np.log(self.weights) - 0.5 * np.log(self.variances).sum(axis=1)
        shares = np.column_stack([
            logs[each] - 0.5 * ((there - self.means[each]) ** 2 / self.variances[each]).sum(1)
            for each in range(self.size)
        ])  # fmt: skip
        return np.asarray(shares.argmax(axis=1))


def _seed(part: Case) -> int:
    return derive_seed(part.seed, "diagnose", "mixture") % 2**32
