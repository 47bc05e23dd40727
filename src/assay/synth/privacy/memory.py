"""What a generator remembers: rows too near to real ones, and long runs of their words."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass

import numpy as np
import polars as pl
from numpy.typing import NDArray

from assay.evidence import Evidence
from assay.synth.privacy.distances import Distances, Floats
from assay.synth.privacy.shares import share
from assay.task import Task

CLOSE = 0.05
"""Share of real rows that count as close to another real row, by definition of the bar."""

LONG_RUN = 50
"""Characters in a row that a text does not share with another by chance."""

SHARED = 2
"""A run that so many real texts hold is a set phrase and gives nobody away."""


def exact_copies(made: pl.DataFrame, real: pl.DataFrame, task: Task) -> Evidence:
    """Return the share of made rows that equal a real row in every input.

    A row that several real rows share is no one's: only rows that are unique among the real ones
    count.
    """
    inputs = list(task.inputs)
    unique = real.select(inputs).filter(pl.struct(inputs).is_unique())
    copied = made.select(inputs).join(unique, on=inputs, how="semi", nulls_equal=True)
    return share("exact copies of a real row", copied.height, made.height, "equal in every input")


@dataclass(frozen=True)
class Closeness:
    """How near made rows lie to real ones, beside how near real ones lie to each other.

    Attributes
    ----------
    apart
        (m,) each made row's distance to its nearest real one.
    among
        (n,) each real row's distance to its nearest other.
    bar
        A twentieth of the real rows are no further from another.
    """

    apart: Floats
    among: Floats
    bar: float

    @classmethod
    def of(cls, made: pl.DataFrame, real: pl.DataFrame, task: Task) -> Closeness:
        """Measure both on the real rows' scales."""
        distances = Distances(real, task)
        among, _ = distances.to_nearest(real, real, themselves=True)
        apart, _ = distances.to_nearest(made, real)
        return cls(apart, among, float(np.quantile(among, CLOSE)))

    @property
    def close(self) -> NDArray[np.bool_]:
        """(m,) whether a made row lies within the bar; equal, where real rows equal each other."""
        return self._within(self.apart)

    @property
    def baseline(self) -> float:
        """The share of real rows that lie within it."""
        return float(self._within(self.among).mean())

    def _within(self, distances: Floats) -> NDArray[np.bool_]:
        return distances <= self.bar if self.bar > 0 else distances == 0


def close_rows(made: pl.DataFrame, real: pl.DataFrame, task: Task) -> Evidence:
    """Return the share of made rows nearer to a real row than real rows are to each other.

    The bar is the twentieth of the distances from each real row to its nearest other: a twentieth
    of the real rows are as close. ``details["baseline"]`` is that share.
    """
    name, method = "closer than real rows are", "distance to closest record"
    if made.is_empty() or real.height < 2:
        return share(name, 0, made.height, method)
    found = Closeness.of(made, real, task)
    fact = share(name, int(found.close.sum()), made.height, method)
    fact.details.update(
        baseline=found.baseline,
        median=float(np.median(found.apart)),
        median_among_real=float(np.median(found.among)),
    )
    return fact


def nearer_to_seen(
    made: pl.DataFrame, seen: pl.DataFrame, control: pl.DataFrame, task: Task, seed: int
) -> Evidence:
    """Return the share of made rows nearer to what the generator saw than to real rows it did not.

    About .5 where it learned no more than what the rows have in common; of the larger table as
    many rows are drawn as the smaller holds.
    """
    n = min(seen.height, control.height)
    one, two = (each.sample(n, seed=seed) for each in (seen, control))
    distances = Distances(pl.concat([one, two], how="diagonal"), task)
    to_seen, to_control = (distances.to_nearest(made, each)[0] for each in (one, two))
    clear = to_seen != to_control
    hits = int((to_seen < to_control).sum())
    return share("nearer to rows seen than to rows unseen", hits, int(clear.sum()), "no ties")


def long_runs(made: pl.DataFrame, real: pl.DataFrame, task: Task) -> Evidence | None:
    """Return the share of made texts that hold 50 characters of one real text, word for word.

    Runs that two real texts share are set phrases and do not count. None without a text.
    """
    if task.text is None:
        return None
    holders: Counter[int] = Counter()
    for text in real[task.text].fill_null("").to_list():
        holders.update(_runs(text))
    hits = sum(
        any(0 < holders[run] < SHARED for run in _runs(text))
        for text in made[task.text].fill_null("").to_list()
    )
    method = f"{LONG_RUN} characters of one real text in a row"
    return share("long runs of a real text", hits, made.height, method)


def _runs(text: str) -> set[int]:
    plain = " ".join(text.casefold().split())
    return {hash(plain[at : at + LONG_RUN]) for at in range(len(plain) - LONG_RUN + 1)}
