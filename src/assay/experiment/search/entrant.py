"""A recipe in the search: what was tried of it, and how it scored."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any, Literal

import numpy as np

from assay.experiment.search.pool import Broken
from assay.recipe import Recipe

State = Literal["running", "waiting", "finished", "failed"]


@dataclass(frozen=True)
class Stage:
    """A step of successive halving.

    Attributes
    ----------
    share
        Share of the training rows of a fold.
    folds
        The folds that are built.
    """

    share: float
    folds: tuple[int, ...]


@dataclass
class Entrant:
    """One recipe in the search.

    Attributes
    ----------
    number
        In the order of entry, from 0.
    family
        Its name; of a recipe outside every family what it is.
    origin
        ``recipe`` (the project's own), ``yours``, ``plan``, ``portfolio``, ``tpe`` or
        ``random``.
    values
        The family's values; empty where there is no family.
    complexity
        For the one-standard-error rule; 1 is the simplest.
    handle
        What the tuner is told its score under.
    stage
        The stage that it is in, or has last ended.
    scores
        For each stage that it ended, the score: greater is better.
    state
        ``waiting``: for promotion.
    broken
        The limit that it failed by, where it did.
    seconds
        Of all its fits.
    found
        Predictions of all rows on full shares, (n, k) or (n,); rows not judged yet are NaN. Only
        those of finished ones outlive a stop.
    """

    number: int
    family: str
    origin: str
    recipe: Recipe
    values: dict[str, Any]
    complexity: int
    handle: str | None = None
    stage: int = 0
    scores: list[float] = field(default_factory=list)
    state: State = "running"
    seconds: float = 0.0
    reason: str | None = None
    broken: Broken | None = None
    found: np.ndarray | None = field(default=None, repr=False)
    missing: int = 0
    """Fits of the stage that are not over yet."""
    fit_seconds: float = 0.0
    """Time of the longest fit on a full share."""

    @property
    def score(self) -> float:
        """The score of the last stage that it ended."""
        return self.scores[-1] if self.scores else float("-inf")

    @property
    def positions(self) -> np.ndarray:
        """Positions of the rows that are judged."""
        assert self.found is not None  # noqa: S101 - asked of finished entrants only
        known = self.found if self.found.ndim == 1 else self.found[:, 0]
        return np.flatnonzero(~np.isnan(known))
