"""A seeded sample of rows that is the same however the rows come in portions."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from assay.seeds import derive_seed


class Sample:
    """Keeps ``size`` of all texts that it is shown, each with the same chance, in their order.

    Every text draws a number; those with the smallest stay (bottom-k sampling). Memory holds
    ``size`` texts and one portion.
    """

    def __init__(self, size: int, seed: int) -> None:
        self.texts: list[str] = []
        self._size = size
        self._random = np.random.default_rng(derive_seed(seed, "fit"))
        self._drawn: NDArray[np.float64] = np.empty(0)

    def add(self, texts: Sequence[str]) -> None:
        """Show the next texts."""
        drawn = np.concatenate([self._drawn, self._random.random(len(texts))])
        kept = np.sort(np.argsort(drawn, kind="stable")[: self._size])
        shown = [*self.texts, *texts]
        self.texts = [shown[place] for place in kept]
        self._drawn = drawn[kept]
