"""What is predicted from a table, found from the table itself, with the reasons."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from difflib import get_close_matches

import polars as pl

from assay.errors import InputError
from assay.tables.columns import Columns, sort_columns
from assay.tables.counts import value_counts
from assay.task import METRICS_OF_KIND, ClassDescription, Kind, Task, judges

MOST_NUMERIC_CLASSES = 20
"""Whole numbers with at most this many distinct values are read as classes."""

IMBALANCED = 0.2
"""Below this share of the rarer class, accuracy flatters a binary model."""


MOST_NAMED = 4
"""A note names this many columns at most."""


@dataclass(frozen=True)
class Note:
    """Something that was found, and why it was decided so."""

    what: str
    why: str


@dataclass(frozen=True)
class Inference:
    """The task, and how it was found."""

    task: Task
    notes: tuple[Note, ...]


def infer_task(
    table: pl.DataFrame,
    target: str,
    *,
    text: str | None = None,
    kind: Kind | None = None,
    metric: str | None = None,
    group: str | None = None,
    time: str | None = None,
) -> Inference:
    """Find the task in ``table``, whose target is clean (see :func:`with_clean_target`).

    Parameters
    ----------
    table
        Rows with or without a label.
    target
        The column to predict.
    text, kind, metric, group, time
        What the user knows already; each is checked, and found where it is None.

    Raises
    ------
    InputError
        When a column is absent, no row is labelled, there is one class only, the target mixes
        numbers and words, or the metric does not fit.
    """
    for role, name in (("target", target), ("text", text), ("group", group), ("time", time)):
        require_column(table, name, role)
        if role != "target" and name == target:
            raise InputError(
                f"One column cannot be both target and {role}.",
                given=target,
                next_step=f"name another --{role}",
            )
    notes: list[Note] = []
    labels = labels_of(table, target)
    if kind is None or kind == "regression":
        _refuse_mixture(table[target])
    found_kind = _kind(labels, kind, notes)
    columns = sort_columns(table, reserved=(target, group, time), text=text)
    notes += _notes_on_unused(columns.unused)
    task = Task(
        kind=found_kind,
        modality="text" if columns.text else "tabular",
        target=target,
        text=columns.text,
        features=() if columns.text else columns.features,
        classes=() if found_kind == "regression" else classes_of(labels),
        metric=_metric(labels, found_kind, metric, notes),
        group=group,
        time=time,
    )
    _note_inputs(task, columns, notes)
    return Inference(task, tuple(notes))


def require_column(table: pl.DataFrame, name: str | None, role: str) -> None:
    """Raise an InputError that names the nearest columns when ``name`` is absent."""
    if name is None or name in table.columns:
        return
    near = _nearest(name, table.columns)
    raise InputError(
        f"The table has no column for {role}.",
        given=name,
        allowed=", ".join(near),
        next_step=f"name one of its columns with --{role}",
    )


def _nearest(name: str, columns: list[str]) -> list[str]:
    by_lower = {each.lower(): each for each in columns}
    found = get_close_matches(name.lower(), by_lower, n=3, cutoff=0.5)
    return [by_lower[each] for each in found] or columns[:10]


def labels_of(table: pl.DataFrame, target: str) -> pl.Series:
    """Return the labels that are there.

    Raises
    ------
    InputError
        When there is none, or there are no two different ones.
    """
    labels = table[target].drop_nulls()
    if labels.is_empty():
        raise InputError(
            f"No row has a label: the column {target!r} is empty everywhere.",
            next_step="label some rows, or name another --target",
        )
    if labels.n_unique() == 1:
        raise InputError(
            f"Every label in {target!r} is the same, so there is nothing to learn.",
            given=labels[0],
            next_step="add rows of another class",
        )
    return labels


def _refuse_mixture(column: pl.Series) -> None:
    """Raise an InputError where some words stand among numbers: typing slips, most often."""
    if column.dtype != pl.String:
        return
    numeric = column.cast(pl.Float64, strict=False).is_not_null()
    words = ~numeric & column.is_not_null()
    if numeric.sum() > words.sum() > 0:
        places = words.arg_true().head(3).to_list()
        shown = ", ".join(f"row {place + 1}: {column[place]!r}" for place in places)
        raise InputError(
            f"The target {column.name!r} mixes numbers and words.",
            given=f"{words.sum():,} words among {numeric.sum():,} numbers ({shown})",
            next_step="correct or empty these rows (an empty target means no label), or say "
            "--kind multiclass if all of them are classes",
        )


def _kind(labels: pl.Series, given: Kind | None, notes: list[Note]) -> Kind:
    if given is not None and given not in METRICS_OF_KIND:
        raise InputError("kind is not known.", given=given, allowed=", ".join(METRICS_OF_KIND))
    distinct = labels.n_unique()
    classes: Kind = "binary" if distinct == 2 else "multiclass"
    if given == "regression" and not labels.dtype.is_numeric():
        raise InputError(
            "A regression needs a numeric target.",
            given=f"{labels.name!r} holds {labels[0]!r}",
            next_step="leave --kind out, or choose another target",
        )
    if given is not None:
        if given == "binary" and distinct != 2:
            raise InputError(
                "A binary task needs two classes.",
                given=f"{distinct} classes",
                next_step="leave --kind out, or correct the labels",
            )
        return given
    if not labels.dtype.is_numeric():
        _refuse_free_text(labels, distinct)
        held = "truth values" if labels.dtype == pl.Boolean else "words"
        notes.append(Note(f"{classes}, {distinct} classes", f"the target holds {held}"))
        return classes
    whole = bool((labels == labels.round(0)).all()) if labels.dtype.is_float() else True
    few = whole and distinct <= min(MOST_NUMERIC_CLASSES, labels.len() // 5)
    if few or distinct == 2:
        numbers = "whole numbers" if whole else "numbers"
        why = f"the target holds only {distinct} different {numbers} (--kind regression if not)"
        notes.append(Note(f"{classes}, {distinct} classes", why))
        return classes
    notes.append(Note("regression", f"the target holds {distinct:,} different numbers"))
    return "regression"


def _refuse_free_text(labels: pl.Series, distinct: int) -> None:
    if distinct > max(50, labels.len() // 2):
        raise InputError(
            f"The target {labels.name!r} looks like free text or an identifier, not a class.",
            given=f"{distinct:,} different values in {labels.len():,} labelled rows",
            next_step="name another --target, or --kind multiclass if it is right",
        )


def classes_of(labels: pl.Series) -> tuple[ClassDescription, ...]:
    """Return the classes that ``labels`` name, sorted."""
    names = labels.unique().sort()
    return tuple(ClassDescription(name=name) for name in as_class_names(names).to_list())


def as_class_names(labels: pl.Series) -> pl.Series:
    """Return labels as strings; whole floats without their ``.0``."""
    if labels.dtype.is_float() and bool((labels == labels.round(0)).all()):
        labels = labels.cast(pl.Int64)
    return labels.cast(pl.String)


def _metric(labels: pl.Series, kind: Kind, given: str | None, notes: list[Note]) -> str:
    if given is not None:
        require_metric(given, kind)
        return given
    if kind == "regression":
        notes.append(Note("metric mae", "the mean absolute error is in the target's own unit"))
        return "mae"
    rarest = float(value_counts(labels)["count"].min() or 0) / labels.len()  # type: ignore[arg-type]
    if kind == "binary" and rarest < IMBALANCED:
        why = f"the rarer class has {rarest:.0%} of the rows, where accuracy says little"
        notes.append(Note("metric auc", why))
        return "auc"
    notes.append(Note("metric accuracy", "the usual one; --metric names another"))
    return "accuracy"


def require_metric(metric: str, kind: Kind) -> None:
    """Raise an InputError when ``metric`` cannot judge a task of this kind."""
    if not judges(metric, kind):
        costs = " or costs, as in cost_1_20" if kind == "binary" else ""
        raise InputError(
            f"The metric does not fit a {kind} task.",
            given=metric,
            allowed=", ".join(METRICS_OF_KIND[kind]) + costs,
        )


def _notes_on_unused(unused: Sequence[tuple[str, str]]) -> list[Note]:
    by_reason: dict[str, list[str]] = {}
    for name, why in unused:
        by_reason.setdefault(why, []).append(name)
    return [Note(_unused(names), why) for why, names in by_reason.items()]


def _unused(names: list[str]) -> str:
    shown = ", ".join(repr(name) for name in names[:MOST_NAMED])
    if len(names) == 1:
        return f"column {shown} is not used"
    more = "" if len(names) <= MOST_NAMED else f" and {len(names) - MOST_NAMED:,} more"
    return f"columns {shown}{more} are not used"


def _note_inputs(task: Task, columns: Columns, notes: list[Note]) -> None:
    if task.text is not None:
        notes.append(Note(f"text task on {task.text!r}", columns.why_text))
    else:
        count = len(task.features)
        why = columns.why_text or "no column holds free text"
        notes.append(Note(f"tabular task on {count:,} column{'s' * (count != 1)}", why))
    _require_inputs(task.inputs)


def _require_inputs(inputs: Sequence[str]) -> None:
    if not inputs:
        raise InputError(
            "No column is left to predict from.",
            next_step="add a column that varies and is no identifier",
        )
