"""In which order the models of a cascade hold a precision at least cost."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from itertools import permutations

from assay.label.policy import expected_coverage, reaching
from assay.label.spec import Checked

WORTH = 0.01
"""A model that makes no further hundredth of the rows acceptable is not asked."""


@dataclass(frozen=True)
class Known:
    """What is known of the models that a cascade may use.

    Attributes
    ----------
    held
        How the gold rows that measure fared with each model alone, the same rows for each.
    prices
        Of one row, in 1e-12 US dollars.
    precision
        Share of the accepted labels that must be right.
    asked
        Share of the sample that each model has been asked about, to learn.
    sample, rows
        Rows of the sample, and all rows to label.
    """

    held: Mapping[str, Checked]
    prices: Mapping[str, int]
    precision: float
    asked: Mapping[str, float]
    sample: int
    rows: int


@dataclass(frozen=True)
class Way:
    """Some of the models in one order, and what it promises on the gold rows.

    Attributes
    ----------
    models
        First asked first.
    coverage
        Share of the rows that can be accepted.
    cost
        Of what is still to be asked, in 1e-12 US dollars.
    """

    models: tuple[str, ...]
    coverage: float
    cost: float

    @classmethod
    def of(cls, models: tuple[str, ...], known: Known) -> Way:
        """Return what an order promises."""
        some = [known.held[each] for each in models]
        coverage, level = expected_coverage(some, some[0].weights, known.precision)
        further = max(known.rows - known.sample, 0)
        cost = 0.0
        for model, share in zip(models, reaching(some, some[0].weights, level), strict=True):
            new = max(float(share) - known.asked.get(model, 0.0), 0.0)
            cost += known.prices[model] * (share * further + new * known.sample)
        return cls(models, coverage, float(cost))


def cheapest(known: Known, begun: Way) -> Way:
    """Return the cheapest way that accepts as many rows as any, but for a hundredth.

    Every order of every choice of models is tried, on what each of them said of the gold rows.
    Claimed scores and prices decide, not which rows were right, so the same gold rows may test the
    cascade after: they had their say in the scores alone, which they calibrated.

    Parameters
    ----------
    begun
        The way that is taken where none is cheaper: what it asked already costs nothing more.
    """
    ways = [
        Way.of(models, known)
        for count in range(1, len(known.held) + 1)
        for models in permutations(known.held, count)
    ]
    enough = max(each.coverage for each in [begun, *ways]) - WORTH
    return min((each for each in [begun, *ways] if each.coverage >= enough),
               key=lambda way: way.cost)  # fmt: skip
