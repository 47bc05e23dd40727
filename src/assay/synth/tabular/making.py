"""Rows of a table made without a language model, by four methods of one shape."""

from __future__ import annotations

from typing import Literal, get_args

import numpy as np
import polars as pl

from assay.errors import InputError
from assay.recipe import MADE_FROM
from assay.synth.spec import MADE_BY, own_rows, synthetic_ids
from assay.synth.tabular.adversarial_forest import AdversarialForest
from assay.synth.tabular.encoding import Encoding, Matrix
from assay.synth.tabular.gaussian_copula import GaussianCopula
from assay.synth.tabular.smote import Smote, nearest_rows
from assay.task import Task

TabularMethod = Literal["oversample", "smote", "forest", "copula"]
METHODS: tuple[TabularMethod, ...] = get_args(TabularMethod)

FEWEST = 2
"""Rows of a class that a method needs to learn from."""


def made_rows(
    rows: pl.DataFrame,
    task: Task,
    *,
    method: TabularMethod,
    class_name: str | None,
    count: int,
    seed: int,
) -> pl.DataFrame:
    """Make rows of one class, or rows of a whole table.

    Parameters
    ----------
    rows
        Labelled rows: ``row_id``, inputs, target. Nothing else is learned from.
    method
        ``oversample`` repeats rows; ``smote``, ``forest`` (adversarial random forest) and
        ``copula`` (Gaussian) make new ones.
    class_name
        The class; None makes rows with a target of their own, as a regression needs.
    count
        How many.

    Returns
    -------
    DataFrame
        Inputs, target, ``made_from`` (the ``row_id`` that was repeated, or the nearer end of
        SMOTE's segment; empty where a row comes from all rows), ``made_by``, ``synthetic_id``.

    Raises
    ------
    InputError
        When the class has fewer than two rows, the method is not known, SMOTE is asked for a
        whole table, or a new text is asked of a method for tables.
    """
    _check(rows, task, method, class_name)
    learned = own_rows(rows, task, class_name)
    if learned.height < FEWEST:
        raise InputError(
            f"Too few rows to make others from, by {method}.",
            given=f"{learned.height} of {class_name!r}" if class_name else f"{learned.height}",
            allowed=f"at least {FEWEST}",
            next_step="label more of them",
        )
    if method == "oversample":
        made, sources = _repeated(learned, count, seed)
    else:
        names = [*task.inputs, *([] if class_name else [task.target])]
        made, sources = _new(learned, names, method, count, seed)
    labelled = made if class_name is None else made.with_columns(_label(rows, task, class_name))
    return labelled.select(
        *task.inputs,
        task.target,
        pl.Series(MADE_FROM, sources, dtype=pl.String),
        pl.lit(method).alias(MADE_BY),
        synthetic_ids(method, seed, count),
    )


def _repeated(
    learned: pl.DataFrame, count: int, seed: int
) -> tuple[pl.DataFrame, list[str | None]]:
    drawn = learned[np.random.default_rng(seed).integers(learned.height, size=count)]
    return drawn, drawn["row_id"].to_list()


def _new(
    learned: pl.DataFrame, names: list[str], method: TabularMethod, count: int, seed: int
) -> tuple[pl.DataFrame, list[str | None]]:
    encoding = Encoding(learned, names)
    matrix = encoding.encode(learned)
    if method == "smote":
        made = Smote(matrix, encoding.categorical).draw(count, seed)
        nearest = nearest_rows(*_scaled(made, matrix), encoding.categorical)
        return encoding.decode(made), learned["row_id"][nearest].to_list()
    kind = AdversarialForest if method == "forest" else GaussianCopula
    return encoding.decode(kind(matrix, encoding.categorical, seed).draw(count, seed + 1)), [
        None
    ] * count


def _scaled(made: Matrix, real: Matrix) -> tuple[Matrix, Matrix]:
    filled = np.nan_to_num(real)
    spread = filled.std(axis=0)
    spread[spread == 0] = 1.0
    return np.nan_to_num(made) / spread, filled / spread


def _label(rows: pl.DataFrame, task: Task, class_name: str) -> pl.Expr:
    return pl.lit(class_name, dtype=rows.schema[task.target]).alias(task.target)


def _check(rows: pl.DataFrame, task: Task, method: str, class_name: str | None) -> None:
    if method not in METHODS:
        raise InputError("method is not known.", given=method, allowed=", ".join(METHODS))
    if class_name is not None and class_name not in task.class_names:
        raise InputError(
            "class_name is none of the classes.",
            given=class_name,
            allowed=", ".join(task.class_names[:20]),
        )
    if class_name is None and method == "smote":
        raise InputError(
            "SMOTE makes rows of one class.", next_step="name a class, or use forest or copula"
        )
    if task.text is not None and method != "oversample":
        raise InputError(
            f"{method} writes no text.", given=task.text, next_step="choose a text method"
        )
