"""Three attacks on people in the data, each with control rows (Giomi et al. 2023).

What an attacker learns of people whom the generator never saw is general knowledge and no leak;
only the success beyond that is a risk.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
import polars as pl

from assay.evidence import Evidence
from assay.synth.privacy.distances import Distances
from assay.synth.privacy.shares import risk
from assay.task import Task

GUESSES = 500
COLUMNS_AT_ONCE = 3
MOST_TRIES = 20
"""Predicates tried for each guess wanted, before it is given up."""

TOLERANCE = 0.05
"""A guessed number this share off is right."""

NEIGHBOURS = 1


def singling_out(
    made: pl.DataFrame, seen: pl.DataFrame, control: pl.DataFrame, task: Task, seed: int
) -> Evidence | None:
    """Return the risk that a condition which holds for one made row holds for one real person.

    Conditions on three columns of a made row: equal words, numbers on its side of the median.
    None where no condition holds for one made row alone.
    """
    n = min(seen.height, control.height)
    seen, control = seen.sample(n, seed=seed), control.sample(n, seed=seed)
    random = np.random.default_rng(seed)
    columns = list(task.inputs)
    medians: dict[str, Any] = {
        name: held.sort()[held.len() // 2]
        for name in columns
        if made.schema[name].is_numeric() or made.schema[name].is_temporal()
        for held in [made[name].drop_nulls()]
        if held.len()
    }
    tried: set[str] = set()
    hits = control_hits = 0
    for _ in range(MOST_TRIES * GUESSES):
        row = made.row(int(random.integers(made.height)), named=True)
        count = min(COLUMNS_AT_ONCE, len(columns))
        chosen = sorted(random.choice(columns, count, replace=False).tolist())
        condition = pl.all_horizontal([_predicate(name, row[name], medians) for name in chosen])
        if str(condition) in tried or _matches(made, condition) != 1:
            continue
        tried.add(str(condition))
        hits += _matches(seen, condition) == 1
        control_hits += _matches(control, condition) == 1
        if len(tried) == GUESSES:
            break
    if not tried:
        return None
    guesses = len(tried)
    return risk("singling out", hits, control_hits, guesses, guesses, "three columns")


def linkability(
    made: pl.DataFrame, seen: pl.DataFrame, control: pl.DataFrame, task: Task, seed: int
) -> Evidence | None:
    """Return the risk that made rows link two halves of what is known about a person.

    Every second column is known from one source, the others from another; a link is right where
    both halves have the same nearest made row. None with fewer than two columns.
    """
    columns = tuple(task.inputs)
    if len(columns) < 2 or made.is_empty():
        return None
    halves = [Distances(made, task, columns[start::2]) for start in (0, 1)]

    def linked(rows: pl.DataFrame) -> int:
        drawn = rows.sample(min(GUESSES, rows.height), seed=seed)
        near = [half.nearest(drawn, made, NEIGHBOURS)[1] for half in halves]
        return sum(bool(set(a) & set(b)) for a, b in zip(*near, strict=True))

    n, control_n = (min(GUESSES, each.height) for each in (seen, control))
    return risk("linkability", linked(seen), linked(control), n, control_n, "nearest made rows")


def inference(
    made: pl.DataFrame,
    seen: pl.DataFrame,
    control: pl.DataFrame,
    task: Task,
    secrets: Sequence[str],
    seed: int,
) -> tuple[Evidence, ...]:
    """Return for each secret column the risk that it is guessed from all the others.

    The guess is the secret of the nearest made row; a number within 5 % is right.
    """
    found = []
    for secret in secrets:
        known = tuple(name for name in task.inputs if name != secret)
        if not known or made.is_empty():
            continue
        distances = Distances(made, task, known)
        hits, control_hits = (
            _guessed(distances, made, rows.sample(min(GUESSES, rows.height), seed=seed), secret)
            for rows in (seen, control)
        )
        n, control_n = (min(GUESSES, each.height) for each in (seen, control))
        name = f"inference of {secret!r}"
        found.append(risk(name, hits, control_hits, n, control_n, "nearest made row"))
    return tuple(found)


def _guessed(distances: Distances, made: pl.DataFrame, rows: pl.DataFrame, secret: str) -> int:
    guess = made[secret][distances.to_nearest(rows, made)[1]]
    truth = rows[secret]
    if made.schema[secret].is_numeric():
        near = (guess - truth).abs() <= TOLERANCE * truth.abs()
        return int((near | guess.eq_missing(truth)).fill_null(False).sum())
    return int(guess.eq_missing(truth).sum())


def _predicate(name: str, value: Any, medians: dict[str, Any]) -> pl.Expr:
    if value is None:
        return pl.col(name).is_null()
    if name not in medians:
        return pl.col(name).eq(value)
    return pl.col(name).ge(value) if value >= medians[name] else pl.col(name).le(value)


def _matches(rows: pl.DataFrame, condition: pl.Expr) -> int:
    return int(rows.select(condition.sum()).item() or 0)
