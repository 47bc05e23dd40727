"""Is the second model better than the first, and how good is one? Each with an interval."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import numpy as np

from assay.errors import InputError
from assay.evidence.bootstrap import REPLICATES, resample
from assay.evidence.clt import FEWEST_OF_TWO, Pooled, pool
from assay.evidence.inputs import Sample, read_sample
from assay.evidence.kernels import Auc, OfConfusion, RowMean, Whole
from assay.evidence.metrics import Metric, as_metric
from assay.evidence.numbers import Codes, Floats
from assay.evidence.proportions import wilson, within
from assay.evidence.resampled import Resampled
from assay.evidence.rowwise import MOST_ROWS
from assay.evidence.spec import Evidence, Interval


def compare(
    truth: Any,
    before: Any,
    after: Any,
    *,
    metric: str | Metric | Callable[..., float] = "accuracy",
    classes: Sequence[str] | None = None,
    groups: Any = None,
    weights: Any = None,
    min_effect: float = 0.0,
    level: float = 0.95,
    seed: int = 0,
    between_fits: bool = True,
    replicates: int = REPLICATES,
) -> Evidence:
    """Measure what the second model gains on the same rows.

    Parameters
    ----------
    truth
        (n,) labels or values.
    before, after
        Predictions of both models on the same rows: (n,) labels or values, or (n, k)
        probabilities in the order of ``classes``; with several fits (repeats of a
        cross-validation, seeds) a list of them or an array with the fits first.
    metric
        A name (see :func:`assay.evidence.metric`), a ``Metric``, or a function of
        (truth, predictions) where greater is better.
    classes
        Class names in column order; for binary metrics the second is the positive one.
        Default: the sorted labels in ``truth``.
    groups
        (n,) group of each row; rows of a group are not independent.
    weights
        (n,) non-negative row weights.
    min_effect
        The smallest gain worth having, in the metric's unit; it goes into the details
        (``p_min_effect``) and is judged by :func:`assay.evidence.decide`.
    level
        Of the interval.
    seed
        Of the bootstrap.
    between_fits
        Count the variance between fits, so that a lucky seed is not taken for a gain.

    Returns
    -------
    Evidence
        ``estimate`` is the gain, positive is better; ``p_value`` is one-sided for "there is no
        gain".

    Raises
    ------
    InputError
        When lengths differ, labels are unknown, scores are not finite, probabilities do not
        sum to one, or the rows are too few for the method.

    Notes
    -----
    Metrics that average over rows: t-test on paired row differences, averaged over fits
    (CV-CLT; Bayle et al. 2020). AUC: DeLong placements. Others: paired bootstrap (BCa).
    Groups: cluster-robust sums, or whole groups resampled.
    """
    _check(level, min_effect)
    judged = as_metric(metric)
    sample = read_sample(
        truth,
        {"before": before, "after": after},
        reads=judged.reads,
        classes=classes,
        weights=weights,
        groups=groups,
    )
    result = _measure(sample, judged, seed, replicates, between_fits)
    low, high = result.interval(level)
    details = _details(sample, result) | {
        "metric": judged.name,
        "before": _average(sample, judged, 0),
        "after": _average(sample, judged, 1),
        "min_effect": min_effect,
        "p_min_effect": result.p_above(min_effect),
    }
    return Evidence(
        name=f"gain in {judged.name}",
        estimate=result.value,
        interval=Interval(low, high, level),
        n=sample.n,
        method=_method(sample, judged, replicates),
        p_value=result.p_above(0.0),
        details=details,
    )


def estimate(
    truth: Any,
    predictions: Any,
    *,
    metric: str | Metric | Callable[..., float] = "accuracy",
    classes: Sequence[str] | None = None,
    groups: Any = None,
    weights: Any = None,
    level: float = 0.95,
    seed: int = 0,
    between_fits: bool = True,
    replicates: int = REPLICATES,
) -> Evidence:
    """Measure one model; the parameters are those of :func:`compare`.

    Metrics between 0 and 1 get an interval that stays there (Wilson for accuracy, logit for
    AUC).
    """
    _check(level, 0.0)
    judged = as_metric(metric)
    sample = read_sample(
        truth,
        {"predictions": predictions},
        reads=judged.reads,
        classes=classes,
        weights=weights,
        groups=groups,
    )
    result = _measure(sample, judged, seed, replicates, between_fits)
    low, high = _bounded(result, judged, level, sample.weights)
    return Evidence(
        name=judged.name,
        estimate=result.value,
        interval=Interval(low, high, level),
        n=sample.n,
        method=_method(sample, judged, replicates),
        details=_details(sample, result) | {"metric": judged.name},
    )


def _measure(
    sample: Sample, judged: Metric, seed: int, replicates: int, between_fits: bool
) -> Pooled | Resampled:
    kernel = judged.kernel
    paired = len(sample.models) == 2
    _refuse_rare(sample, judged)
    if isinstance(kernel, OfConfusion | Whole):
        sign = judged.sign if paired else 1
        return resample(
            sample, kernel, sign=sign, replicates=replicates, seed=seed, between=between_fits
        )
    k = len(sample.classes)
    fits = []
    for each in zip(*sample.models, strict=True):
        linear = [kernel.linear(sample.truth, fit, k, sample.weights) for fit in each]
        gain = linear[-1] - linear[0] if paired else linear[0]
        fits.append(-gain if paired and judged.sign < 0 else gain)
    return pool(fits, sample.groups, paired=paired, between=between_fits)


def _bounded(
    result: Pooled | Resampled, judged: Metric, level: float, weights: Floats | None
) -> tuple[float, float]:
    """Keep the interval of a share or an area within [0, 1]."""
    if isinstance(result, Resampled):
        return result.interval(level)
    from scipy import special, stats

    value, se = result.value, result.se
    reach = float(stats.t.ppf(0.5 + level / 2, result.df))
    if isinstance(judged.kernel, RowMean) and judged.kernel.bound == 1.0:
        # Wilson on the number of independent rows that would give this standard error.
        rows = value * (1 - value) / se**2 if se > 0 else result.units
        if weights is not None:  # few heavy rows that agree by chance would look like many
            rows = min(rows, _effective(weights))
        return within(*wilson(value, rows, reach))
    if isinstance(judged.kernel, Auc) and 0 < value < 1:
        half = reach * se / (value * (1 - value))
        at = special.logit(value)
        return float(special.expit(at - half)), float(special.expit(at + half))
    low, high = result.interval(level)
    return (max(0.0, low) if not judged.greater_is_better else low), high


def _average(sample: Sample, judged: Metric, model: int) -> float:
    k = len(sample.classes)
    fits = sample.models[model]
    return sum(judged.kernel.value(sample.truth, f, k, sample.weights) for f in fits) / len(fits)


def _details(sample: Sample, result: Pooled | Resampled) -> dict[str, Any]:
    details: dict[str, Any] = {"se": result.se, "fits": len(sample.models[0])}
    if sample.groups is not None:
        details["groups"] = result.units
    if sample.classes:
        details["rarest_class_units"] = int(min(each for each in _held(sample) if each))
    if isinstance(result, Pooled):
        details["df"] = result.df
        if details["fits"] > 1:
            details["se_between_fits"] = result.se_fits
    if sample.weights is not None:
        details["effective_n"] = _effective(sample.weights)
    return details


def _effective(weights: Floats) -> float:
    """Return how many equally weighted rows would tell as much (Kish 1965)."""
    return float(weights.sum() ** 2 / (weights**2).sum())


def _held(sample: Sample) -> Codes:
    """Rows, or groups, that hold each class: below ten, trust no interval far."""
    codes, width = sample.truth, len(sample.classes)
    if sample.groups is not None:
        codes = np.unique(sample.groups * width + sample.truth) % width
    return np.bincount(codes, minlength=width)


def _refuse_rare(sample: Sample, judged: Metric) -> None:
    """Refuse where one of two classes is too rare to tell how much it varies.

    That matters to metrics that rank, and to losses without a bound: those rows carry them.
    """
    kernel = judged.kernel
    unbounded = isinstance(kernel, RowMean) and kernel.bound is None and not kernel.root
    if not sample.classes or not (judged.reads == "scores" or unbounded):
        return
    held = _held(sample)
    if judged.reads == "scores" or len(held) > 2:
        held = held[held > 0]
    if len(held) == 2 and held.min() < FEWEST_OF_TWO:
        raise InputError(
            "one of the two classes occurs in too few rows or groups.",
            given=f"{held.min():.0f} of {held.sum():.0f}",
            allowed=f"at least {FEWEST_OF_TWO}",
            next_step="gather more of that class, or choose accuracy",
        )


def _method(sample: Sample, judged: Metric, replicates: int) -> str:
    paired = len(sample.models) == 2
    if isinstance(judged.kernel, RowMean):
        words = "t-test on paired row differences" if paired else "t interval on row values"
        if not paired and judged.kernel.bound == 1.0:
            words = "Wilson interval"
        if len(sample.models[0]) > 1:
            words += f", averaged over {len(sample.models[0])} fits (CV-CLT, Bayle et al. 2020)"
    elif isinstance(judged.kernel, Auc):
        words = "DeLong placements (DeLong et al. 1988)"
    else:
        words = f"bootstrap, BCa, {replicates} replicates (Efron 1987)"
        if isinstance(judged.kernel, Whole) and sample.n > MOST_ROWS:
            words += f" of {MOST_ROWS:,} rows, scaled (Bickel et al. 1997)"
        words = f"paired {words} and random swaps" if paired else words
    if sample.groups is not None:
        words += (
            "; groups resampled"
            if isinstance(judged.kernel, OfConfusion | Whole)
            else "; cluster-robust"
        )
    return words + ("; weighted" if sample.weights is not None else "")


def _check(level: float, min_effect: float) -> None:
    if not 0.5 <= level < 1:
        raise InputError("level must be a confidence level.", given=level, allowed="[0.5, 1)")
    if not 0 <= min_effect < float("inf"):
        raise InputError(
            "min_effect must be a gain in the metric's unit.", given=min_effect, allowed=">= 0"
        )
