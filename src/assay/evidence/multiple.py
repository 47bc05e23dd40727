"""Many tests at once: false discovery rates; slices found on one half, confirmed on the other."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np

from assay.errors import InputError
from assay.evidence.clt import MIN_ROWS, Linear, pool
from assay.evidence.labels import Labels
from assay.evidence.numbers import Codes, Floats, as_array, finite
from assay.evidence.spec import Evidence, Interval


def benjamini_hochberg(p_values: Any) -> Floats:
    """Return adjusted p-values; rejecting those below q keeps the FDR at q.

    For independent or positively dependent tests (Benjamini and Hochberg 1995).
    """
    return _step_up(p_values, 1.0)


def benjamini_yekutieli(p_values: Any) -> Floats:
    """Return adjusted p-values valid under any dependence (Benjamini and Yekutieli 2001)."""
    count = np.size(p_values)
    return _step_up(p_values, float((1 / np.arange(1, count + 1)).sum()))


def _step_up(p_values: Any, factor: float) -> Floats:
    p = finite(as_array(p_values, "p_values"), "p_values")
    if p.ndim != 1 or ((p < 0) | (p > 1)).any():
        raise InputError("p_values must be a list of probabilities.", allowed="[0, 1]")
    order = np.argsort(p)[::-1]
    scaled = p[order] * factor * len(p) / np.arange(len(p), 0, -1)
    adjusted = np.empty_like(p)
    adjusted[order] = np.minimum.accumulate(scaled).clip(max=1)
    return adjusted


def weak_slices(
    losses: Any,
    slices: Mapping[str, Any],
    *,
    fdr: float = 0.05,
    discovery: float = 0.10,
    groups: Any = None,
    level: float = 0.95,
    seed: int = 0,
) -> tuple[Evidence, ...]:
    """Find the slices on which a model does worse than elsewhere, and confirm them.

    Parameters
    ----------
    losses
        (n,) loss of each row, for example ``metric(...).row_losses(...)``.
    slices
        Name to (n,) mask.
    fdr
        False discovery rate among what is returned (Benjamini-Yekutieli, as slices overlap).
    discovery
        One-sided level at which one half of the rows suggests slices to the other.
    groups
        (n,) group of each row; a group falls into one half.

    Returns
    -------
    tuple of Evidence
        The confirmed slices, worst first. ``estimate`` is the extra loss within the slice,
        measured on the confirming half alone; ``p_value`` is adjusted.
    """
    values = finite(as_array(losses, "losses"), "losses")
    masks = {name: _mask(given, len(values), name) for name, given in slices.items()}
    members = None
    if groups is not None:
        members = Labels(as_array(groups, "groups"), "groups").positions
    unit = np.arange(len(values)) if members is None else members
    first = np.random.default_rng(seed).random(int(unit.max()) + 1)[unit] < 0.5
    suggested = {
        name: mask
        for name, mask in masks.items()
        if (found := _extra_loss(name, values, mask, first, members, level)) is not None
        and found.p_value is not None
        and found.p_value < discovery
    }
    tested = [
        _extra_loss(name, values, mask, ~first, members, level) for name, mask in suggested.items()
    ]
    facts = [each for each in tested if each is not None]
    if not facts:
        return ()
    adjusted = benjamini_yekutieli([each.p_value for each in facts])
    kept = [
        _adjusted(fact, float(p), len(masks))
        for fact, p in zip(facts, adjusted, strict=True)
        if p < fdr
    ]
    return tuple(sorted(kept, key=lambda each: -each.estimate))


def _adjusted(fact: Evidence, p: float, searched: int) -> Evidence:
    from dataclasses import replace

    details = fact.details | {"p_unadjusted": fact.p_value, "slices_searched": searched}
    return replace(fact, p_value=p, details=details)


def _extra_loss(
    name: str, losses: Floats, mask: Any, half: Any, groups: Codes | None, level: float
) -> Evidence | None:
    """Mean loss within the slice less that outside, on one half; None when too few rows."""
    inside, outside = half & mask, half & ~mask
    counts = int(inside.sum()), int(outside.sum())
    if min(counts) < MIN_ROWS:
        return None
    means = float(losses[inside].mean()), float(losses[outside].mean())
    n = sum(counts)
    influence = np.where(
        mask, (losses - means[0]) * n / counts[0], (means[1] - losses) * n / counts[1]
    )[half]
    members = None if groups is None else np.unique(groups[half], return_inverse=True)[1]
    strata = None if groups is not None else mask[half].astype(np.int64)
    linear = Linear(means[0] - means[1], influence, strata=strata)
    pooled = pool([linear], members, paired=False, between=False)
    low, high = pooled.interval(level)
    return Evidence(
        name=name,
        estimate=pooled.value,
        interval=Interval(low, high, level),
        n=counts[0],
        method="Welch's t-test on the confirming half; Benjamini-Yekutieli over slices",
        p_value=pooled.p_above(0.0),
        details={"loss_inside": means[0], "loss_outside": means[1], "se": pooled.se},
    )


def _mask(given: Any, n: int, name: str) -> Any:
    mask = as_array(given, name)
    if mask.shape != (n,) or mask.dtype.kind != "b":
        raise InputError(f"slice {name!r} must be one boolean a row.", given=f"shape {mask.shape}")
    return mask
