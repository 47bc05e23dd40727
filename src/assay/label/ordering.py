"""In which order the models of a cascade hold a precision at least cost."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from itertools import permutations

import numpy as np

from assay.label.policy import expected_coverage, reaching
from assay.label.spec import Checked

WORTH = 0.01
"""A model that makes no further hundredth of the rows acceptable is not asked."""


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
        Of one row, in 1e-12 US dollars.
    """

    models: tuple[str, ...]
    coverage: float
    cost: float

    @classmethod
    def of(
        cls,
        models: tuple[str, ...],
        held: Mapping[str, Checked],
        prices: Mapping[str, int],
        precision: float,
    ) -> Way:
        """Return what an order promises; parameters are those of :func:`cheapest`."""
        some = [held[each] for each in models]
        coverage, level = expected_coverage(some, some[0].weights, precision)
        shares = reaching(some, some[0].weights, level)
        return cls(models, coverage, float(np.dot([prices[each] for each in models], shares)))

    def __str__(self) -> str:
        return f"about {self.coverage:.0%} of the rows at ${self.cost / 1e9:.3g} a thousand"


def cheapest(
    held: Mapping[str, Checked], prices: Mapping[str, int], precision: float, begun: Way
) -> Way:
    """Return the cheapest way that accepts as many rows as any, but for a hundredth.

    Every order of every choice of models is tried, on what each of them said of the gold rows.
    Scores and prices decide, not who was right, so the same gold rows may test the cascade after.

    Parameters
    ----------
    held
        How the gold rows that measure fared with each model alone.
    prices
        Of one row, in 1e-12 US dollars.
    precision
        Share of the accepted labels that must be right.
    begun
        The way that is taken where none is cheaper.
    """
    ways = [
        Way.of(models, held, prices, precision)
        for count in range(1, len(held) + 1)
        for models in permutations(held, count)
    ]
    enough = max(each.coverage for each in ways) - WORTH
    return min((each for each in [begun, *ways] if each.coverage >= enough),
               key=lambda way: way.cost)  # fmt: skip
