"""The gate: two prediction files in, one verdict out, for continuous integration."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
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
from assay.evidence.spec import Evidence, Interval, Verdict

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
class Predictions:
    """Two models' predictions for the same rows, in the same order.

    Attributes
    ----------
    before, after
        Tables with ``prediction``, and ``probability:CLASS`` for each class or ``score``.
    """

    truth: pl.Series
    before: pl.DataFrame
    after: pl.DataFrame
    groups: pl.Series | None = None
    weights: pl.Series | None = None


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


def read_predictions(
    before: Path,
    after: Path,
    *,
    truth: Path | None = None,
    target: str = "truth",
    row_id: str = "row_id",
    group: str | None = None,
    weight: str | None = None,
) -> Predictions:
    """Read two prediction files and bring their rows into one order.

    Parameters
    ----------
    truth
        A third file with the ``target`` column; by default the first file holds it.
    row_id
        The column that joins the files; where no file has it, row i is the same row in each.

    Raises
    ------
    InputError
        When rows are missing in one file or repeat, or a column is absent.
    """
    from assay.tables import read_table

    paths = {"before": before, "after": after} | ({} if truth is None else {"truth": truth})
    tables = {name: read_table(path) for name, path in paths.items()}
    tables = _aligned(tables, row_id)
    home = tables.get("truth", tables["before"])
    where = "truth" if truth is not None else "before"
    return Predictions(
        truth=_column(home, target, where),
        before=tables["before"],
        after=tables["after"],
        groups=None if group is None else _column(home, group, where),
        weights=None if weight is None else _column(home, weight, where),
    )


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
    named = shared["classes"]
    before, after = (_predicted(table, judged, named, name) for table, name in _both(rows))
    change = compare(truth, before, after, metric=judged, seed=seed, **shared)
    worse = compare(truth, after, before, metric=judged, seed=seed, **shared)
    allowed = guard.allowed * (abs(change.details["before"]) if guard.relative else 1)
    return [_as_guard(change, f"change in {judged.name}", worse.p_value, allowed)]


def _cost(guard: Guard, rows: Predictions) -> Evidence:
    """Change of a column's mean, such as latency: less is better."""
    before, after = (_column(table, guard.what, name) for table, name in _both(rows))
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
    return _column(table, "prediction", name).to_numpy()


def _column(table: pl.DataFrame, column: str, name: str) -> pl.Series:
    if column not in table.columns:
        raise InputError(
            f"The {name} file has no column {column!r}.", given=", ".join(table.columns)
        )
    return table[column]


def _aligned(tables: dict[str, pl.DataFrame], row_id: str) -> dict[str, pl.DataFrame]:
    """Bring every table into the order of the first."""
    having = [name for name, table in tables.items() if row_id in table.columns]
    if not having:
        if len({table.height for table in tables.values()}) > 1:
            raise InputError(
                f"The files differ in length and hold no column {row_id!r}.",
                given=", ".join(f"{name}: {table.height}" for name, table in tables.items()),
                next_step=f"add a {row_id} column to each file",
            )
        return tables
    for name, table in tables.items():
        ids = _column(table, row_id, name)
        if ids.n_unique() != len(ids) or ids.null_count():
            raise InputError(
                f"The {name} file repeats or lacks a {row_id}.",
                given=f"{len(ids) - ids.n_unique()} repeated, {ids.null_count()} empty",
                next_step="give every row one id",
            )
    keyed = {
        name: table.with_columns(pl.col(row_id).cast(pl.String)) for name, table in tables.items()
    }
    order = keyed["before"][[row_id]]
    for name, table in keyed.items():
        missing = order.join(table, on=row_id, how="anti").height
        extra = table.join(order, on=row_id, how="anti").height
        if missing or extra:
            raise InputError(
                f"The before and {name} files hold different rows.",
                given=f"{missing} only in before, {extra} only in {name}",
                next_step="predict the same rows with both models",
            )
    return {
        name: order.join(table, on=row_id, how="left", maintain_order="left")
        for name, table in keyed.items()
    }
