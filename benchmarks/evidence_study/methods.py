"""False keeps, coverage and power of every method."""

from __future__ import annotations

from functools import cache, partial
from typing import Any

import numpy as np

from assay.errors import InputError
from assay.evidence import compare
from assay.evidence.metrics import metric as as_metric

METRICS = ("accuracy", "log_loss", "auc", "macro_f1", "mae")
SLOW_METRICS = ("mcc", "average_precision", "r2")
LABELS = ("accuracy", "macro_f1", "mcc")
SCORES = ("auc", "average_precision")
NUMBERS = ("mae", "r2")
RESAMPLED = ("macro_f1", *SLOW_METRICS)
BINARY = ("0", "1")
GROUP = 5


def draw(
    rng: np.random.Generator, n: int, share: float, grouped: bool, gain: float
) -> tuple[Any, Any, Any, Any]:
    """Two models' scores on rows of two classes; whole groups share class and noise."""
    units = n // GROUP if grouped else n
    repeat = partial(np.repeat, repeats=GROUP if grouped else 1)
    truth = repeat((rng.random(units) < share).astype(int))
    noise = [
        repeat(rng.normal(size=units)) * 0.8 + rng.normal(size=len(truth)) * 0.6 for _ in range(3)
    ]
    before, after = (
        truth * distance + noise[0] * np.sqrt(0.6) + own * np.sqrt(0.4)
        for distance, own in ((1.5, noise[1]), (1.5 + gain, noise[2]))
    )
    return truth, before, after, repeat(np.arange(units)) if grouped else None


def as_read(metric: str, scores: Any, share: float) -> Any:
    cut = 0.75 + np.log((1 - share) / share) / 1.5
    if metric in LABELS:
        return (scores > cut).astype(int)
    return scores if metric in SCORES else 1 / (1 + np.exp(-1.5 * (scores - cut)))


def one_comparison(
    rng: np.random.Generator, metric: str, n: int, share: float, grouped: bool, gain: float
) -> Any:
    truth, before, after, groups = draw(rng, n, share, grouped, gain)
    options: dict[str, Any] = {} if metric in NUMBERS else {"classes": BINARY}
    if metric in RESAMPLED:
        options["replicates"] = 400
    return compare(
        truth,
        as_read(metric, before, share),
        as_read(metric, after, share),
        metric=metric,
        groups=groups,
        **options,
    )


def sizes_and_coverage(
    runs: int, sizes: tuple[int, ...], metrics: tuple[str, ...] = METRICS
) -> list[dict[str, Any]]:
    """Measure false keeps, power and coverage of every method."""
    rows = []
    for metric in metrics:
        for n in sizes:
            for share in (0.5, 0.05):
                for grouped in (False, True):
                    rows.append(_cell(metric, n, share, grouped, runs))
    return rows


@cache
def _true_effect(metric: str, share: float, gain: float) -> float:
    """Return the metric's gain on so many rows that chance plays no part."""
    judged, found = as_metric(metric), []
    classes = None if metric in NUMBERS else BINARY
    for seed in range(5):
        truth, *both, _ = draw(np.random.default_rng(10**6 + seed), 200_000, share, False, gain)
        before, after = (
            judged.score(truth, as_read(metric, each, share), classes) for each in both
        )
        found.append(judged.sign * (after - before))
    return float(np.mean(found))


def _cell(metric: str, n: int, share: float, grouped: bool, runs: int) -> dict[str, Any]:
    gain = 0.5
    units = n // GROUP if grouped else n
    cell: dict[str, Any] = {"metric": metric, "n": n, "minority": share, "groups": grouped}
    cell["runs"] = runs
    cell["minority_units"] = units * share
    cell["true_effect"] = _true_effect(metric, share, gain)
    for name, effect, true in (("null", 0.0, 0.0), ("effect", gain, cell["true_effect"])):
        rng = np.random.default_rng(n)
        found, refused = [], 0
        for _ in range(runs):
            try:
                found.append(one_comparison(rng, metric, n, share, grouped, effect))
            except InputError:  # too few rows or groups of a class: said, not guessed
                refused += 1
        cell[f"{name}_refused"] = refused / runs
        if len(found) >= runs / 2:
            cell[f"{name}_kept"] = float(np.mean([each.p_value < 0.05 for each in found]))
            cell[f"{name}_covered"] = float(np.mean([true in each.interval for each in found]))
    return cell
