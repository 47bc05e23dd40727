"""From a table and predictions, or a model, to a case."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from functools import partial
from typing import Any

import numpy as np
import polars as pl

from assay.diagnose.answers import Answers, as_names, spelt
from assay.diagnose.case import Case
from assay.diagnose.checks import check_roles, check_truth, shares_in, shares_of, weights_of
from assay.diagnose.losses import losses_of
from assay.diagnose.models import asked
from assay.diagnose.reading import columns_read
from assay.diagnose.said import Said
from assay.diagnose.settling import settled, task_of_rows
from assay.errors import InputError
from assay.tables import (
    require_column,
    to_polars,
    with_plain_columns,
    with_row_ids,
    with_times,
)
from assay.task import Kind, Task

PREDICTION = "prediction"
PROBABILITY = "probability:"

Ask = Callable[..., Said]
"""What a model says of rows of a task; ``stated`` is as for :func:`assay.diagnose.models.asked`."""


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
    answers = [name for name in table.columns if _is_said(name)]
    if isinstance(predictions, str):
        require_column(table, predictions, "predictions")
        answers.append(predictions)
    roles = {"truth": truth, "weight": weight, "group": group, "time": time, "text": text}
    roles["annotator"] = annotator
    check_roles(table, [*roles.items(), *(("protected", name) for name in protected)], answers)
    check_truth(table[truth])
    table = with_times(table, time)
    weights = None if weight is None else weights_of(table[weight])
    inputs = table.drop([*dict.fromkeys(answers), *(() if weight is None else (weight,))])
    known = {"text": text, "group": group, "time": time}
    task = task_of_rows(inputs, truth, kind, annotator=annotator, **known)
    asking = inputs.drop(truth)
    ask: Ask | None = None
    if model is not None:
        columns = columns_read(model, asking, task, reserved=(annotator,))
        ask = partial(asked, model, columns=columns)
    said = _told(table, predictions, probabilities) if ask is None else ask(asking, task)
    task = settled(task, table[truth], said, kind)
    if ask is None:
        _check_complete(said, task)
    found = said.answers(task)
    return case_of(
        asking,
        task,
        table[truth],
        found,
        weights=weights,
        training=None if training is None else _training(training, time),
        protected=tuple(protected),
        annotator=annotator,
        seed=seed,
        **({} if ask is None else _at_hand(ask, task, found)),
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


def _at_hand(ask: Ask, task: Task, answers: Answers) -> dict[str, Any]:
    """Return how the model says more, of rows that were changed: what :class:`Case` takes."""
    alone = partial(ask, stated=False)
    found: dict[str, Any] = {"predict": lambda part: alone(part, task).answers(task).predictions}
    if answers.probabilities is not None:
        found["state"] = lambda part: ask(part, task).answers(task).probabilities
    return found


def _is_said(name: str) -> bool:
    return name == PREDICTION or name.startswith(PROBABILITY)


def _training(rows: Any, time: str | None) -> pl.DataFrame:
    table = with_row_ids(to_polars(rows))
    return with_times(table, time if time in table.columns else None)


def _told(table: pl.DataFrame, predictions: Any, probabilities: Any) -> Said:
    """Return predictions that were given as arrays or stand in the table."""
    if predictions is None and PREDICTION in table.columns:
        predictions = PREDICTION
    columns = [name for name in table.columns if name.startswith(PROBABILITY)]
    if predictions is None and probabilities is None and not columns:
        raise InputError(
            "There are no predictions.",
            given=", ".join(table.columns),
            allowed="a column 'prediction' or columns 'probability:CLASS', predictions= or model=",
        )
    values = None
    if predictions is not None:
        values = table[predictions] if isinstance(predictions, str) else _series(predictions)
        if values.len() != table.height:
            raise InputError(
                "The predictions are for other rows: their number differs.",
                given=f"{values.len()} predictions for {table.height} rows",
            )
    if probabilities is not None:
        return Said(values, shares_of(probabilities, table.height))
    if not columns:
        return Said(values)
    names = tuple(name.removeprefix(PROBABILITY) for name in columns)
    return Said(values, shares_in(table, columns), names)


def _check_complete(said: Said, task: Task) -> None:
    """Raise an InputError where some classes have a column of probabilities, and others none."""
    missing = sorted(set(task.class_names) - set(spelt(said.names, task.class_names)))
    if said.names and missing:
        raise InputError(
            "The probabilities of some classes are missing.",
            given=", ".join(missing[:5]),
            next_step=f"add a column {PROBABILITY}CLASS for each",
        )


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
