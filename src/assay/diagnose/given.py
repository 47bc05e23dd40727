"""From a table and predictions, or a model, to a case."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
import polars as pl

from assay.diagnose.answers import Answers, as_names, checked_shares, said_values, spelt
from assay.diagnose.case import Case, Floats
from assay.diagnose.losses import losses_of
from assay.diagnose.models import asked
from assay.diagnose.reading import columns_read
from assay.errors import InputError
from assay.tables import (
    infer_task,
    require_column,
    to_polars,
    with_plain_columns,
    with_row_ids,
    with_times,
)
from assay.task import Kind, Task

PREDICTION = "prediction"
PROBABILITY = "probability:"
FEWEST = 20


def read_case(
    rows: Any,
    *,
    truth: str | None,
    predictions: Any = None,
    probabilities: Any = None,
    model: Any = None,
    text: str | None = None,
    kind: Kind | None = None,
    group: str | None = None,
    weight: str | None = None,
    time: str | None = None,
    training: Any = None,
    protected: Sequence[str] = (),
    annotator: str | None = None,
    seed: int = 0,
) -> Case:
    """Return the case of a table; the parameters are those of :func:`assay.diagnose.diagnose`."""
    if truth is None:
        raise InputError(
            "With rows, the column of the true values is needed.", next_step="name it as truth"
        )
    table = with_row_ids(with_plain_columns(to_polars(rows)))
    roles = {"truth": truth, "group": group, "weight": weight, "time": time}
    roles["annotator"] = annotator
    for role, name in (*roles.items(), *(("protected", name) for name in protected)):
        require_column(table, name, role)
    _check_rows(table, truth)
    table = with_times(table, time)
    said = [name for name in table.columns if _is_said(name)]
    if isinstance(predictions, str):
        require_column(table, predictions, "predictions")
        said.append(predictions)
    weights = None if weight is None else _weights(table[weight])
    inputs = table.drop([*dict.fromkeys(said), *(() if weight is None else (weight,))])
    known = {"text": text, "group": group, "time": time}
    task = _task(table, inputs, truth, kind, predictions, known)
    if annotator is not None:  # who labelled a row is no input
        kept = tuple(name for name in task.features if name != annotator)
        task = task.model_copy(update={"features": kept})
    asking = inputs.drop(truth)
    at_hand: dict[str, Any] = {}
    if model is not None:
        columns = columns_read(model, asking, task, reserved=(annotator,))
        answers = asked(model, asking, task, columns)
        at_hand["predict"] = lambda part: asked(model, part, task, columns).predictions
        if answers.probabilities is not None:
            at_hand["state"] = lambda part: asked(model, part, task, columns).probabilities
    else:
        answers = _told(table, task, predictions, probabilities)
    return case_of(
        asking,
        task,
        table[truth],
        answers,
        weights=weights,
        training=None if training is None else _training(training, time),
        **at_hand,
        protected=tuple(protected),
        annotator=annotator,
        seed=seed,
    )


def case_of(
    rows: pl.DataFrame, task: Task, truth: pl.Series, answers: Answers, **others: Any
) -> Case:
    """Return the case of rows whose true values and predictions are known."""
    true = _true(truth, task)
    return Case(
        rows=rows,
        task=task,
        truth=true,
        predictions=answers.predictions,
        losses=losses_of(task, true, answers),
        probabilities=answers.probabilities,
        **others,
    )


def _check_rows(table: pl.DataFrame, truth: str) -> None:
    if table[truth].null_count():
        raise InputError(
            f"The true values {truth!r} have gaps.",
            given=f"{table[truth].null_count()} empty",
            next_step="leave out the rows whose truth is not known",
        )
    if table.height < FEWEST:
        raise InputError(
            "There are too few rows to diagnose.",
            given=f"{table.height} rows",
            allowed=f"at least {FEWEST}",
        )


def _is_said(name: str) -> bool:
    return name == PREDICTION or name.startswith(PROBABILITY)


def _training(rows: Any, time: str | None) -> pl.DataFrame:
    table = with_row_ids(to_polars(rows))
    return with_times(table, time if time in table.columns else None)


def _task(
    table: pl.DataFrame,
    inputs: pl.DataFrame,
    truth: str,
    kind: Kind | None,
    said: Any,
    known: dict[str, Any],
) -> Task:
    if inputs[truth].n_unique() == 1:  # one class alone can still be diagnosed: by what is said
        task = _one_class(table, inputs, truth, said, known)
    else:
        task = infer_task(inputs, truth, kind=kind, **known).task
    if task.kind != "regression":
        task = task.model_copy(update={"metric": "accuracy"})
    return task


def _one_class(
    table: pl.DataFrame, inputs: pl.DataFrame, truth: str, said: Any, known: dict[str, Any]
) -> Task:
    name = said if isinstance(said, str) else PREDICTION
    if name not in table.columns or table[name].n_unique() < 2:
        raise InputError(
            f"The true values {truth!r} are all the same, and so is what is predicted.",
            given=table[truth][0],
            next_step="give rows of two classes",
        )
    widened = pl.concat([inputs[truth].cast(pl.String), table[name].cast(pl.String)])
    both = pl.concat([inputs.drop(truth)] * 2).with_columns(widened.alias(truth))
    return infer_task(both, truth, kind=None, **known).task


def _told(table: pl.DataFrame, task: Task, predictions: Any, probabilities: Any) -> Answers:
    """Return predictions that were given as arrays or stand in the table."""
    shares = _shares(table, task, probabilities)
    if predictions is None and PREDICTION in table.columns:
        predictions = PREDICTION
    if predictions is None and shares is None:
        raise InputError(
            "There are no predictions.",
            given=", ".join(table.columns),
            allowed="a column 'prediction' or columns 'probability:CLASS', predictions= or model=",
        )
    if predictions is None:
        assert shares is not None  # noqa: S101
        return Answers.of(shares, task)
    found = table[predictions] if isinstance(predictions, str) else _series(predictions)
    if found.len() != table.height:
        raise InputError(
            "The predictions are for other rows: their number differs.",
            given=f"{found.len()} predictions for {table.height} rows",
        )
    if found.null_count():
        raise InputError("The predictions have gaps.", given=f"{found.null_count()} empty")
    return Answers(said_values(found, task), shares)


def _true(truth: pl.Series, task: Task) -> np.ndarray:
    if task.kind == "regression":
        return truth.cast(pl.Float64).to_numpy()
    return as_names(truth)


def _series(values: Any) -> pl.Series:
    if isinstance(values, pl.Series):
        return values
    array = np.asarray(values)
    if array.ndim != 1:
        raise InputError("predictions must be one value a row.", given=f"shape {array.shape}")
    return pl.Series(array.tolist())


def _shares(table: pl.DataFrame, task: Task, given: Any) -> Floats | None:
    if task.kind == "regression":
        return None
    if given is None:
        columns = [name for name in table.columns if name.startswith(PROBABILITY)]
        if not columns:
            return None
        named = spelt([name.removeprefix(PROBABILITY) for name in columns], task.class_names)
        column_of = dict(zip(named.tolist(), columns, strict=True))
        _check_named(column_of, task)
        inorder = [column_of[name] for name in task.class_names]
        given = table.select(inorder).cast(pl.Float64).fill_null(float("nan")).to_numpy()
    return checked_shares(np.asarray(given, dtype=np.float64), table.height, task)


def _check_named(column_of: Mapping[str, str], task: Task) -> None:
    """Raise an InputError where columns of probabilities name no class, or leave one out."""
    unknown = [column_of[name] for name in column_of if name not in task.class_names]
    if unknown:
        raise InputError(
            "Columns of probabilities name classes that the true values do not hold.",
            given=", ".join(unknown[:5]),
            allowed=", ".join(f"{PROBABILITY}{name}" for name in task.class_names[:20]),
            next_step="check spelling and letter case",
        )
    missing = sorted(set(task.class_names) - set(column_of))
    if missing:
        raise InputError(
            "The probabilities of some classes are missing.",
            given=", ".join(missing[:5]),
            next_step=f"add a column {PROBABILITY}CLASS for each",
        )


def _weights(column: pl.Series) -> Floats:
    values = column.cast(pl.Float64, strict=False).fill_null(float("nan")).to_numpy()
    if not np.isfinite(values).all() or (values < 0).any() or values.sum() == 0:
        raise InputError(
            f"The weights {column.name!r} must be finite, none negative, and not all zero."
        )
    return values
