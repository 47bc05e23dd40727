"""Labeller: labelling as a scikit-learn classifier."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
import polars as pl
from numpy.typing import NDArray
from sklearn.base import BaseEstimator, ClassifierMixin
from sklearn.utils.validation import check_is_fitted

from assay.errors import InputError
from assay.label.gold import read_gold
from assay.label.kinds import kind_of
from assay.label.naming import class_of
from assay.label.open import opened
from assay.label.rows import Rows, read_rows
from assay.label.sample import Sample
from assay.label.spec import COMBINED, Answers, LabelSettings
from assay.label.task import LabelTask
from assay.llm import Budget
from assay.tables.door import to_polars
from assay.tables.rows import ROW_ID

TEXT = "text"


class Labeller(ClassifierMixin, BaseEstimator):  # type: ignore[misc]
    """Labels texts or tables with a language model that checked rows have taught.

    Works in pipelines, ``cross_val_score`` and ``clone``. What was asked before, in the same
    user's cache or project, is not asked again.

    Parameters
    ----------
    task
        As for :func:`assay.label.label`; None: the classes are those of ``y``, by their names.
    model
        ``provider:model``.
    embed
        Turns texts into vectors.
    settings
        How the annotators work, in place of ``model`` and ``embed``.
    budget
        Hard caps of each call of ``fit`` and of ``predict``.
    models
        Models by name, in place of the ones that the names stand for.

    Attributes
    ----------
    classes_
        (k,) the classes, sorted: the order of the columns of ``predict_proba``.
    n_features_in_
        Columns that are read.
    fitted_
        The annotators with their weights.
    checked_
        How the gold rows fared, each answered without its own label.
    """

    def __init__(
        self,
        task: Any = None,
        *,
        model: str = "local:smollm2-135m",
        embed: str = "local:minilm",
        settings: LabelSettings | None = None,
        budget: Budget | None = None,
        models: Mapping[str, Any] | None = None,
    ) -> None:
        self.task = task
        self.model = model
        self.embed = embed
        self.settings = settings
        self.budget = budget
        self.models = models

    def fit(self, X: Any, y: Any, unlabelled: Any = None) -> Labeller:  # noqa: N803
        """Learn from checked rows, and from rows without a label.

        Parameters
        ----------
        X
            m texts (a list, array or Series) or a table with m rows.
        y
            (m,) their labels.
        unlabelled
            Further rows, without labels; by default the checked ones alone.

        Raises
        ------
        InputError
            When rows and labels do not fit together, there is one class only, or a class that y
            lacks cannot be written as y's labels are.
        """
        labels = [str(each) for each in np.asarray(y).ravel().tolist()]
        table = _table(X)
        if table.height != len(labels):
            raise InputError(
                "X and y must have one row each.", given=f"{table.height}, {len(labels)}"
            )
        settings = self._settings()
        task = self._task(labels, table)
        rows, task = read_rows(table, task)
        kind = kind_of(task)
        target = pl.Series(task.target, labels)
        gold = read_gold(table.with_columns(target), task, kind, rows)
        sample = Sample(settings.fit_rows, settings.seed)
        others = rows if unlabelled is None else read_rows(_table(unlabelled), task)[0]
        sample.add(_readable(others))
        with opened(None, budget=self.budget, models=self.models) as (gateway, _):
            self.fitted_ = kind.fit(sample.texts, gold, task, gateway, settings)
        self.checked_ = self.fitted_.checked
        self.task_ = task
        self.n_features_in_ = len(task.inputs)
        self._names = _as_in(np.asarray(y).ravel().tolist(), task)
        self.classes_ = np.array(sorted(self._names.values()))
        return self

    def predict(self, X: Any) -> NDArray[Any]:  # noqa: N803
        """Return the (n,) likeliest classes.

        Raises
        ------
        InputError
            When a row has no text to read, or could not be answered.
        """
        shares = self.predict_proba(X)
        return np.asarray(self.classes_[shares.argmax(axis=1)])

    def predict_proba(self, X: Any) -> NDArray[np.float64]:  # noqa: N803
        """Return the (n, k) probability of each class, in the order of ``classes_``."""
        check_is_fitted(self, "fitted_")
        rows, _ = read_rows(_table(X), self.task_)
        if rows.why:
            row, why = next(iter(rows.why.items()))
            raise InputError(f"Row {row} cannot be labelled: {why}.", next_step="leave it out")
        with opened(None, budget=self.budget, models=self.models) as (gateway, _):
            answers = self.fitted_.answer(rows.texts, gateway)
        if answers.why:
            row, why = next(iter(answers.why.items()))
            raise InputError(f"Row {row} was not answered: {why}.")
        return self._in_order(answers)

    def _in_order(self, answers: Answers) -> NDArray[np.float64]:
        """Return the task's probabilities in the order of ``classes_``."""
        names = [self._names[name] for name in self.task_.class_names]
        column = {name: place for place, name in enumerate(names)}
        return np.asarray(answers.votes[COMBINED][:, [column[name] for name in self.classes_]])

    def _settings(self) -> LabelSettings:
        if self.settings is not None:
            return self.settings
        return LabelSettings(models=(self.model,), embed=self.embed)

    def _task(self, labels: Sequence[str], table: pl.DataFrame) -> LabelTask:
        task = LabelTask.of(sorted(set(labels))) if self.task is None else LabelTask.of(self.task)
        if task.kind != "single":
            raise InputError("A Labeller gives each row one class.", given=task.kind)
        inputs = task.inputs or tuple(name for name in table.columns if name != ROW_ID)
        # No column of the user's may be taken for the label.
        return task.model_copy(update={"inputs": inputs, "target": _free(task.target, table)})

    def __sklearn_tags__(self) -> Any:
        """Say that texts are read."""
        tags = super().__sklearn_tags__()
        tags.input_tags.string = True
        tags.input_tags.two_d_array = False
        tags.input_tags.one_d_array = True
        tags.no_validation = True
        tags.non_deterministic = False
        return tags


def _table(given: Any) -> pl.DataFrame:
    """Return rows as a table; texts are its one column."""
    if isinstance(given, pl.DataFrame) or type(given).__name__ == "DataFrame":
        return to_polars(given)
    values = given.to_list() if hasattr(given, "to_list") else given
    array = np.asarray(values, dtype=object)
    if array.ndim == 2 and array.shape[1] == 1:
        array = array[:, 0]
    if array.ndim != 1:
        raise InputError(
            "X must be texts or a table.", given=f"an array of {array.ndim} dimensions"
        )
    texts = [None if each is None else str(each) for each in array.tolist()]
    return pl.DataFrame({TEXT: texts}, schema={TEXT: pl.String})


def _readable(rows: Rows) -> list[str]:
    return [text for row, text in enumerate(rows.texts) if row not in rows.why]


def _as_in(labels: Sequence[Any], task: LabelTask) -> dict[str, Any]:
    """Return each class as ``labels`` write it; one that they lack as a value of their type.

    Predictions can be compared with the labels then, whatever part of them taught.
    """
    told = {class_of(str(each), task): each for each in labels if str(each).strip()}
    first = next(iter(told.values()))
    makes = type(first) if isinstance(first, int | float) and not isinstance(first, bool) else str
    try:
        found = {name: told[name] if name in told else makes(name) for name in task.class_names}
        sorted(found.values())
    except (TypeError, ValueError) as error:
        lacking = [name for name in task.class_names if name not in told]
        raise InputError(
            "The labels of y and the classes of the task cannot stand side by side.",
            given=f"y holds {first!r}, the classes that it lacks are {', '.join(lacking)}",
            next_step="give y as text",
        ) from error
    return found


def _free(name: str, table: pl.DataFrame) -> str:
    while name in table.columns:
        name = f"{name}_"
    return name
