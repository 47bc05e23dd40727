"""How far ordered labels are off, measured on gold."""

from __future__ import annotations

from typing import Any

import numpy as np

from assay.errors import InputError
from assay.evidence import Evidence, estimate
from assay.label.result import LabelResult
from assay.label.voting import Floats

LEAST_FOR_KAPPA = 20
"""Checked rows from which on a bootstrap interval means something."""


def measured(result: LabelResult, *, level: float = 0.95) -> dict[str, Evidence]:
    """Return accuracy, ``within_one``, ``mae`` (in levels) and quadratic ``kappa`` on gold.

    Rows without an answer, or whose right answer is not known, are left out, and so are those
    that were picked for a review; fewer than 20 leave out kappa.

    Raises
    ------
    InputError
        When the task is of another kind, or there is no gold.
    """
    checked = None if result.checked is None else result.checked.measured
    if result.task.kind != "ordinal" or checked is None:
        raise InputError("These figures need an ordinal task with gold.", given=result.task.kind)
    names = result.task.class_names
    pairs = zip(checked.labels, checked.truth, strict=True)
    held = np.array([None not in pair for pair in pairs], dtype=np.bool_)
    if not held.any():
        raise InputError("No gold row has an answer.")
    truth, found = (
        np.array([names.index(label) for label, some in zip(labels, held, strict=True) if some])
        for labels in (checked.truth, checked.labels)
    )
    weights = None if checked.weights is None else checked.weights[held]
    shares = {"accuracy": truth == found, "within_one": np.abs(truth - found) <= 1}
    facts = {name: _share(name, right, weights, level) for name, right in shares.items()}
    facts["mae"] = estimate(truth.astype(float), found.astype(float), metric="mae",
                            weights=weights, level=level)  # fmt: skip
    if len(truth) >= LEAST_FOR_KAPPA:
        facts["kappa"] = estimate(truth, found, metric=_kappa, weights=weights, level=level)
    return facts


def _share(name: str, right: Any, weights: Floats | None, level: float) -> Evidence:
    from dataclasses import replace

    said = np.where(right, "right", "wrong").tolist()
    fact = estimate(["right"] * len(said), said, classes=("right", "wrong"), weights=weights,
                    level=level)  # fmt: skip
    return replace(fact, name=name)


def _kappa(truth: Any, found: Any, weights: Any = None) -> float:
    """Return Cohen's kappa with quadratic weights (Cohen 1968); 0 where chance leaves nothing."""
    counts = np.ones(len(truth)) if weights is None else np.asarray(weights)
    counts = counts / counts.sum()
    observed = float(counts @ (truth - found) ** 2)
    one, other = (float(counts @ (each - counts @ each) ** 2) for each in (truth, found))
    expected = one + other + float(counts @ truth - counts @ found) ** 2
    return 1 - observed / expected if expected > 0 else 0.0
