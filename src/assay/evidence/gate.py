"""The gate: two prediction files in, one verdict out, for continuous integration."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import polars as pl

from assay.errors import InputError
from assay.evidence.clt import Linear, pool
from assay.evidence.guards import class_guards
from assay.evidence.inputs import read_sample
from assay.evidence.measuring import compare
from assay.evidence.metrics import Metric, as_metric
from assay.evidence.policy import decide
from assay.evidence.power import more_rows
from assay.evidence.prediction_files import Predictions, column_of, read_predictions
from assay.evidence.spec import Evidence, Interval, Verdict

__all__ = ["Gated", "Guard", "Predictions", "gate", "gated", "metric_guard", "read_predictions"]

PROBABILITY = "probability:"
GUARD = re.compile(r"(?P<what>.+?)\s*[:=]\s*(?P<allowed>[0-9.]+)\s*(?P<percent>%?)")


@dataclass(frozen=True)
class Guard:
    """What must not get worse, and by how much it may.

    Attributes
    ----------
    what
        ``recall`` (of every class), a metric's name, or a numeric column of both files of
        which less is better, such as ``latency``.
    allowed
        Largest loss accepted; a share of the first model's value when ``relative``.
    """

    what: str
    allowed: float
    relative: bool = False

    @classmethod
    def parse(cls, text: str) -> Guard:
        """Return the guard written as ``recall:0.02``, ``log_loss:0.01`` or ``latency:10%``."""
        match = GUARD.fullmatch(text.strip())
        try:
            allowed = float(match["allowed"]) if match else -1.0
        except ValueError:
            allowed = -1.0
        if match is None or allowed < 0:
            raise InputError(
                "guard is not understood.", given=text, allowed="recall:0.02, latency:10%"
            )
        relative = match["percent"] == "%"
        return cls(match["what"], allowed / 100 if relative else allowed, relative)


@dataclass(frozen=True)
class Gated:
    """A verdict for a pipeline.

    Attributes
    ----------
    more_rows
        How many more rows would decide it, where it is undecided.
    """

    verdict: Verdict
    metric: str
    min_effect: float
    more_rows: int | None

    @property
    def exit_code(self) -> int:
        """0 kept, 1 dropped, 3 undecided."""
        return {"kept": 0, "dropped": 1, "undecided": 3}[self.verdict.decision]

    def as_dict(self) -> dict[str, Any]:
        """Return the verdict as plain JSON values."""
        return self.verdict.as_dict() | {
            "metric": self.metric,
            "min_effect": self.min_effect,
            "more_rows": self.more_rows,
            "exit_code": self.exit_code,
        }


def gate(
    rows: Predictions,
    *,
    metric: str = "accuracy",
    classes: Sequence[str] | None = None,
    min_effect: float = 0.0,
    guards: Sequence[Guard] = (),
    alpha: float = 0.05,
    seed: int = 0,
) -> Gated:
    """Decide whether the second model may replace the first.

    Parameters
    ----------
    classes
        For binary metrics the second is the positive one; by default sorted.
    """
    judged = as_metric(metric)
    named = (None if classes is None else tuple(classes)) or _named(rows)
    shared = _shared(rows, named)
    before, after = (_predicted(table, judged, named, name) for table, name in _both(rows))
    gain = compare(
        rows.truth.to_numpy(),
        before,
        after,
        metric=judged,
        min_effect=min_effect,
        seed=seed,
        **shared,
    )
    facts = [fact for guard in guards for fact in _guarded(guard, rows, shared, seed)]
    return gated(decide(gain, alpha=alpha, min_effect=min_effect, guards=facts), min_effect, alpha)


def gated(verdict: Verdict, min_effect: float, alpha: float) -> Gated:
    """Return a verdict with what a pipeline needs beside it."""
    gain, more = verdict.main, None
    if verdict.decision == "undecided":
        more = more_rows(gain, min_effect=min_effect, alpha=alpha)
    return Gated(verdict, str(gain.details.get("metric", gain.name)), min_effect, more)


def _guarded(guard: Guard, rows: Predictions, shared: dict[str, Any], seed: int) -> list[Evidence]:
    truth = rows.truth.to_numpy()
    if guard.what == "recall":
        labels = as_metric("accuracy")
        before, after = (_predicted(table, labels, None, name) for table, name in _both(rows))
        return list(class_guards(truth, before, after, allowed=guard.allowed, **shared))
    if guard.what in rows.before.columns and guard.what in rows.after.columns:
        return [_cost(guard, rows)]
    judged = as_metric(guard.what)
    before, after = (
        _predicted(table, judged, shared["classes"], name) for table, name in _both(rows)
    )
    return [metric_guard(guard, truth, before, after, shared, seed)]


def metric_guard(
    guard: Guard, truth: Any, before: Any, after: Any, shared: dict[str, Any], seed: int
) -> Evidence:
    """Measure the change in another metric than the one that decides.

    Parameters
    ----------
    truth, before, after
        As in :func:`assay.evidence.compare`.
    shared
        ``classes`` and ``groups``, and what else :func:`assay.evidence.compare` takes.
    """
    judged = as_metric(guard.what)
    change = compare(truth, before, after, metric=judged, seed=seed, **shared)
    worse = compare(truth, after, before, metric=judged, seed=seed, **shared)
    allowed = guard.allowed * (abs(change.details["before"]) if guard.relative else 1)
    return _as_guard(change, f"change in {judged.name}", worse.p_value, allowed)


def _cost(guard: Guard, rows: Predictions) -> Evidence:
    """Change of a column's mean, such as latency: less is better."""
    before, after = (column_of(table, guard.what, name) for table, name in _both(rows))
    groups = None if rows.groups is None else rows.groups.to_numpy()
    sample = read_sample(
        before.to_numpy(), {guard.what: after.to_numpy()}, reads="values", groups=groups
    )
    saved = sample.truth - sample.models[0][0]
    linear = Linear(float(saved.mean()), saved - saved.mean())
    pooled = pool([linear], sample.groups, paired=True, between=False)
    loss = pool([-linear], sample.groups, paired=True, between=False)
    allowed = guard.allowed * (abs(float(sample.truth.mean())) if guard.relative else 1)
    fact = Evidence(
        name=f"saving in {guard.what}",
        estimate=pooled.value,
        interval=Interval(*pooled.interval(0.95)),
        n=sample.n,
        method="t-test on paired row differences",
        details={"se": pooled.se, "before": float(sample.truth.mean())},
    )
    return _as_guard(fact, fact.name, loss.p_above(0.0), allowed)


def _as_guard(fact: Evidence, name: str, p_loss: float | None, allowed: float) -> Evidence:
    details = fact.details | {"allowed": allowed}
    return Evidence(name, fact.estimate, fact.interval, fact.n, fact.method, p_loss, details)


def _both(rows: Predictions) -> tuple[tuple[pl.DataFrame, str], ...]:
    return (rows.before, "before"), (rows.after, "after")


def _shared(rows: Predictions, classes: tuple[str, ...] | None) -> dict[str, Any]:
    return {
        "classes": classes,
        "groups": None if rows.groups is None else rows.groups.to_numpy(),
        "weights": None if rows.weights is None else rows.weights.to_numpy(),
    }


def _named(rows: Predictions) -> tuple[str, ...] | None:
    """Return the classes that probability columns name, in their order in the first file."""
    return tuple(_probability_classes(rows.before)) or None


def _probability_classes(table: pl.DataFrame) -> list[str]:
    names = [name for name in table.columns if name.startswith(PROBABILITY)]
    return [name.removeprefix(PROBABILITY) for name in names]


def _predicted(
    table: pl.DataFrame, judged: Metric, classes: tuple[str, ...] | None, name: str
) -> np.ndarray[Any, Any]:
    """Return what the metric reads: labels, values, scores, or (n, k) probabilities."""
    if judged.reads == "scores" and "score" in table.columns:
        return table["score"].to_numpy()
    if judged.reads in ("probabilities", "scores"):
        names = [PROBABILITY + each for each in classes or ()]
        if not names or not set(names) <= set(table.columns):
            raise InputError(
                f"The {name} file lacks probabilities, which {judged.name} needs.",
                given=", ".join(table.columns),
                allowed=", ".join(names) or f"{PROBABILITY}CLASS for each class, or score",
            )
        return table.select(names).to_numpy()
    return column_of(table, "prediction", name).to_numpy()
