"""A table made to fit a task that is known: its columns, its types, its classes."""

from __future__ import annotations

from typing import cast

import polars as pl

from assay.errors import InputError
from assay.tables.infer import as_class_names, classes_of, labels_of, require_column, require_metric
from assay.task import Task


def completed(task: Task, table: pl.DataFrame) -> Task:
    """Return ``task``, checked against ``table``; classes that it leaves open are filled in.

    Raises
    ------
    InputError
        When a column is absent, the metric does not fit the kind, or there is one class only.
    """
    columns = set(table.columns)
    roles = [("target", task.target), ("text", task.text), ("group", task.group)]
    roles += [("time", task.time), *(("feature", name) for name in task.features)]
    for role, name in roles:
        if name not in columns:
            require_column(table, name, role)
    if task.target in task.inputs:
        raise InputError("The target cannot be an input too.", given=task.target)
    require_metric(task.metric, task.kind)
    labels = labels_of(table, task.target)
    if task.kind == "regression" or task.classes:
        return task
    return task.model_copy(update={"classes": classes_of(labels)})


def fitted(table: pl.DataFrame, task: Task) -> pl.DataFrame:
    """Return ``table`` with the target as the task has it: class names, or float64 values.

    Raises
    ------
    InputError
        When a label is not among the task's classes, or a regression's target holds words.
    """
    target = table[task.target]
    if task.kind == "regression":
        return table.with_columns(_numbers(target))
    labels = as_class_names(target)
    unknown = set(labels.drop_nulls().unique()) - set(task.class_names)
    if unknown:
        raise InputError(
            "A label is not among the task's classes.",
            given=min(cast("set[str]", unknown)),
            allowed=", ".join(task.class_names),
            next_step="add the class to the task, or correct the label",
        )
    return table.with_columns(labels.alias(task.target))


def _numbers(target: pl.Series) -> pl.Series:
    values = target.cast(pl.Float64, strict=False)
    if values.null_count() > target.null_count():
        raise InputError(
            f"The target {target.name!r} of a regression holds words.",
            given=target.filter(values.is_null() & target.is_not_null())[0],
            next_step="correct or empty these rows, or choose another kind of task",
        )
    return values
