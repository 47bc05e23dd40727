"""Measures what the plots show, on all rows of a case: they describe, and test nothing."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import numpy as np
import polars as pl

from assay.diagnose.case import Case
from assay.diagnose.pictures.spec import Bin, Confusion, Drifted, Map, Pictures
from assay.diagnose.vectors import vectors
from assay.evidence.proportions import share_interval
from assay.seeds import derive_seed
from assay.tables.counts import value_counts

BINS = 10
MOST_CLASSES = 12
MOST_POINTS = 300
MOST_COLUMNS = 12
MOST_ROWS = 20_000
"""Rows of either side whose columns are compared; of more, as many are drawn."""

Embed = Callable[[list[str]], "np.ndarray[Any, Any]"]


def pictures(case: Case, *, embed: Embed | None = None) -> Pictures:
    """Return the figures behind every plot.

    Parameters
    ----------
    embed
        Texts to vectors, where these are at hand; by default rows lie by their terms or columns.
    """
    return Pictures(_reliability(case), _confusion(case), _map(case, embed), _drift(case))


def _reliability(case: Case) -> tuple[Bin, ...]:
    if case.probabilities is None:
        return ()
    top = case.stated.max(axis=1)
    names = np.asarray(case.task.class_names, dtype=object)
    right = names[case.stated.argmax(axis=1)] == case.truth
    bins = np.minimum((top * BINS).astype(int), BINS - 1)
    found = []
    for number in np.unique(bins):
        held = bins == number
        n, hits = int(held.sum()), int(right[held].sum())
        interval = share_interval(hits, n)
        found.append(
            Bin(
                _round(top[held].mean()),
                _round(hits / n),
                _round(interval.low),
                _round(interval.high),
                n,
            )
        )
    return tuple(found)


def _confusion(case: Case) -> Confusion | None:
    """Return the counts of the classes that most rows have or are given."""
    if case.task.kind == "regression":
        return None
    names, k = np.asarray(case.task.class_names, dtype=str), len(case.task.classes)
    order = np.argsort(names)
    truth, said = (
        order[np.searchsorted(names[order], each.astype(str))]
        for each in (case.truth, case.predictions)
    )
    counts = np.bincount(truth * k + said, minlength=k * k).reshape(k, k)
    sizes = counts.sum(axis=0) + counts.sum(axis=1)
    largest = np.sort(np.argsort(-sizes, kind="stable")[:MOST_CLASSES])
    lines: list[list[int]] = counts[np.ix_(largest, largest)].tolist()
    return Confusion(tuple(names[largest].tolist()), tuple(tuple(line) for line in lines))


def _map(case: Case, embed: Embed | None) -> Map | None:
    if case.n < 3:
        return None
    some = on_map(case)
    by = "what their columns hold"
    if case.texts:
        by = "the words of their texts" if embed is None else "the meaning of their texts"
    found = vectors(some) if embed is None or not some.texts else embed(some.texts)
    places = _two(np.asarray(found, dtype=np.float64))
    fails = some.losses > case.losses.mean()
    points = tuple(
        (_round(x), _round(y), bool(bad)) for (x, y), bad in zip(places, fails, strict=True)
    )
    return Map(by, points, case.n)


def on_map(case: Case) -> Case:
    """Return the rows that are points of the map."""
    random = np.random.default_rng(derive_seed(case.seed, "diagnose", "map"))
    return case.take(np.sort(random.permutation(case.n)[:MOST_POINTS]))


def _two(found: np.ndarray) -> np.ndarray:
    """Return (n, 2) places within 0 and 1 along the two main directions (PCA)."""
    centred = found - found.mean(axis=0)
    if centred.shape[1] < 2:
        centred = np.column_stack([centred, np.zeros(len(centred))])
    _, _, directions = np.linalg.svd(centred, full_matrices=False)
    directions = directions[:2]
    largest = np.abs(directions).argmax(axis=1)
    signs = np.sign(directions[np.arange(len(directions)), largest])
    places = centred @ (directions * np.where(signs == 0, 1, signs)[:, None]).T
    low, high = np.quantile(places, [0.01, 0.99], axis=0)
    return np.asarray(np.clip((places - low) / np.where(high > low, high - low, 1.0), 0, 1))


def _drift(case: Case) -> tuple[Drifted, ...]:
    training = case.training
    if training is None:
        return ()
    here, there = _some(case.rows, case.seed), _some(training, case.seed)
    found = [
        Drifted(name, _round(distance))
        for name in case.columns
        if name in there.columns and (distance := _distance(here[name], there[name])) is not None
    ]
    return tuple(sorted(found, key=lambda each: -each.distance)[:MOST_COLUMNS])


def _some(rows: pl.DataFrame, seed: int) -> pl.DataFrame:
    return rows if rows.height <= MOST_ROWS else rows.sample(MOST_ROWS, seed=seed % 2**32)


def _distance(here: pl.Series, there: pl.Series) -> float | None:
    if here.dtype.is_numeric() and there.dtype.is_numeric():
        return _of_numbers(
            *(each.cast(pl.Float64).drop_nulls().to_numpy() for each in (here, there))
        )
    if here.n_unique() > max(50, here.len() // 20):
        return None  # names and free texts differ in every row
    of: list[dict[Any, float]] = [
        {value: count / each.len() for value, count in value_counts(each.cast(pl.String)).rows()}
        for each in (here, there)
    ]
    return sum(abs(of[0].get(name, 0.0) - of[1].get(name, 0.0)) for name in {*of[0], *of[1]}) / 2


def _numbers(column: pl.Series) -> np.ndarray:
    numbers = column.cast(pl.Float64).drop_nulls().to_numpy()
    return np.asarray(numbers[np.isfinite(numbers)])


def _of_numbers(here: np.ndarray, there: np.ndarray) -> float | None:
    if not len(here) or not len(there):
        return None
    cuts = np.concatenate([here, there])
    shares: Sequence[np.ndarray] = [
        np.searchsorted(np.sort(each), cuts, side="right") / len(each) for each in (here, there)
    ]
    return float(np.abs(shares[0] - shares[1]).max())


def _round(value: float) -> float:
    return round(float(value), 3)
