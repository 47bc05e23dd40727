"""A model at hand: anything with ``predict``, or a callable of rows."""

from __future__ import annotations

import importlib
from dataclasses import dataclass
from importlib.util import find_spec
from typing import Any

import numpy as np
import polars as pl

from assay.diagnose.case import Floats
from assay.errors import InputError
from assay.task import Task


@dataclass(frozen=True, eq=False)
class Answers:
    """(n,) predictions, and (n, k) probabilities in the order of the task's classes, if any."""

    predictions: np.ndarray
    probabilities: Floats | None = None


def asked(model: Any, rows: pl.DataFrame, task: Task) -> Answers:
    """Return what a model says of rows.

    An object with ``predict``, and ``predict_proba`` with ``classes_`` where it has them, is given
    the texts of a text task, and the feature columns of a table as a pandas frame (Polars where
    pandas is absent). A callable is given the rows themselves as a Polars table and returns (n,)
    predictions or (n, k) probabilities in the order of the sorted classes.

    Raises
    ------
    InputError
        When it is neither, or what it says does not fit the rows and classes.
    """
    from assay.diagnose.given import checked_shares, said_values

    if not hasattr(model, "predict"):
        if not callable(model):
            raise InputError(
                "The model cannot be asked.",
                given=type(model).__name__,
                allowed="an object with predict, or a callable of rows",
            )
        said = np.asarray(model(rows))
        found, shares = (None, said) if said.ndim == 2 else (said, None)
    else:
        given = _inputs(rows, task)
        shares = _probabilities(model, given, task)
        found = None if shares is not None else np.asarray(model.predict(given))
    if shares is not None:
        checked = checked_shares(np.asarray(shares, np.float64), rows.height, task)
        names = np.asarray(task.class_names, dtype=object)
        return Answers(names[checked.argmax(axis=1)], checked)
    if found is None or found.shape != (rows.height,):
        raise InputError(
            "The model must give one prediction a row.",
            given="none" if found is None else f"shape {found.shape}",
        )
    return Answers(said_values(pl.Series(found.tolist()), task))


def imported_model(path: str) -> Any:
    """Return the model that ``package.module:NAME`` names; importing it runs that module.

    Raises
    ------
    InputError
        When there is no such module or name. Pickles are never opened.
    """
    module, _, name = path.partition(":")
    if not name or module.endswith((".pkl", ".joblib", ".pickle")):
        raise InputError(
            "--model names a model that can be imported.",
            given=path,
            allowed="package.module:NAME",
            next_step="write a module that makes the model; files that run code are not opened",
        )
    try:
        return getattr(importlib.import_module(module), name)
    except (ImportError, AttributeError) as error:
        raise InputError(f"The model cannot be imported: {error}.", given=path) from error


def _inputs(rows: pl.DataFrame, task: Task) -> Any:
    if task.text is not None:
        return rows[task.text].cast(pl.String).fill_null("").to_list()
    features = rows.select(task.features)
    if find_spec("pandas") is not None and find_spec("pyarrow") is not None:
        return features.to_pandas()
    return features


def _probabilities(model: Any, given: Any, task: Task) -> Any:
    if task.kind == "regression" or not hasattr(model, "predict_proba"):
        return None
    if not hasattr(model, "classes_"):
        return None
    raw = np.asarray(model.predict_proba(given), dtype=np.float64)
    place = {str(name): code for code, name in enumerate(model.classes_)}
    unknown = sorted(set(place) - set(task.class_names))
    if unknown:
        raise InputError(
            "The model knows classes that the true values do not hold.",
            given=", ".join(unknown[:5]),
            allowed=", ".join(task.class_names[:20]),
        )
    shares = np.zeros((len(raw), len(task.classes)))
    for code, name in enumerate(task.class_names):
        if name in place:
            shares[:, code] = raw[:, place[name]]
    return shares
