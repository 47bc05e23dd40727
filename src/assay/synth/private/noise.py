"""The noise that hides any single row, and what each use of it spends.

A neighbouring table has one row more or less, so one count of a histogram changes by one.
"""

from __future__ import annotations

from collections.abc import Mapping
from math import ceil, log
from typing import Any, Protocol

import numpy as np
from numpy.typing import NDArray

from assay.errors import MissingExtraError

Counts = NDArray[np.int64]


class Noise(Protocol):
    """Three ways to look at the rows, each with what it spends.

    Attributes
    ----------
    epsilon, delta
        What all looks so far have spent, added up (basic composition; Dwork and Roth 2014).
    """

    epsilon: float
    delta: float

    def counts(self, histogram: Counts, epsilon: float) -> Counts:
        """Return a histogram with noise; any shape, and the shape stays."""
        ...

    def largest(self, scores: NDArray[np.float64], epsilon: float) -> int:
        """Return the place of a large score, of scores that one row changes by at most one each."""
        ...

    def common(self, held: Mapping[str, int], epsilon: float, delta: float) -> dict[str, int]:
        """Return the noisy counts of the values that enough rows hold."""
        ...


def threshold(epsilon: float, delta: float) -> int:
    """Return the noisy count from which a value held by one row shows with chance below delta."""
    return 2 + ceil(log(1 / (2 * delta)) / epsilon)


class OpenDPNoise:
    """The noise of released rows: OpenDP's mechanisms, with randomness that no seed repeats.

    Raises
    ------
    MissingExtraError
        When OpenDP is not installed.
    """

    def __init__(self) -> None:
        try:
            import opendp.prelude as dp
        except ImportError as error:
            raise MissingExtraError("opendp", "differential-privacy") from error
        dp.enable_features("contrib")
        self._dp: Any = dp
        self.epsilon = self.delta = 0.0

    def counts(self, histogram: Counts, epsilon: float) -> Counts:
        """Add discrete Laplace noise."""
        dp = self._dp
        space = dp.vector_domain(dp.atom_domain(T=int)), dp.l1_distance(T=int)
        look = dp.m.make_laplace(*space, scale=1 / epsilon)
        self.epsilon += look.map(1)
        return np.array(look(histogram.ravel().tolist()), dtype=np.int64).reshape(histogram.shape)

    def largest(self, scores: NDArray[np.float64], epsilon: float) -> int:
        """Report the noisy maximum, which is the exponential mechanism."""
        dp = self._dp
        space = dp.vector_domain(dp.atom_domain(T=float, nan=False)), dp.linf_distance(T=float)
        look = dp.m.make_noisy_max(*space, dp.max_divergence(), 2 / epsilon)
        self.epsilon += look.map(1.0)
        return int(look(scores.tolist()))

    def common(self, held: Mapping[str, int], epsilon: float, delta: float) -> dict[str, int]:
        """Add Laplace noise and show what exceeds a threshold."""
        dp = self._dp
        domain = dp.map_domain(dp.atom_domain(T=str), dp.atom_domain(T=int))
        metric = dp.l01inf_distance(dp.absolute_distance(T=int))
        look = dp.m.make_laplace_threshold(domain, metric, 1 / epsilon, threshold(epsilon, delta))
        spent = look.map((1, 1, 1))
        self.epsilon += spent[0]
        self.delta += spent[1]
        return dict(look(dict(held)))


class SeededNoise:
    """The same noise from a seed: for rows that are made in a fold and never leave it."""

    def __init__(self, seed: int) -> None:
        self._random = np.random.default_rng(seed)
        self.epsilon = self.delta = 0.0

    def counts(self, histogram: Counts, epsilon: float) -> Counts:
        """Add rounded Laplace noise."""
        self.epsilon += epsilon
        noise = self._random.laplace(scale=1 / epsilon, size=histogram.shape)
        return np.asarray(histogram + np.round(noise).astype(np.int64))

    def largest(self, scores: NDArray[np.float64], epsilon: float) -> int:
        """Add Gumbel noise and take the largest."""
        self.epsilon += epsilon
        return int(np.argmax(scores + self._random.gumbel(scale=2 / epsilon, size=len(scores))))

    def common(self, held: Mapping[str, int], epsilon: float, delta: float) -> dict[str, int]:
        """Add Laplace noise and show what exceeds a threshold."""
        names = list(held)
        noisy = self.counts(np.array([held[each] for each in names], dtype=np.int64), epsilon)
        self.delta += delta
        bar = threshold(epsilon, delta)
        return {name: int(count) for name, count in zip(names, noisy, strict=True) if count >= bar}
