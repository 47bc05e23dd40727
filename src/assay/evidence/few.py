"""Estimates for a large set from a few checked rows and a model's guesses for all.

Prediction-powered inference with power tuning (PPI++; Angelopoulos, Duchi and Zrnic 2023).
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np

from assay.errors import InputError
from assay.evidence.labels import Labels, given_classes
from assay.evidence.numbers import Floats, Rows, as_array, finite, probabilities
from assay.evidence.proportions import wilson, within
from assay.evidence.spec import Evidence, Interval

MIN_CHECKED = 20
MIN_EACH = 10


def mean_from_few(
    checked: Any, guesses: Any, rest: Any, *, level: float = 0.95, name: str = "mean"
) -> Evidence:
    """Estimate a mean over a large set of which few rows are checked.

    Parameters
    ----------
    checked
        (n,) true values of the checked rows, drawn at random from the set.
    guesses
        (n,) the model's guesses for the checked rows.
    rest
        (N,) the model's guesses for all other rows.

    Returns
    -------
    Evidence
        ``details["effective_n"]``: rows that would have had to be checked for this precision
        without the model. Where the model does not help, the interval is the classical one.

    Raises
    ------
    InputError
        With fewer than 20 checked rows.

    Examples
    --------
    The accuracy of a set: ``checked`` is 1 where the label was right, the guesses are the
    model's confidence in it.
    """
    truth, near, far = (
        finite(as_array(values, key), key)
        for key, values in (("checked", checked), ("guesses", guesses), ("rest", rest))
    )
    if truth.ndim != 1 or truth.shape != near.shape or far.ndim != 1:
        raise InputError(
            "checked and guesses must have one value for each checked row.",
            given=f"{truth.shape} and {near.shape}",
        )
    if len(truth) < MIN_CHECKED:
        raise InputError(
            "too few checked rows.", given=len(truth), allowed=f"at least {MIN_CHECKED}"
        )
    return _evidence(truth, near, far, level, name)


def prevalence_from_few(
    checked: Any,
    guesses: Any,
    rest: Any,
    *,
    classes: Sequence[str] | None = None,
    level: float = 0.95,
) -> tuple[Evidence, ...]:
    """Estimate each class's share of a large set.

    Parameters
    ----------
    checked
        (n,) true labels of the checked rows.
    guesses, rest
        The model's labels, or (n, k) and (N, k) probabilities in the order of ``classes``.
    """
    labels = Labels(as_array(checked, "checked"), "checked")
    near, far = as_array(guesses, "guesses"), as_array(rest, "rest")
    known = given_classes(classes) if classes is not None else _found(labels, near, far)
    truth = np.eye(len(known))[labels.among(known)]
    shares = [_shares(each, known, key) for key, each in (("guesses", near), ("rest", far))]
    return tuple(
        mean_from_few(
            truth[:, i], shares[0][:, i], shares[1][:, i], level=level, name=f"share of {each!r}"
        )
        for i, each in enumerate(known)
    )


def _evidence(truth: Floats, near: Floats, far: Floats, level: float, name: str) -> Evidence:
    from scipy import stats

    n, extra = len(truth), len(far)
    spread = float(np.var(np.concatenate([near, far]), ddof=1)) if extra else 0.0
    covariance = float(np.cov(truth, near)[0, 1])
    trust = min(1.0, max(0.0, covariance / ((1 + n / extra) * spread))) if spread > 0 else 0.0
    classical = float(truth.var(ddof=1)) / n
    powered = float((truth - trust * near).var(ddof=1)) / n
    powered += trust**2 * float(far.var(ddof=1)) / extra if extra > 1 else 0.0
    binary = bool(np.isin(truth, (0, 1)).all())
    # Ten of each kind: with fewer, how well the guesses go with the truth is not known.
    rare = binary and min(truth.sum(), n - truth.sum()) < MIN_EACH
    if rare or trust == 0 or powered >= classical:
        value, variance, trust = float(truth.mean()), classical, 0.0
        method = "mean of the checked rows; the model does not help"
    else:
        value, variance = float(far.mean() * trust + (truth - trust * near).mean()), powered
        method = "prediction-powered inference (PPI++, Angelopoulos et al. 2023)"
    gained = classical / variance if variance > 0 else 1.0
    reach = float(stats.t.ppf(0.5 + level / 2, n - 1))
    if binary:
        share = min(1.0, max(0.0, value))
        low, high = within(*wilson(share, n * gained, reach))
    else:
        low, high = value - reach * variance**0.5, value + reach * variance**0.5
    details = {
        "se": variance**0.5,
        "effective_n": n * gained,
        "trust": trust,
        "unchecked": extra,
        "classical": float(truth.mean()),
        "classical_se": classical**0.5,
    }
    return Evidence(name, value, Interval(low, high, level), n, method, details=details)


def _found(labels: Labels, near: Rows, far: Rows) -> tuple[str, ...]:
    names = set(labels.names)
    for key, each in (("guesses", near), ("rest", far)):
        names |= set(Labels(each, key).names) if each.ndim == 1 else set()
    return tuple(sorted(names))


def _shares(given: Rows, classes: tuple[str, ...], name: str) -> Floats:
    if given.ndim == 1:
        return np.asarray(np.eye(len(classes))[Labels(given, name).among(classes)])
    return probabilities(given, classes, name)
