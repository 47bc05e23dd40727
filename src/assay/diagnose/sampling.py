"""Drawing rows where there are too many, and saying what that can miss."""

from __future__ import annotations

import numpy as np
import polars as pl

from assay.diagnose.case import Case
from assay.diagnose.detectors.slices import FEWEST, SHARE
from assay.errors import InputError
from assay.seeds import derive_seed


def halved(rows: pl.DataFrame, seed: int) -> tuple[pl.DataFrame, pl.DataFrame]:
    """Return the two halves of rows in any order, one to discover on and one to confirm on."""
    mixed = rows.sample(fraction=1.0, shuffle=True, seed=seed)
    middle = mixed.height // 2
    return mixed.head(middle), mixed.tail(mixed.height - middle)


def drawn(case: Case, most: int) -> tuple[Case, str]:
    """Return the case, or one of ``most`` rows drawn from it, and what the draw can miss.

    Whole groups are drawn where rows come in groups, so that the count may differ a little.
    """
    if most < 2 * FEWEST:
        raise InputError("most_rows is too small.", given=most, allowed=f"at least {2 * FEWEST}")
    if case.n <= most:
        return case, ""
    random = np.random.default_rng(derive_seed(case.seed, "diagnose", "draw"))
    if case.groups is None:
        places = np.sort(random.choice(case.n, most, replace=False))
    else:
        numbers = np.unique(case.groups)
        kept = random.permutation(numbers)[: max(2, round(len(numbers) * most / case.n))]
        places = np.flatnonzero(np.isin(case.groups, kept))
    least = max(FEWEST, round(SHARE * len(places) / 2)) * 2 / len(places)
    statement = (
        f"{len(places):,} of {case.n:,} rows were drawn at random and read. Sizes, costs and "
        f"intervals hold for the drawn rows. Slices below {least:.2%} of the rows "
        f"(about {round(least * case.n):,} of {case.n:,}) were not looked at, and effects that "
        "only more rows would show can be missed."
    )
    return case.take(places), statement
