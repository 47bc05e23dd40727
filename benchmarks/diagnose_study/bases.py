"""Real tables, with a model's answers or with truth drawn so that nothing is wrong."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np
import polars as pl

from assay.diagnose.case import Case
from assay.diagnose.given import read_case
from assay.recipe.confident import cross_fitted
from experiment_sets import BY_NAME

Random = np.random.Generator
SURE = (0.78, 0.9, 0.99)
"""How sure the answers of a clean case are, and rightly; at .75 nobody could tell its rows."""
MOST_ROWS = 2_000


def columns() -> dict[str, pl.DataFrame]:
    """Return the columns, without the target, of three real tables, one of them mixed."""
    from sklearn import datasets

    found = {}
    for name in ("breast_cancer", "digits"):
        data = getattr(datasets, f"load_{name}")().data
        found[name] = pl.DataFrame(data, schema=[f"x{at}" for at in range(data.shape[1])])
    which = BY_NAME["credit_data"]
    found[which.name] = which.rows(0).head(MOST_ROWS).drop(which.target)
    return found


def clean(table: pl.DataFrame, random: Random) -> Case:
    """Return a case without a fault, and training rows like its own.

    Truth is drawn from stated probabilities that have nothing to do with the columns.
    """
    table = table.sample(fraction=1.0, shuffle=True, seed=int(random.integers(2**31)))
    training, rows = table[: table.height // 4], table[table.height // 4 :]
    names = np.array(["a", "b", "c"])
    top = random.integers(3, size=rows.height)
    sure = random.choice(SURE, rows.height)
    shares = np.repeat(((1 - sure) / 2)[:, None], 3, axis=1)
    shares[np.arange(rows.height), top] = sure
    truth = (shares.cumsum(axis=1) > random.random((rows.height, 1))).argmax(axis=1)
    return read_case(
        rows.with_columns(y=pl.Series(names[truth])), truth="y", probabilities=shares,
        training=training.with_columns(y=pl.Series(random.choice(names, training.height))),
        seed=int(random.integers(10**9)),
    )  # fmt: skip


def predicted() -> Mapping[str, Case]:
    """Return tables of scikit-learn with the cross-fitted probabilities of a linear model."""
    from sklearn import datasets

    found = {}
    for name in ("breast_cancer", "digits", "wine"):
        data = getattr(datasets, f"load_{name}")()
        classes = np.array([f"class {each}" for each in range(len(np.unique(data.target)))])
        shares = cross_fitted(scaled(data.data), data.target, len(classes), folds=5, seed=0)
        names = [f"x{place}" for place in range(data.data.shape[1])]
        rows = pl.DataFrame(data.data, schema=names).with_columns(y=pl.Series(classes[data.target]))
        found[name] = read_case(rows, truth="y", probabilities=shares)
    return found


def scaled(matrix: np.ndarray) -> np.ndarray:
    """Return (n, d) with mean 0 and deviation 1 in each column that varies."""
    found: np.ndarray = (matrix - matrix.mean(axis=0)) / (matrix.std(axis=0) + 1e-9)
    return found
