"""Paired bootstrap over rows or groups with BCa intervals (Efron 1987; DiCiccio and Efron 1996).

With a rare class the bootstrap alone is too sure: at 5 % of 200 rows it takes an eighth of
useless changes for gains. A comparison is therefore also tested by swapping the two models'
predictions at random within each row or group, and the larger p-value counts.

Rows are put into a canonical order first: permuting them changes nothing.
"""

from __future__ import annotations

import numpy as np

from assay.errors import InputError
from assay.evidence.cellwise import of_confusion
from assay.evidence.inputs import Sample
from assay.evidence.kernels import OfConfusion, Whole
from assay.evidence.numbers import Floats
from assay.evidence.resampled import Resampled
from assay.evidence.rowwise import of_rows

MIN_UNITS = 20
REPLICATES = 2000


def resample(
    sample: Sample,
    kernel: OfConfusion | Whole,
    *,
    sign: int,
    replicates: int,
    seed: int,
    between: bool = True,
) -> Resampled:
    """Bootstrap the gain of the last model over the first, or one model's value.

    Parameters
    ----------
    sign
        1 where greater is better, -1 where smaller is; 1 for a single model.
    between
        Resample the fits too, when there are several.

    Raises
    ------
    InputError
        With fewer than 20 rows or groups.
    """
    units = sample.n if sample.groups is None else int(sample.groups.max()) + 1
    if units < MIN_UNITS:
        kind = "rows" if sample.groups is None else "groups"
        raise InputError(
            f"too few {kind} for a bootstrap.",
            given=f"{units} {kind}",
            allowed=f"at least {MIN_UNITS}",
            next_step=f"give more {kind}, or a metric that averages over rows",
        )
    rng = np.random.default_rng(seed)
    shares = _fit_shares(len(sample.models[0]), replicates, between, rng)
    if isinstance(kernel, OfConfusion):
        return of_confusion(sample, kernel, sign, shares, rng)
    return of_rows(sample, kernel, sign, shares, rng)


def _fit_shares(fits: int, replicates: int, between: bool, rng: np.random.Generator) -> Floats:
    """Return how much each fit counts in each replicate, (b, fits)."""
    if fits == 1 or not between:
        return np.full((replicates, fits), 1 / fits)
    return rng.multinomial(fits, np.full(fits, 1 / fits), size=replicates) / fits
